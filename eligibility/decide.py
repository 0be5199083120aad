"""The decision. The only place where a verdict is made; pure: no clock, store, log or environment.

It follows the design's section 3 step by step, submission first, then package; each step notes in
the trace what was compared. What would change the answer is worked out in remedies.py from what is
decided here.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

from eligibility import remedies
from eligibility.applicable import UNIVERSAL, XBOX, Selection, covers, select
from eligibility.catalog.model import Flight, Package, Product, Rollout
from eligibility.model import (
    AccessQuery,
    Account,
    AccountKind,
    Decision,
    OfferedPackage,
    PackageVerdict,
    Reason,
    Source,
    Step,
    SubmissionVerdict,
)
from eligibility.package_version import parse_package_version
from eligibility.requirements import Floor, Requirements, Rule
from eligibility.rollout import packages_of
from eligibility.windows import version_text

NON_FLIGHTED = Source("submission", None, "Non-flighted submission", 1)
_LISTING: dict[str, Literal["searchable", "link_only"]] = {
    "searchable": "searchable",
    "link_only": "link_only",
    "stop_acquisition": "link_only",
}


@dataclass(frozen=True)
class Case:
    """One query with everything its decision may depend on, and the trace as it grows."""

    query: AccessQuery
    product: Product
    account_groups: frozenset[str]
    requirements: Requirements
    now: datetime
    trace: list[Step] = field(default_factory=list)

    def note(
        self, step: str, outcome: str, detail: str, source: str, **facts: str | tuple[str, ...]
    ) -> None:
        """Write down one step of the decision; detail and facts both tell what was compared."""
        self.trace.append(Step(step, outcome, detail, source, facts))

    @cached_property
    def identity_blocker(self) -> Reason | None:
        """Why nobody can be a member here: membership is of a signed-in Microsoft account (KUG)."""
        if self.query.account is None:
            return Reason.NOT_SIGNED_IN
        if self.query.account.kind is not AccountKind.MICROSOFT:
            return Reason.WRONG_ACCOUNT_KIND
        return None

    @cached_property
    def counted_groups(self) -> frozenset[str]:
        """Active groups the account counts as a member of; none without a Microsoft account."""
        if self.identity_blocker is not None:
            return frozenset()
        return self.account_groups & self.product.active_groups(self.now)


def decide(
    query: AccessQuery,
    product: Product,
    account_groups: frozenset[str],
    requirements: Requirements,
    now: datetime,
) -> Decision:
    """Say whether the account may see the submission and have a package, which one, and why.

    Args: account_groups = ids of the product's groups that list one of the account's addresses;
    now = UTC-aware, the moment to decide for.
    Returns: all blockers of each half in the order of the design's section 3, remedies and the trace;
    settling, revision and stale_seconds are left to the evaluator.
    Raises: nothing on a validated product and a parsed query.
    Source: design section 3; tests/vectors.
    """
    case = Case(query, product, account_groups, requirements, now)
    _note_groups(case)
    submission = _decide_submission(case)
    package, selection, flight = _decide_package(case, submission)
    return Decision(
        product_id=query.product_id,
        granted=submission.granted and package.granted,
        submission=submission,
        package=package,
        remedies=remedies.find(case, submission, package, selection, flight),
        trace=tuple(case.trace),
    )


def alias_step(account: Account, matched: Collection[str]) -> Step:
    """Which address of an account with aliases is listed in the product's groups, for the trace.

    Whoever finds the account's groups knows it; here it is told.
    """
    listed = next((address for address in account.addresses if address in matched), None)
    if listed is None:
        return Step("aliases", "no_match", "no address of the account is in a group", "KUG")
    primary = listed == account.id
    note = "the primary address" if primary else "an alias, not the primary address"
    outcome, detail = "primary" if primary else "alias", f"matched `{listed}`: {note}"
    return Step("aliases", outcome, detail, "KUG", {"matched": listed})


def _note_groups(case: Case) -> None:
    active = sorted(case.product.active_groups(case.now))
    counted = sorted(case.counted_groups)
    detail = (
        f"active groups: {_names(active)}; the account counts as a member of: {_names(counted)}"
    )
    outcome = "member" if counted else "no_member"
    case.note("groups", outcome, detail, "KUG", active=tuple(active), counted=tuple(counted))


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


# --- submission: may this account see the listing? ---------------------------------------------


def _decide_submission(case: Case) -> SubmissionVerdict:
    declared = case.product.submission
    audience = declared.audience_at(case.now)
    until = f"; public from {declared.public_at.isoformat()}" if declared.public_at else ""
    public_at = f"{declared.public_at:%Y-%m-%d %H:%M} UTC" if declared.public_at else ""
    detail = f"declared {declared.audience}{until}"
    case.note("audience", audience, detail, "VIS", declared=declared.audience, public_at=public_at)
    blockers = _audience_blockers(case) if audience == "private" else ()
    if blockers:
        return SubmissionVerdict(False, audience, "hidden", blockers)
    reason = Reason.AUDIENCE_MEMBER if audience == "private" else Reason.PUBLIC_AUDIENCE
    return SubmissionVerdict(True, audience, _LISTING[declared.discoverability], (reason,))


def _audience_blockers(case: Case) -> tuple[Reason, ...]:
    """Who you are first, then the device; each of the two blocks for at most one reason."""
    device, rule = case.query.device, case.requirements.private_audience
    groups = case.product.submission.audience_groups
    identity = case.identity_blocker
    if identity is None and not case.product.submission.admits(case.counted_groups, case.now):
        identity = Reason.NOT_IN_AUDIENCE
    outcome = identity or Reason.AUDIENCE_MEMBER
    detail = f"audience groups: {_names(list(groups))}"
    case.note("audience_member", outcome, detail, "VIS", groups=groups)
    floor = rule.check(device.family, device.version)
    _note_floor(case, "audience_floor", rule, floor, "KUG, VIS")
    device_blocker = {
        Floor.BELOW: Reason.OS_BELOW_AUDIENCE_MINIMUM,
        Floor.UNSUPPORTED: Reason.DEVICE_FAMILY_UNSUPPORTED,
    }.get(floor)
    return tuple(reason for reason in (identity, device_blocker) if reason)


def _note_floor(case: Case, step: str, rule: Rule, floor: Floor, source: str) -> None:
    device = case.query.device
    minimum = rule.minimum(device.family)
    named = f"`{minimum}`" if minimum else "none named"
    detail = f"{device.family} {device.os_version} against the floor {named}"
    case.note(step, floor, detail, source, minimum=version_text(minimum) if minimum else "")


# --- package: may this device download, and what? ----------------------------------------------


def _decide_package(
    case: Case, submission: SubmissionVerdict
) -> tuple[PackageVerdict, Selection | None, Flight | None]:
    if not submission.granted:
        verdict = PackageVerdict(False, None, None, "none", None, (Reason.SUBMISSION_DENIED,))
        return verdict, None, None
    offer_blockers = _offer_blockers(case)
    flight, source = _source(case)
    declared = flight or case.product.submission
    packages, rollout_reason = _rollout_side(case, source, declared.packages, declared.rollout)
    selection = select(packages, case.query.device)
    _note_selection(case, packages, selection)
    blockers = (*offer_blockers, *selection.blockers)
    if blockers or selection.offered is None:
        return PackageVerdict(False, source, None, "none", None, blockers), selection, flight
    origin = Reason.FLIGHT_MEMBER if flight else Reason.NON_FLIGHTED_SUBMISSION
    verdict = PackageVerdict(
        granted=True,
        source=source,
        package=selection.offered,
        action=_action(case, selection.offered),
        delivery="manual" if flight and case.query.device.family == XBOX else "automatic",
        reasons=(origin, rollout_reason) if rollout_reason else (origin,),
    )
    return verdict, selection, flight


def _offer_blockers(case: Case) -> tuple[Reason, ...]:
    """Blockers that hold whatever the source: availability, acquisition, market, device family."""
    return tuple(
        reason
        for reason, blocked in (
            (Reason.PRODUCT_UNAVAILABLE, _unavailable(case)),
            (Reason.ACQUISITION_STOPPED, _acquisition_stopped(case)),
            (Reason.MARKET_NOT_OFFERED, _market_not_offered(case)),
            (Reason.DEVICE_FAMILY_NOT_OFFERED, _family_not_offered(case)),
        )
        if blocked
    )


def _may_still_acquire(case: Case) -> bool:
    return case.query.owned or case.query.promotional_code


def _claims(case: Case) -> str:
    owned = "owned" if case.query.owned else "not owned"
    return f"{owned}, {'a' if case.query.promotional_code else 'no'} promotional code"


def _entitled_by(case: Case) -> tuple[str, ...]:
    claims = ("owning it", case.query.owned), ("a promotional code", case.query.promotional_code)
    return tuple(claim for claim, made in claims if made)


def _unavailable(case: Case) -> bool:
    availability = case.product.availability
    case.note("availability", availability, _claims(case), "MGT", entitled_by=_entitled_by(case))
    return availability == "unavailable" and not _may_still_acquire(case)


def _acquisition_stopped(case: Case) -> bool:
    discoverability = case.product.submission.discoverability
    entitled_by = _entitled_by(case)
    case.note(
        "discoverability", discoverability, _claims(case), "VIS, PROMO", entitled_by=entitled_by
    )
    return discoverability == "stop_acquisition" and not _may_still_acquire(case)


def _market_not_offered(case: Case) -> bool:
    markets, market = case.product.markets, case.query.market
    offered = markets is None or market in markets
    limits = "every market" if markets is None else _names(list(markets))
    detail = f"market `{market or 'unknown'}` against {limits}"
    outcome = "offered" if offered else "not_offered"
    everywhere = ("every market",)
    case.note(
        "market",
        outcome,
        detail,
        "MKT",
        market=market or "",
        markets=everywhere if markets is None else markets,
    )
    return not offered


def _family_not_offered(case: Case) -> bool:
    """Family availability comes from the non-flighted submission alone, flights or not (PF, PD)."""
    family, declared = case.query.device.family, case.product.submission
    named = {target for package in declared.packages for target in package.targets}
    offered = covers(
        named if declared.device_families is None else declared.device_families, family
    )
    # An owner keeps getting updates on a family unticked later, while packages for it exist (UPL).
    kept = not offered and case.query.owned and covers(named, family)
    families = sorted(named if declared.device_families is None else declared.device_families)
    detail = f"{family} against {_names(families)} of the non-flighted submission"
    if UNIVERSAL in families:
        detail += ", where Windows.Universal stands for every family but Windows.Xbox"
    outcome = "offered" if offered else "kept_by_owner" if kept else "not_offered"
    case.note("family_offered", outcome, detail, "PD, UPL", families=tuple(families))
    return not (offered or kept)


def _source(case: Case) -> tuple[Flight | None, Source]:
    """The highest-ranked published flight with one of the account's groups, else the submission."""
    device, rule = case.query.device, case.requirements.flight
    floor = rule.check(device.family, device.version)
    _note_floor(case, "flight_floor", rule, floor, "KUG, PD")
    if floor is Floor.MET:
        groups = case.counted_groups
        found = case.product.flight_for(groups, case.now)
        for position, flight in enumerate(case.product.flights):
            _note_flight(case, flight, groups)
            if flight is found:
                rank = case.product.rank_of(position)
                return flight, Source("flight", flight.flight_id, flight.name, rank)
    case.note("source", "submission", "no flight applies: the non-flighted submission", "PF, PD")
    return None, NON_FLIGHTED


def _note_flight(case: Case, flight: Flight, groups: frozenset[str]) -> None:
    via = sorted(groups.intersection(flight.groups))
    outcome = (
        "unpublished" if not flight.published_at(case.now) else "member" if via else "no_member"
    )
    detail = f"groups {_names(list(flight.groups))}; the account is in {_names(via)}"
    case.note(
        f"flight:{flight.flight_id}",
        outcome,
        detail,
        "PF, PD",
        name=flight.name,
        groups=flight.groups,
        via=tuple(via),
        packages=str(len(flight.packages)),
        publish_at=f"{flight.publish_at:%Y-%m-%d %H:%M} UTC" if flight.publish_at else "",
    )


def _rollout_side(
    case: Case, source: Source, packages: tuple[Package, ...], rollout: Rollout | None
) -> tuple[tuple[Package, ...], Reason | None]:
    chosen, reason = packages_of(packages, rollout, case.query, case.requirements)
    if reason and rollout:
        which = "newest" if chosen is packages else "previous"
        detail = f"{rollout.percentage} % of `{source.name}`, {rollout.status}: {which} packages"
        case.note(
            "rollout",
            reason,
            detail,
            "GPR, MAS",
            percentage=f"{rollout.percentage:g}",
            side=which,
        )
    return chosen, reason


def _note_selection(case: Case, packages: tuple[Package, ...], selection: Selection) -> None:
    device = case.query.device
    untold = "" if device.architecture else "; architecture not told, so not tested"
    detail = f"{len(packages)} package(s) for {device.family} {device.os_version}{untold}"
    if selection.offered:
        detail += f": {selection.offered.file_name} ({selection.offered.architecture})"
    outcome = ", ".join(selection.blockers) or "applicable"
    minimum = version_text(selection.minimum) if selection.minimum else ""
    case.note(
        "package",
        outcome,
        detail,
        "REQ, DFO, ARCH",
        version=selection.offered.version if selection.offered else "",
        architecture=selection.offered.architecture if selection.offered else "",
        minimum=minimum,
        architectures=selection.architectures,
    )


def _action(case: Case, offered: OfferedPackage) -> Literal["install", "update", "keep"]:
    """An installed app only moves upward: an older package never replaces a newer one (REQ)."""
    installed = case.query.installed
    if installed is None:
        return "install"
    newer = parse_package_version(offered.version) > installed
    outcome: Literal["update", "keep"] = "update" if newer else "keep"
    detail = f"installed `{case.query.installed_version}`, offered `{offered.version}`"
    case.note("action", outcome, detail, "REQ", installed=str(installed), offered=offered.version)
    return outcome

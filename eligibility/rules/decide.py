"""The decision. The only place where a verdict is made; pure: no clock, store, log or environment.

It follows the design's section 3 step by step, submission first, then package; each step notes in
the trace what was compared. What would change the answer is worked out in remedies.py from what is
decided here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from eligibility.access.model import (
    AccessQuery,
    Decision,
    OfferedPackage,
    PackageSource,
    PackageVerdict,
    Reason,
    SubmissionVerdict,
)
from eligibility.catalog.model import Flight, Package, Product, Rollout
from eligibility.rules import remedies, trace
from eligibility.rules.case import CaseTrace
from eligibility.rules.packages import XBOX, PackageSelection, covers, select
from eligibility.rules.requirements import Floor, Requirements
from eligibility.rules.rollout import packages_of
from eligibility.windows.package_versions import parse_package_version

NON_FLIGHTED = PackageSource("submission", None, "Non-flighted submission", 1)
_LISTING: dict[str, Literal["searchable", "link_only"]] = {
    "searchable": "searchable",
    "link_only": "link_only",
    "stop_acquisition": "link_only",
}


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
    case = CaseTrace(query, product, account_groups, requirements, now)
    trace.groups(case)
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


# --- submission: may this account see the listing? ---------------------------------------------


def _decide_submission(case: CaseTrace) -> SubmissionVerdict:
    declared = case.product.submission
    audience = declared.audience_at(case.now)
    trace.audience(case, audience)
    blockers = _audience_blockers(case) if audience == "private" else ()
    if blockers:
        return SubmissionVerdict(False, audience, "hidden", blockers)
    reason = Reason.AUDIENCE_MEMBER if audience == "private" else Reason.PUBLIC_AUDIENCE
    return SubmissionVerdict(True, audience, _LISTING[declared.discoverability], (reason,))


def _audience_blockers(case: CaseTrace) -> tuple[Reason, ...]:
    """Who you are first, then the device; each of the two blocks for at most one reason."""
    device, rule = case.query.device, case.requirements.private_audience
    identity = case.identity_blocker
    if identity is None and not case.product.submission.admits(case.counted_groups, case.now):
        identity = Reason.NOT_IN_AUDIENCE
    trace.audience_member(case, identity or Reason.AUDIENCE_MEMBER)
    floor = rule.check(device.family, device.version)
    trace.floor(case, "audience_floor", rule, floor, "KUG, VIS")
    device_blocker = {
        Floor.BELOW: Reason.OS_BELOW_AUDIENCE_MINIMUM,
        Floor.UNSUPPORTED: Reason.DEVICE_FAMILY_UNSUPPORTED,
    }.get(floor)
    return tuple(reason for reason in (identity, device_blocker) if reason)


# --- package: may this device download, and what? ----------------------------------------------


def _decide_package(
    case: CaseTrace, submission: SubmissionVerdict
) -> tuple[PackageVerdict, PackageSelection | None, Flight | None]:
    if not submission.granted:
        verdict = PackageVerdict(False, None, None, "none", None, (Reason.SUBMISSION_DENIED,))
        return verdict, None, None
    offer_blockers = _offer_blockers(case)
    flight, source = _source(case)
    declared = flight or case.product.submission
    packages, rollout_reason = _rollout_side(case, source, declared.packages, declared.rollout)
    selection = select(packages, case.query.device)
    trace.selection(case, len(packages), selection)
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


def _offer_blockers(case: CaseTrace) -> tuple[Reason, ...]:
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


def _may_still_acquire(case: CaseTrace) -> bool:
    return case.query.owned or case.query.promotional_code


def _unavailable(case: CaseTrace) -> bool:
    availability = case.product.availability
    trace.claim(case, "availability", availability, "MGT")
    return availability == "unavailable" and not _may_still_acquire(case)


def _acquisition_stopped(case: CaseTrace) -> bool:
    discoverability = case.product.submission.discoverability
    trace.claim(case, "discoverability", discoverability, "VIS, PROMO")
    return discoverability == "stop_acquisition" and not _may_still_acquire(case)


def _market_not_offered(case: CaseTrace) -> bool:
    markets, market = case.product.markets, case.query.market
    offered = markets is None or market in markets
    trace.market(case, offered)
    return not offered


def _family_not_offered(case: CaseTrace) -> bool:
    """Family availability comes from the non-flighted submission alone, flights or not (PF, PD)."""
    family, declared = case.query.device.family, case.product.submission
    named = {target for package in declared.packages for target in package.targets}
    families = named if declared.device_families is None else declared.device_families
    offered = covers(families, family)
    # An owner keeps getting updates on a family unticked later, while packages for it exist (UPL).
    kept = not offered and case.query.owned and covers(named, family)
    outcome = "offered" if offered else "kept_by_owner" if kept else "not_offered"
    trace.family_offered(case, outcome, families)
    return not (offered or kept)


def _source(case: CaseTrace) -> tuple[Flight | None, PackageSource]:
    """The highest-ranked published flight with one of the account's groups, else the submission."""
    device, rule = case.query.device, case.requirements.flight
    floor = rule.check(device.family, device.version)
    trace.floor(case, "flight_floor", rule, floor, "KUG, PD")
    if floor is Floor.MET:
        found = case.product.flight_for(case.counted_groups, case.now)
        for position, flight in enumerate(case.product.flights):
            trace.flight(case, flight)
            if flight is found:
                rank = case.product.rank_of(position)
                return flight, PackageSource("flight", flight.flight_id, flight.name, rank)
    trace.no_flight(case)
    return None, NON_FLIGHTED


def _rollout_side(
    case: CaseTrace, source: PackageSource, packages: tuple[Package, ...], rollout: Rollout | None
) -> tuple[tuple[Package, ...], Reason | None]:
    chosen, reason = packages_of(packages, rollout, case.query, case.requirements)
    if reason and rollout:
        trace.rollout(case, source.name, rollout, reason, newest=chosen is packages)
    return chosen, reason


def _action(case: CaseTrace, offered: OfferedPackage) -> Literal["install", "update", "keep"]:
    """An installed app only moves upward: an older package never replaces a newer one (REQ)."""
    installed = case.query.installed
    if installed is None:
        return "install"
    newer = parse_package_version(offered.version) > installed
    outcome: Literal["update", "keep"] = "update" if newer else "keep"
    trace.action(case, outcome, offered)
    return outcome


@dataclass(frozen=True, slots=True)
class DecisionCase:
    """A query with the rest of what its decision may depend on; see `decide` for each."""

    query: AccessQuery
    product: Product
    account_groups: frozenset[str]
    requirements: Requirements
    now: datetime

    def decide(self) -> Decision:
        """The decision, with its trace."""
        return decide(self.query, self.product, self.account_groups, self.requirements, self.now)

"""The decision. The only place where a verdict is made; pure: no clock, store, log or environment.

It follows the design's section 3 step by step, submission first, then package; each step notes in
the trace what was compared. What would change the answer is worked out in remedies.py from what is
decided here.
"""

from typing import Literal

from msgspec import UNSET

from eligibility.access.model import (
    Decision,
    OfferedPackage,
    PackageSource,
    PackageVerdict,
    Reason,
    SubmissionVerdict,
)
from eligibility.catalog.model import Flight, Package, Rollout
from eligibility.rules import remedies
from eligibility.rules.case import Case
from eligibility.rules.packages import XBOX, PackageSelection, covers, select
from eligibility.rules.requirements import Floor
from eligibility.rules.rollout import packages_of
from eligibility.rules.trace import NO_TRACE, Trace
from eligibility.windows.package_versions import parse_package_version

NON_FLIGHTED = PackageSource("submission", None, "Non-flighted submission", 1)
_LISTING: dict[str, Literal["searchable", "link_only"]] = {
    "searchable": "searchable",
    "link_only": "link_only",
    "stop_acquisition": "link_only",
}


def decide(case: Case, *, explain: bool = False) -> Decision:
    """Say whether the account may see the submission and have a package, which one, and why.

    Args: explain = carry the trace, which costs about a third of a decision.
    Returns: all blockers of each half in the order of the design's section 3, and remedies;
    settling, revision and stale_seconds are left to the evaluator.
    Raises: nothing on a validated product and a parsed query.
    Source: design section 3; tests/vectors.
    """
    trace = Trace(case) if explain else NO_TRACE
    trace.groups()
    submission = _decide_submission(case, trace)
    package, selection, flight = _decide_package(case, trace, submission)
    return Decision(
        product_id=case.query.product_id,
        granted=submission.granted and package.granted,
        submission=submission,
        package=package,
        remedies=remedies.find(case, submission, package, selection, flight),
        trace=tuple(trace.steps) if explain else UNSET,
    )


# --- submission: may this account see the listing? ---------------------------------------------


def _decide_submission(case: Case, trace: Trace) -> SubmissionVerdict:
    declared = case.product.submission
    audience = declared.audience_at(case.now)
    trace.audience(audience)
    blockers = _audience_blockers(case, trace) if audience == "private" else ()
    if blockers:
        return SubmissionVerdict(False, audience, "hidden", blockers)
    reason = Reason.AUDIENCE_MEMBER if audience == "private" else Reason.PUBLIC_AUDIENCE
    return SubmissionVerdict(True, audience, _LISTING[declared.discoverability], (reason,))


def _audience_blockers(case: Case, trace: Trace) -> tuple[Reason, ...]:
    """Who you are first, then the device; each of the two blocks for at most one reason."""
    device, rule = case.query.device, case.requirements.private_audience
    identity = case.identity_blocker
    if identity is None and not case.product.submission.admits(case.counted_groups, case.now):
        identity = Reason.NOT_IN_AUDIENCE
    trace.audience_member(identity or Reason.AUDIENCE_MEMBER)
    floor = rule.check(device.family, device.version)
    trace.floor("audience_floor", rule, floor, "KUG, VIS")
    device_blocker = {
        Floor.BELOW: Reason.OS_BELOW_AUDIENCE_MINIMUM,
        Floor.UNSUPPORTED: Reason.DEVICE_FAMILY_UNSUPPORTED,
    }.get(floor)
    return tuple(reason for reason in (identity, device_blocker) if reason)


# --- package: may this device download, and what? ----------------------------------------------


def _decide_package(
    case: Case, trace: Trace, submission: SubmissionVerdict
) -> tuple[PackageVerdict, PackageSelection | None, Flight | None]:
    if not submission.granted:
        verdict = PackageVerdict(False, None, None, "none", None, (Reason.SUBMISSION_DENIED,))
        return verdict, None, None
    offer_blockers = _offer_blockers(case, trace)
    flight, source = _source(case, trace)
    declared = flight or case.product.submission
    packages, rollout_reason = _rollout_side(
        case, trace, source, declared.packages, declared.rollout
    )
    selection = select(packages, case.query.device)
    trace.selection(len(packages), selection)
    blockers = (*offer_blockers, *selection.blockers)
    if blockers or selection.offered is None:
        return PackageVerdict(False, source, None, "none", None, blockers), selection, flight
    origin = Reason.FLIGHT_MEMBER if flight else Reason.NON_FLIGHTED_SUBMISSION
    verdict = PackageVerdict(
        granted=True,
        source=source,
        package=selection.offered,
        action=_action(case, trace, selection.offered),
        delivery="manual" if flight and case.query.device.family == XBOX else "automatic",
        reasons=(origin, rollout_reason) if rollout_reason else (origin,),
    )
    return verdict, selection, flight


def _offer_blockers(case: Case, trace: Trace) -> tuple[Reason, ...]:
    """Blockers that hold whatever the source: availability, acquisition, market, device family."""
    return tuple(
        reason
        for reason, blocked in (
            (Reason.PRODUCT_UNAVAILABLE, _unavailable(case, trace)),
            (Reason.ACQUISITION_STOPPED, _acquisition_stopped(case, trace)),
            (Reason.MARKET_NOT_OFFERED, _market_not_offered(case, trace)),
            (Reason.DEVICE_FAMILY_NOT_OFFERED, _family_not_offered(case, trace)),
        )
        if blocked
    )


def _may_still_acquire(case: Case) -> bool:
    return case.query.owned or case.query.promotional_code


def _unavailable(case: Case, trace: Trace) -> bool:
    availability = case.product.availability
    trace.claim("availability", availability, "MGT")
    return availability == "unavailable" and not _may_still_acquire(case)


def _acquisition_stopped(case: Case, trace: Trace) -> bool:
    discoverability = case.product.submission.discoverability
    trace.claim("discoverability", discoverability, "VIS, PROMO")
    return discoverability == "stop_acquisition" and not _may_still_acquire(case)


def _market_not_offered(case: Case, trace: Trace) -> bool:
    markets, market = case.product.markets, case.query.market
    offered = markets is None or market in markets
    trace.market(offered)
    return not offered


def _family_not_offered(case: Case, trace: Trace) -> bool:
    """Family availability comes from the non-flighted submission alone, flights or not (PF, PD)."""
    family, declared = case.query.device.family, case.product.submission
    named = {target for package in declared.packages for target in package.targets}
    families = named if declared.device_families is None else declared.device_families
    offered = covers(families, family)
    # An owner keeps getting updates on a family unticked later, while packages for it exist (UPL).
    kept = not offered and case.query.owned and covers(named, family)
    outcome = "offered" if offered else "kept_by_owner" if kept else "not_offered"
    trace.family_offered(outcome, families)
    return not (offered or kept)


def _source(case: Case, trace: Trace) -> tuple[Flight | None, PackageSource]:
    """The highest-ranked published flight with one of the account's groups, else the submission."""
    device, rule = case.query.device, case.requirements.flight
    floor = rule.check(device.family, device.version)
    trace.floor("flight_floor", rule, floor, "KUG, PD")
    if floor is Floor.MET:
        found = case.product.flight_for(case.counted_groups, case.now)
        for position, flight in enumerate(case.product.flights):
            trace.flight(flight)
            if flight is found:
                rank = case.product.rank_of(position)
                return flight, PackageSource("flight", flight.flight_id, flight.name, rank)
    trace.no_flight()
    return None, NON_FLIGHTED


def _rollout_side(
    case: Case,
    trace: Trace,
    source: PackageSource,
    packages: tuple[Package, ...],
    rollout: Rollout | None,
) -> tuple[tuple[Package, ...], Reason | None]:
    chosen, reason = packages_of(packages, rollout, case.query, case.requirements)
    if reason and rollout:
        trace.rollout(source.name, rollout, reason, newest=chosen is packages)
    return chosen, reason


def _action(
    case: Case, trace: Trace, offered: OfferedPackage
) -> Literal["install", "update", "keep"]:
    """An installed app only moves upward: an older package never replaces a newer one (REQ)."""
    installed = case.query.installed
    if installed is None:
        return "install"
    newer = parse_package_version(offered.version) > installed
    outcome: Literal["update", "keep"] = "update" if newer else "keep"
    trace.action(outcome, offered)
    return outcome

"""The decision: submission first, then package, in the order of the design's section 3.

Pure: no clock, store, log or environment. No other module decides. Each step records in the trace
what it compared. remedies.py finds what would change the answer.
"""

from typing import Literal

from msgspec import UNSET

from eligibility.access.codes import Reason
from eligibility.access.model import (
    Decision,
    OfferedPackage,
    PackageSource,
    PackageVerdict,
    SubmissionVerdict,
)
from eligibility.catalog.model import Flight, Package, Rollout
from eligibility.rules import remedies
from eligibility.rules.case import Case
from eligibility.rules.packages import PackageSelection, select
from eligibility.rules.requirements import Floor
from eligibility.rules.rollout import packages_of
from eligibility.rules.trace import NO_TRACE, Trace
from eligibility.windows.package_versions import parse_package_version
from eligibility.windows.versions import UNIVERSAL, XBOX, covers

NON_FLIGHTED = PackageSource("submission", None, "Non-flighted submission", 1)
_LISTING: dict[str, Literal["searchable", "link_only"]] = {
    "searchable": "searchable",
    "link_only": "link_only",
    "stop_acquisition": "link_only",
}


def decide(case: Case, *, explain: bool = False) -> Decision:
    """Decide whether the account may see the submission and download a package, and which one.

    Args: explain = include the trace, which adds about a third to the time of a decision.
    Returns: all blockers of each half in the order of the design's section 3, and remedies. The
    evaluator sets settling, revision and stale_seconds.
    Raises: nothing if the product is validated and the query parsed.
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


def _decide_submission(case: Case, trace: Trace) -> SubmissionVerdict:
    declared = case.product.submission
    audience = declared.audience_at(case.now)
    trace.audience(audience)
    blockers = _audience_blockers(case, trace) if audience == "private" else ()
    if blockers:
        return SubmissionVerdict(False, audience, "hidden", blockers)
    reason = Reason.AUDIENCE_MEMBER if audience == "private" else Reason.PUBLIC_AUDIENCE
    unavailable = case.product.availability == "unavailable"  # as if acquisition were stopped (MGT)
    listing = "link_only" if unavailable else _LISTING[declared.discoverability]
    return SubmissionVerdict(True, audience, listing, (reason,))


def _audience_blockers(case: Case, trace: Trace) -> tuple[Reason, ...]:
    """List at most one reason about the account, then at most one about the device."""
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
    """List the blockers that do not depend on the source of packages."""
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
    return case.query.owns or case.promotional_code


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
    """Check the device family. Only the non-flighted submission sets the families (PF, PD)."""
    family, declared = case.query.device.family, case.product.submission
    named = {target for package in declared.packages for target in package.targets}
    families = named if declared.device_families is None else declared.device_families
    offered = covers(families, family)
    # An owner still gets updates on a deselected family while packages for it exist (UPL). For an
    # Xbox, Windows.Universal counts only if boxes were declared: without them it was never offered.
    kept = (
        not offered
        and case.query.owns
        and (covers(named, family) or (declared.device_families is not None and UNIVERSAL in named))
    )
    outcome = "offered" if offered else "kept_by_owner" if kept else "not_offered"
    trace.family_offered(outcome, families)
    return not (offered or kept)


def _source(case: Case, trace: Trace) -> tuple[Flight | None, PackageSource]:
    """Find the highest-ranked published flight of the account's groups, else the submission."""
    device, rule = case.query.device, case.requirements.flight
    floor = rule.check(device.family, device.version)
    trace.floor("flight_floor", rule, floor, "KUG, PD")
    if floor is Floor.MET:
        member_flight = case.product.flight_for(case.counted_groups, case.now)
        for position, flight in enumerate(case.product.flights):
            trace.flight(flight)
            if flight is member_flight:
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
    """Compare with the installed version: an older package never replaces a newer one (REQ)."""
    installed = case.query.installed
    if installed is None:
        return "install"
    newer = parse_package_version(offered.version) > installed
    outcome: Literal["update", "keep"] = "update" if newer else "keep"
    trace.action(outcome, offered)
    return outcome

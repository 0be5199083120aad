"""Remedies: what would lift each denial, or grant each higher-ranked flight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from msgspec import structs
from packaging.version import Version

from eligibility.access.codes import Action, Reason
from eligibility.access.model import PackageVerdict, Remedy, SubmissionVerdict
from eligibility.access.redaction import listed_groups
from eligibility.catalog.model import Flight
from eligibility.rules.packages import PackageSelection, select
from eligibility.rules.requirements import Floor, Rule
from eligibility.rules.rollout import side
from eligibility.windows.package_versions import parse_package_version
from eligibility.windows.versions import (
    WINDOWS_10,
    is_known_family,
    release_name,
    version_text,
)

if TYPE_CHECKING:
    from eligibility.rules.case import Case

Unlocks = Literal["submission", "package", "flight"]
_OFFER = {
    Reason.PRODUCT_UNAVAILABLE,
    Reason.ACQUISITION_STOPPED,
    Reason.MARKET_NOT_OFFERED,
    Reason.DEVICE_FAMILY_NOT_OFFERED,
}
"""Blockers that hold for every source of packages, so that no flight helps."""


@dataclass(frozen=True, slots=True)
class _Blocked:
    """The data that the remedy of a blocker may need."""

    case: Case
    unlocks: Unlocks
    rule: Rule
    groups: tuple[str, ...]
    flights: tuple[str, ...] = ()
    selection: PackageSelection | None = None
    source_name: str = ""


def find(
    case: Case,
    submission: SubmissionVerdict,
    package: PackageVerdict,
    selection: PackageSelection | None,
    flight: Flight | None,
) -> tuple[Remedy, ...]:
    """List remedies for each blocker, in order, then for the higher-ranked flights not granted."""
    audience = _Blocked(
        case,
        "submission",
        case.requirements.private_audience,
        case.product.submission.audience_groups,
    )
    if not submission.granted:
        remedies = [remedy for reason in submission.reasons for remedy in _for(reason, audience)]
        return (*remedies, *_wait_until_public(case))
    blocked = _Blocked(
        case,
        "package",
        case.requirements.flight,
        (),
        selection=selection,
        source_name=f"flight `{flight.name}`" if flight else "the non-flighted submission",
    )
    remedies = (
        [] if package.granted else [r for reason in package.reasons for r in _for(reason, blocked)]
    )
    if not _OFFER.isdisjoint(package.reasons):
        return tuple(remedies)
    return (*remedies, *_check_by_hand(case, package, flight), *_for_missed_flights(case, flight))


def _for(reason: Reason, blocked: _Blocked) -> Iterator[Remedy]:
    make = _REMEDIES.get(reason)
    remedy = None if make is None else make(blocked)
    if remedy is not None:
        yield remedy


def _wait_until_public(case: Case) -> Iterator[Remedy]:
    public_at = case.product.submission.public_at
    if public_at is not None:
        text = f"wait until {public_at:%Y-%m-%d %H:%M} UTC, when the product becomes public"
        yield Remedy(Action.WAIT_UNTIL_PUBLIC, "submission", text, at=public_at)


def _check_by_hand(case: Case, package: PackageVerdict, flight: Flight | None) -> Iterator[Remedy]:
    """Advise whom a rollout leaves out to check by hand, if that gets a newer package (MAS)."""
    declared = flight or case.product.submission
    rollout, query = declared.rollout, case.query
    if rollout is None or not rollout.newest_on_manual_check:
        return
    newest_now, _ = side(query, rollout, case.requirements)
    by_hand = structs.replace(query, manual_check=True)
    if newest_now or not side(by_hand, rollout, case.requirements)[0]:
        return
    offered = select(declared.packages, query.device).offered
    if offered is None or offered == package.package:
        return
    if query.installed is not None and parse_package_version(offered.version) <= query.installed:
        return
    text = f"check for updates by hand, in the Store, to get {offered.version} before the rollout"
    yield Remedy(Action.CHECK_FOR_UPDATES, "package", f"{text} reaches this account")


def _for_missed_flights(case: Case, granted: Flight | None) -> Iterator[Remedy]:
    """List remedies for each published flight that ranks above the granted source."""
    position = case.product.flights.index(granted) if granted else len(case.product.flights)
    missed = [f for f in case.product.flights[:position] if f.published_at(case.now)]
    if not missed:
        return
    rule, device = case.requirements.flight, case.query.device
    flights = tuple(flight.flight_id for flight in missed)
    groups = tuple(dict.fromkeys(group for flight in missed for group in flight.groups))
    blocked = _Blocked(case, "flight", rule, groups, flights)
    if case.identity_blocker is not None:
        yield from _for(case.identity_blocker, blocked)
    floor = rule.check(device.family, device.version)
    if floor is Floor.BELOW:
        yield _update_os(blocked)
    elif floor is Floor.UNSUPPORTED:
        yield _another_device(blocked)
    if case.identity_blocker is None:
        for flight in missed:
            if case.counted_groups.isdisjoint(flight.groups):
                yield _join(_Blocked(case, "flight", rule, flight.groups, (flight.flight_id,)))


def _purpose(blocked: _Blocked) -> str:
    if blocked.unlocks == "submission":
        return "to see this private product"
    if blocked.unlocks == "package":
        return "to get a package"
    return "to get flight " + ", ".join(_flight_names(blocked))


def _flight_names(blocked: _Blocked) -> Iterator[str]:
    """Name the flights. A flight without a package for this device still hides lower ranks."""
    for flight in blocked.case.product.flights:
        if flight.flight_id in blocked.flights:
            serves = select(flight.packages, blocked.case.query.device).offered is not None
            yield (
                f"`{flight.flight_id}`"
                if serves
                else f"`{flight.flight_id}` (nothing for this device)"
            )


def _sign_in(blocked: _Blocked) -> Remedy:
    text = f"sign in to the Store with the Microsoft account that is listed, {_purpose(blocked)}"
    return Remedy(
        Action.SIGN_IN, blocked.unlocks, text, flights=blocked.flights, groups=blocked.groups
    )


def _microsoft_account(blocked: _Blocked) -> Remedy:
    text = (
        "sign in with a personal Microsoft account: a work or school account is never a member, "
        f"{_purpose(blocked)}"
    )
    return Remedy(
        Action.USE_MICROSOFT_ACCOUNT,
        blocked.unlocks,
        text,
        flights=blocked.flights,
        groups=blocked.groups,
    )


def _join(blocked: _Blocked) -> Remedy:
    groups = listed_groups(blocked.groups)
    text = f"ask the publisher to be added to {groups}, {_purpose(blocked)}"
    if blocked.unlocks == "submission":
        text += "; if another account of yours is in it already, sign in with that account"
    return Remedy(
        Action.JOIN_GROUP,
        blocked.unlocks,
        text,
        flights=blocked.flights,
        groups=blocked.groups,
    )


def _os_remedy(minimum: Version, blocked: _Blocked) -> Remedy:
    release = release_name(minimum)
    named = f" ({release})" if release else ""
    text = f"update {blocked.case.query.device.family} to {version_text(minimum)}{named} or later, {_purpose(blocked)}"
    return Remedy(
        Action.UPDATE_OS,
        blocked.unlocks,
        text,
        flights=blocked.flights,
        os_version=version_text(minimum),
        release=release,
    )


def _update_os(blocked: _Blocked) -> Remedy:
    minimum = blocked.rule.minimum(blocked.case.query.device.family)
    if minimum is None:  # the floor has no lower bound, so no version can be named
        text = f"use another OS version of {blocked.case.query.device.family}, {_purpose(blocked)}"
        return Remedy(Action.UPDATE_OS, blocked.unlocks, text, flights=blocked.flights)
    return _os_remedy(minimum, blocked)


def _another_device(blocked: _Blocked) -> Remedy:
    families = blocked.rule.families()
    named = " or ".join(families) or "a known device family"
    text = f"use a device of {named}: {blocked.case.query.device.family} is not supported, {_purpose(blocked)}"
    return Remedy(
        Action.USE_ANOTHER_DEVICE,
        blocked.unlocks,
        text,
        flights=blocked.flights,
        families=families,
    )


def _promotional_code(blocked: _Blocked) -> Remedy | None:
    if blocked.case.query.device.version < WINDOWS_10:
        return None
    text = "only previous owners and holders of a promotional code can still get this product"
    return Remedy(Action.USE_PROMOTIONAL_CODE, "package", text)


def _offered_market(blocked: _Blocked) -> Remedy:
    markets = blocked.case.product.markets or ()
    text = f"the product is offered only in {', '.join(markets) or 'no market'}"
    if blocked.case.query.market is None:
        text += "; the query names no market"
    return Remedy(Action.USE_OFFERED_MARKET, "package", text, markets=markets)


def _offered_family(blocked: _Blocked) -> Remedy:
    declared = blocked.case.product.submission
    named = declared.device_families
    if named is None:
        named = tuple(
            sorted({target for package in declared.packages for target in package.targets})
        )
    family = blocked.case.query.device.family
    why = "is not offered" if is_known_family(family) else "is not a device family that we know"
    text = f"use a device of {' or '.join(named) or 'no family yet'}: {family} {why}"
    return Remedy(Action.USE_ANOTHER_DEVICE, "package", text, families=named)


def _add_package(blocked: _Blocked) -> Remedy:
    family = blocked.case.query.device.family
    if not is_known_family(family):
        return _offered_family(blocked)
    text = f"the publisher has to add a package for {family} to {blocked.source_name}"
    return Remedy(Action.ADD_PACKAGE, "package", text, families=(family,))


def _package_os(blocked: _Blocked) -> Remedy:
    minimum = blocked.selection.minimum if blocked.selection else None
    if minimum is None:
        return _update_os(blocked)
    return _os_remedy(minimum, blocked)


def _architecture(blocked: _Blocked) -> Remedy:
    offered = blocked.selection.architectures if blocked.selection else ()
    device = blocked.case.query.device.architecture
    text = f"{blocked.source_name} has no package for {device}, only for {', '.join(offered)}"
    return Remedy(Action.USE_ANOTHER_DEVICE, "package", text, architectures=offered)


_REMEDIES: dict[Reason, Callable[[_Blocked], Remedy | None]] = {
    Reason.NOT_SIGNED_IN: _sign_in,
    Reason.WRONG_ACCOUNT_KIND: _microsoft_account,
    Reason.NOT_IN_AUDIENCE: _join,
    Reason.OS_BELOW_AUDIENCE_MINIMUM: _update_os,
    Reason.DEVICE_FAMILY_UNSUPPORTED: _another_device,
    Reason.PRODUCT_UNAVAILABLE: _promotional_code,
    Reason.ACQUISITION_STOPPED: _promotional_code,
    Reason.MARKET_NOT_OFFERED: _offered_market,
    Reason.DEVICE_FAMILY_NOT_OFFERED: _offered_family,
    Reason.NO_PACKAGE_FOR_FAMILY: _add_package,
    Reason.OS_BELOW_PACKAGE_MINIMUM: _package_os,
    Reason.ARCHITECTURE_MISMATCH: _architecture,
}

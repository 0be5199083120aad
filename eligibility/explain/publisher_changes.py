"""Changes that the publisher could make to a product; least_change.py finds those that help."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from eligibility.access.codes import Action
from eligibility.access.explanation import SuggestedChange
from eligibility.access.model import Device
from eligibility.catalog.model import (
    DeclaredSource,
    Flight,
    Package,
    PackageList,
    Product,
    RolloutStatus,
)
from eligibility.explain.device_names import family_text
from eligibility.explain.person_changes import CandidateChange
from eligibility.rules.case import Case
from eligibility.rules.packages import best_architecture, minimum_for
from eligibility.windows.versions import covers

_Edit = Callable[[Product], Product]


def of_publisher(case: Case, flight_id: str | None = None) -> Iterator[CandidateChange]:
    """List the changes to a product that may help. Args: flight_id = the flight to get, if any."""
    yield from _whole_product(case)
    yield from _audience(case)
    submission, *flights = case.product.sources()
    for source in (*flights, submission):
        if source.flight is not None:
            yield from _flight(case, source, source.flight, flight_id)
        yield from _packages(case, source)


def _declaring(change: SuggestedChange, edit: _Edit, part: str) -> CandidateChange:
    return CandidateChange(
        change, lambda case: replace(case, product=edit(case.product)), frozenset({part}), part
    )


def _change(action: Action, text: str, **data: Any) -> SuggestedChange:
    return SuggestedChange(action, "publisher", f"the publisher {text}", **data)


def _whole_product(case: Case) -> Iterator[CandidateChange]:
    product, market = case.product, case.query.market
    if product.availability == "unavailable":
        change = _change(Action.MAKE_AVAILABLE, "puts the product back into the Store")
        yield _declaring(change, lambda p: p.with_fields(availability="available"), "availability")
    if market and product.markets is not None and market not in product.markets:
        markets = (*product.markets, market)
        change = _change(Action.OFFER_MARKET, f"offers it in {market}", market=market)
        yield _declaring(change, lambda p: p.with_fields(markets=markets), "markets")
    declared, family = product.submission, case.query.device.family
    if declared.discoverability == "stop_acquisition":
        change = _change(Action.ALLOW_ACQUISITION, "lets new customers get it again")
        yield _submission(change, "discoverability", discoverability="searchable")
    if declared.device_families is not None and not covers(declared.device_families, family):
        text = f"offers it for {family_text(family)}"
        change = _change(Action.OFFER_FAMILY, text, family=family)
        families = (*declared.device_families, family)
        yield _submission(change, "device_families", device_families=families)


def _submission(change: SuggestedChange, part: str, **fields: Any) -> CandidateChange:
    def edit(product: Product) -> Product:
        return product.with_fields(submission=product.submission.with_fields(**fields))

    return _declaring(change, edit, part)


def _audience(case: Case) -> Iterator[CandidateChange]:
    declared = case.product.submission
    if declared.audience_at(case.now) == "public":
        return
    text = "makes the product public, which cannot be taken back"
    yield _submission(_change(Action.MAKE_PUBLIC, text), "audience", audience="public")
    for group in sorted(case.account_groups - set(declared.audience_groups)):
        text = f"adds the group {group} to the audience"
        change = _change(Action.ADD_AUDIENCE_GROUP, text, group=group)
        groups = (*declared.audience_groups, group)
        yield _submission(change, f"audience_groups:{group}", audience_groups=groups)


def _name(source: DeclaredSource) -> str:
    return f"the flight {source.flight.name}" if source.flight else "the general release"


def _flight(
    case: Case, source: DeclaredSource, flight: Flight, goal: str | None
) -> Iterator[CandidateChange]:
    named: dict[str, Any] = {"flight": flight.flight_id}
    if flight.publish_at is not None and flight.publish_at > case.now:
        change = _change(Action.PUBLISH_FLIGHT, f"opens {_name(source)} now", **named)
        yield _declaring(change, _setting(source, publish_at=None), f"{source.loc}.publish_at")
    if flight.flight_id != goal:
        return
    for group in sorted(case.account_groups - set(flight.groups)):
        text = f"adds the group {group} to {_name(source)}"
        change = _change(Action.ADD_FLIGHT_GROUP, text, group=group, **named)
        groups = (*flight.groups, group)
        yield _declaring(change, _setting(source, groups=groups), f"{source.loc}.groups")


def _setting(source: DeclaredSource, **fields: Any) -> _Edit:
    return lambda product: source.changed(product, **fields)


def _packages(case: Case, source: DeclaredSource) -> Iterator[CandidateChange]:
    device, rollout = case.query.device, source.declared.rollout
    data: dict[str, Any] = {"flight": source.flight_id} if source.flight else {}
    if not source.declared.packages:
        package = _new_package(device)
        text = f"publishes a package for this device in {_name(source)}"
        change = _change(Action.ADD_PACKAGE, text, family=device.family, **data)
        yield _declaring(change, _setting(source, packages=(package,)), f"{source.loc}.packages")
    if rollout is not None and rollout.status is not RolloutStatus.FINALIZED:
        text = f"finalizes the rollout of {_name(source)}, so that everybody gets the new package"
        change = _change(Action.FINALIZE_ROLLOUT, text, **data)
        yield _declaring(change, _finalizing(source), f"{source.loc}.rollout.status")
    for path, packages in source.package_lists():
        if path != "packages" and rollout and rollout.status is RolloutStatus.FINALIZED:
            continue
        for position, package in enumerate(packages):
            fitting = _fitting(package, packages, device)
            if fitting is not None:
                changed, how, new = fitting
                which = "" if path == "packages" else "the previous package "
                text = f"changes {which}{package.file_name} of {_name(source)}: {how}"
                change = _change(Action.FIT_PACKAGE, text, package=package.file_name, **new, **data)
                edit = _exchanging(source, path, position, changed)
                yield _declaring(change, edit, f"{source.loc}.{path}.{position}")


def _finalizing(source: DeclaredSource) -> _Edit:
    def edit(product: Product) -> Product:
        rollout = source.of(product).rollout
        assert rollout is not None  # noqa: S101 - callers pass only sources with a rollout
        finalized = rollout.with_fields(status=RolloutStatus.FINALIZED)
        return source.changed(product, rollout=finalized)

    return edit


def _exchanging(
    source: DeclaredSource, path: PackageList, position: int, changed: Package
) -> _Edit:
    def exchanged(packages: tuple[Package, ...]) -> tuple[Package, ...]:
        return (*packages[:position], changed, *packages[position + 1 :])

    def edit(product: Product) -> Product:
        declared = source.of(product)
        if path == "packages":
            return source.changed(product, packages=exchanged(declared.packages))
        rollout = declared.rollout
        assert rollout is not None  # noqa: S101 - the path names packages of its rollout
        previous = exchanged(rollout.previous_packages)
        return source.changed(product, rollout=rollout.with_fields(previous_packages=previous))

    return edit


def _new_package(device: Device) -> Package:
    return Package(
        file_name="new.msix",
        version="1.0.0.0",
        architectures=(device.architecture or "neutral",),
        targets={device.family: device.os_version},
    )


def _fitting(
    package: Package, packages: tuple[Package, ...], device: Device
) -> tuple[Package, str, dict[str, Any]] | None:
    """Return the package changed to fit the device, and how, in words and as data.

    Returns: None if it already fits or cannot.
    """
    targets, architectures = dict(package.targets), package.architectures
    how, data = [], dict[str, Any]()
    minimum = minimum_for(package, device.family)
    if minimum is None:
        how.append(f"it is also for {family_text(device.family)}")
    elif minimum > device.version:
        least = package.targets.get(device.family) or package.targets["Windows.Universal"]
        how.append(f"its MinVersion of {least} becomes {device.os_version}")
    if how:
        targets[device.family] = device.os_version
        data |= {"family": device.family, "os_version": device.os_version}
    if device.architecture and best_architecture(package, device) is None:
        rivals = (other for other in packages if other.version == package.version)
        if any(device.architecture in rival.architectures for rival in rivals):
            return None  # the Store refuses two packages with the same version and architecture
        architectures = (*architectures, device.architecture)
        how.append(f"it also has {device.architecture}")
        data["architecture"] = device.architecture
    if not how:
        return None
    try:
        changed = package.with_fields(targets=targets, architectures=architectures)
    except ValueError:  # a package cannot target an unknown device family
        return None
    return changed, " and ".join(how), data

"""What the publisher of a product could declare otherwise: each change with the case it would make.

Which of them helps is not known here, and is found by deciding (nearest.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from eligibility.access.explanation import ChangeAction, SuggestedChange
from eligibility.access.model import Device
from eligibility.catalog.model import Flight, Package, Product, Rollout, RolloutStatus, Submission
from eligibility.explain.device_names import family_text
from eligibility.explain.person_changes import CandidateChange
from eligibility.rules.case import Case
from eligibility.rules.packages import best_architecture, covers, minimum_for

_Model = TypeVar("_Model", bound=BaseModel)
_Edit = Callable[[Product], Product]


def of_publisher(case: Case, flight_id: str | None = None) -> Iterator[CandidateChange]:
    """Everything that another declaration could change. flight_id: of a flight that is wanted."""
    yield from _whole_product(case)
    yield from _audience(case)
    for holder in _holders(case.product):
        if holder.flight is not None:
            yield from _flight(case, holder, wanted=holder.flight.flight_id == flight_id)
        yield from _packages(case, holder)


def _declaring(change: SuggestedChange, edit: _Edit, part: str) -> CandidateChange:
    return CandidateChange(
        change,
        lambda case: replace(case, product=edit(case.product)),
        frozenset({part}),
        part,
    )


def declared_with(model: _Model, **fields: Any) -> _Model:
    """The same with other fields. Made anew: a copy would keep what was computed of the old ones."""
    told = {name: getattr(model, name) for name in type(model).model_fields}
    return type(model).model_validate(told | fields)


def _change(action: ChangeAction, text: str, **data: Any) -> SuggestedChange:
    return SuggestedChange(action, "publisher", f"the publisher {text}", **data)


# --- the product and its audience ---


def _whole_product(case: Case) -> Iterator[CandidateChange]:
    product, market = case.product, case.query.market
    if product.availability == "unavailable":
        change = _change(ChangeAction.MAKE_AVAILABLE, "puts the product back into the Store")
        yield _declaring(
            change, lambda p: declared_with(p, availability="available"), "availability"
        )
    if market and product.markets is not None and market not in product.markets:
        markets = (*product.markets, market)
        change = _change(ChangeAction.OFFER_MARKET, f"offers it in {market}", market=market)
        yield _declaring(change, lambda p: declared_with(p, markets=markets), "markets")
    declared, family = product.submission, case.query.device.family
    if declared.discoverability == "stop_acquisition":
        change = _change(ChangeAction.ALLOW_ACQUISITION, "lets new customers get it again")
        yield _submission(change, "discoverability", discoverability="searchable")
    if declared.device_families is not None and not covers(declared.device_families, family):
        text = f"offers it for {family_text(family)}"
        change = _change(ChangeAction.OFFER_FAMILY, text, family=family)
        families = (*declared.device_families, family)
        yield _submission(change, "device_families", device_families=families)


def _submission(change: SuggestedChange, part: str, **fields: Any) -> CandidateChange:
    def edit(product: Product) -> Product:
        return declared_with(product, submission=declared_with(product.submission, **fields))

    return _declaring(change, edit, part)


def _audience(case: Case) -> Iterator[CandidateChange]:
    declared = case.product.submission
    if declared.audience_at(case.now) == "public":
        return
    text = "makes the product public, which cannot be taken back"
    yield _submission(_change(ChangeAction.MAKE_PUBLIC, text), "audience", audience="public")
    for group in sorted(case.account_groups - set(declared.audience_groups)):
        text = f"adds the group {group} to the audience"
        change = _change(ChangeAction.ADD_AUDIENCE_GROUP, text, group=group)
        groups = (*declared.audience_groups, group)
        yield _submission(change, f"audience_groups:{group}", audience_groups=groups)


# --- the submission and the flights ---


@dataclass(frozen=True)
class _Holder:
    """What holds packages: a flight by its place, or the non-flighted submission."""

    declared: Flight | Submission
    place: int | None = None

    @property
    def flight(self) -> Flight | None:
        return self.declared if isinstance(self.declared, Flight) else None

    @property
    def name(self) -> str:
        return f"the flight {self.flight.name}" if self.flight else "the general release"

    @property
    def part(self) -> str:
        return "submission" if self.place is None else f"flight:{self.place}"

    def of(self, product: Product) -> Flight | Submission:
        """The same in another declaration."""
        return product.submission if self.place is None else product.flights[self.place]

    def edited(self, product: Product, **fields: Any) -> Product:
        """The product with other fields of it."""
        if self.place is None:
            return declared_with(product, submission=declared_with(product.submission, **fields))
        flights = list(product.flights)
        flights[self.place] = declared_with(flights[self.place], **fields)
        return declared_with(product, flights=tuple(flights))


def _holders(product: Product) -> Iterator[_Holder]:
    yield from (_Holder(flight, place) for place, flight in enumerate(product.flights))
    yield _Holder(product.submission)


def _flight(case: Case, holder: _Holder, *, wanted: bool) -> Iterator[CandidateChange]:
    flight = holder.flight
    assert flight is not None  # noqa: S101 - the caller looked
    named: dict[str, Any] = {"flight": flight.flight_id}
    if flight.publish_at is not None and flight.publish_at > case.now:
        change = _change(ChangeAction.PUBLISH_FLIGHT, f"opens {holder.name} now", **named)
        yield _declaring(
            change, lambda p: holder.edited(p, publish_at=None), f"{holder.part}.publish_at"
        )
    for group in sorted(case.account_groups - set(flight.groups)) if wanted else ():
        text = f"adds the group {group} to {holder.name}"
        change = _change(ChangeAction.ADD_FLIGHT_GROUP, text, group=group, **named)
        groups = (*flight.groups, group)
        yield _declaring(change, _setting(holder, groups=groups), f"{holder.part}.groups")


def _setting(holder: _Holder, **fields: Any) -> _Edit:
    return lambda product: holder.edited(product, **fields)


# --- the packages ---


def _packages(case: Case, holder: _Holder) -> Iterator[CandidateChange]:
    device, rollout = case.query.device, holder.declared.rollout
    data: dict[str, Any] = {"flight": holder.flight.flight_id} if holder.flight else {}
    if not holder.declared.packages:
        package = _new_package(device)
        text = f"publishes a package for this device in {holder.name}"
        change = _change(ChangeAction.ADD_PACKAGE, text, family=device.family, **data)
        yield _declaring(change, _setting(holder, packages=(package,)), f"{holder.part}.packages")
    if rollout is not None and rollout.status is not RolloutStatus.FINALIZED:
        text = f"finalizes the rollout of {holder.name}, so that everybody gets the new package"
        change = _change(ChangeAction.FINALIZE_ROLLOUT, text, **data)
        yield _declaring(change, _finalizing(holder), f"{holder.part}.rollout.status")
    for listed, packages in _lists(holder.declared.packages, rollout):
        for place, package in enumerate(packages):
            fitting = _fitting(package, packages, device)
            if fitting is not None:
                changed, how = fitting
                which = "" if listed == "packages" else "the previous package "
                text = f"changes {which}{package.file_name} of {holder.name}: {how}"
                change = _change(ChangeAction.FIT_PACKAGE, text, package=package.file_name, **data)
                part = f"{holder.part}.{listed}.{place}"
                yield _declaring(change, _exchanging(holder, listed, place, changed), part)


_List = Literal["packages", "previous_packages"]


def _lists(
    newest: tuple[Package, ...], rollout: Rollout | None
) -> Iterator[tuple[_List, tuple[Package, ...]]]:
    yield "packages", newest
    if rollout is not None and rollout.status is not RolloutStatus.FINALIZED:
        yield "previous_packages", rollout.previous_packages


def _finalizing(holder: _Holder) -> _Edit:
    def edit(product: Product) -> Product:
        rollout = holder.of(product).rollout
        assert rollout is not None  # noqa: S101 - only such holders are edited
        return holder.edited(
            product, rollout=declared_with(rollout, status=RolloutStatus.FINALIZED)
        )

    return edit


def _exchanging(holder: _Holder, listed: _List, place: int, changed: Package) -> _Edit:
    def edit(product: Product) -> Product:
        now = holder.of(product)
        at = now if listed == "packages" else now.rollout
        packages = list(getattr(at, listed))
        packages[place] = changed
        if listed == "packages":
            return holder.edited(product, packages=tuple(packages))
        assert now.rollout is not None  # noqa: S101 - only such holders are edited
        return holder.edited(
            product, rollout=declared_with(now.rollout, previous_packages=tuple(packages))
        )

    return edit


def _new_package(device: Device) -> Package:
    return Package(
        file_name="new.msix",
        version="1.0.0.0",
        architectures=(device.architecture or "neutral",),
        targets={device.family: device.os_version},
    )


def _fitting(
    package: Package, beside: tuple[Package, ...], device: Device
) -> tuple[Package, str] | None:
    """The package as it would fit the device, and what is other; None where it does, or must not."""
    targets, architectures = dict(package.targets), package.architectures
    how = []
    minimum = minimum_for(package, device.family)
    if minimum is None:
        how.append(f"it is also for {family_text(device.family)}")
    elif minimum > device.version:
        least = package.targets.get(device.family) or package.targets["Windows.Universal"]
        how.append(f"its MinVersion of {least} becomes {device.os_version}")
    if how:
        targets[device.family] = device.os_version
    if device.architecture and best_architecture(package, device) is None:
        taken = (one for one in beside if one.version == package.version)
        if any(device.architecture in one.architectures for one in taken):
            return None  # two packages of one version and architecture: the Store refuses them
        architectures = (*architectures, device.architecture)
        how.append(f"it also has {device.architecture}")
    if not how:
        return None
    try:
        return declared_with(package, targets=targets, architectures=architectures), " and ".join(
            how
        )
    except ValueError:  # a family that nobody knows cannot be a target
        return None

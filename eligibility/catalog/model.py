"""Models of what a publisher declares: Product, Submission, Flight, Package and Rollout.

PUT bodies and YAML files have the shape of these pydantic models, and the access rules read them.
The models check each field by itself; validation.py compares fields with each other. Reading turns
each text into its canonical form, so two spellings of the same catalogue compare equal.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from eligibility.catalog import field_types as types

PackageList = Literal["packages", "rollout.previous_packages"]

_PACKAGE: dict[str, Any] = {
    "file_name": "Reader_1.0.0.0.msixbundle",
    "version": "1.0.0.0",
    "architectures": ["x64", "arm64"],
    "targets": {"Windows.Desktop": "10.0.17763.0"},
}
_NEWER_PACKAGE = _PACKAGE | {"file_name": "Reader_2.0.0.0.msixbundle", "version": "2.0.0.0"}
_EXAMPLE: dict[str, Any] = {
    "name": "Contoso Reader",
    "submission": {"audience": "private", "audience_groups": ["beta"], "packages": [_PACKAGE]},
    "flights": [
        {
            "flight_id": "canary",
            "name": "Canary",
            "groups": ["canary-testers"],
            "packages": [_NEWER_PACKAGE],
        }
    ],
}


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def with_fields(self, **changes: Any) -> Self:
        """Return a copy with some fields changed and checked. Raises: pydantic's ValidationError.

        `model_copy` would not do: it keeps the cached properties computed from the old fields.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate(fields | changes, context=types.STORED)


class Package(_Declared):
    """One uploaded package.

    targets: device family -> MinVersion. Windows.Universal applies to families not listed (DFO).
    """

    file_name: Annotated[StrictStr, Field(min_length=1, max_length=256)]
    version: types.PackageVersion
    architectures: types.Architectures
    targets: types.PackageTargets


class RolloutStatus(StrEnum):
    """The state of a gradual rollout. Reaching 100 % does not finalize a rollout (GPR)."""

    IN_PROGRESS = "in_progress"
    HALTED = "halted"
    FINALIZED = "finalized"


class Rollout(_Declared):
    """A gradual rollout: `percentage` of accounts get the newest packages, others the previous."""

    percentage: Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)]
    status: RolloutStatus
    previous_packages: tuple[Package, ...] = ()
    newest_on_manual_check: StrictBool = False


class Submission(_Declared):
    """The submission outside all flights: audience, listing and packages. Its rank is always 1."""

    audience: Literal["public", "private"] = "public"
    audience_groups: tuple[types.GroupId, ...] = ()
    public_at: types.CatalogMoment | None = None
    discoverability: Literal["searchable", "link_only", "stop_acquisition"] = "searchable"
    device_families: tuple[types.TargetFamily, ...] | None = None
    packages: tuple[Package, ...] = ()
    rollout: Rollout | None = None

    def audience_at(self, now: datetime) -> Literal["public", "private"]:
        """Return the audience at `now`. A private audience becomes public at `public_at` (VIS)."""
        if self.audience == "public" or (self.public_at is not None and now >= self.public_at):
            return "public"
        return "private"

    def admits(self, groups: AbstractSet[str], now: datetime) -> bool:
        """Return whether members of `groups` are in the audience at `now`; if public, all are."""
        return self.audience_at(now) == "public" or not groups.isdisjoint(self.audience_groups)


class Flight(_Declared):
    """A package flight: it replaces the submission's packages for members of its groups (PF)."""

    flight_id: types.FlightId
    name: types.Name
    groups: tuple[types.GroupId, ...]
    publish_at: types.CatalogMoment | None = None
    packages: tuple[Package, ...] = ()
    rollout: Rollout | None = None

    def published_at(self, now: datetime) -> bool:
        """Return whether the flight has packages and its `publish_at` is not after `now`."""
        return bool(self.packages) and (self.publish_at is None or now >= self.publish_at)


@dataclass(frozen=True, slots=True)
class DeclaredSource:
    """The submission or a flight. position: index in `Product.flights`; None for the submission."""

    declared: Submission | Flight
    position: int | None = None

    @property
    def flight(self) -> Flight | None:
        """Return the flight; None for the submission."""
        return self.declared if isinstance(self.declared, Flight) else None

    @property
    def flight_id(self) -> str | None:
        """Return the id of the flight; None for the submission."""
        return self.flight.flight_id if self.flight else None

    @property
    def loc(self) -> str:
        """Return the path in the product's JSON, such as `submission` or `flights.0`."""
        return "submission" if self.position is None else f"flights.{self.position}"

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the groups of the flight, or those of the submission's audience."""
        declared = self.declared
        return declared.groups if isinstance(declared, Flight) else declared.audience_groups

    @property
    def rollout(self) -> Rollout | None:
        """Return the rollout, even if it is halted or finalized; None if there is no rollout."""
        return self.declared.rollout

    def package_lists(self) -> Iterator[tuple[PackageList, tuple[Package, ...]]]:
        """List the newest, then the previous packages, each list with its JSON path below `loc`."""
        yield "packages", self.declared.packages
        if self.rollout is not None:
            yield "rollout.previous_packages", self.rollout.previous_packages

    def changed(self, product: "Product", **changes: Any) -> "Product":
        """Return a copy of a product in which some fields of this source are changed."""
        if self.position is None:
            return product.with_fields(submission=product.submission.with_fields(**changes))
        flights = list(product.flights)
        flights[self.position] = flights[self.position].with_fields(**changes)
        return product.with_fields(flights=tuple(flights))

    def of(self, product: "Product") -> Submission | Flight:
        """Return the submission or flight at this position in another version of the product."""
        return product.submission if self.position is None else product.flights[self.position]


class DeclaredDate(NamedTuple):
    """A time when a product changes by itself. flight: published then; None = it becomes public."""

    moment: datetime
    flight: Flight | None = None


class Product(_Declared):
    """A product as its publisher declares it. flights: from the highest rank to the lowest."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: types.Name
    availability: Literal["available", "unavailable"] = "available"
    markets: tuple[types.Market, ...] | None = None
    submission: Submission
    flights: tuple[Flight, ...] = ()

    def rank_of(self, position: int) -> int:
        """Return the rank of a flight: the last flight has 2, the submission has 1 (PF)."""
        return len(self.flights) - position + 1

    def flight_for(self, groups: AbstractSet[str], now: datetime) -> Flight | None:
        """Return the only flight that members of `groups` get: the highest-ranked one (PF, PD)."""
        published = (flight for flight in self.flights if flight.published_at(now))
        return next((flight for flight in published if not groups.isdisjoint(flight.groups)), None)

    def sources(self) -> tuple[DeclaredSource, ...]:
        """List the submission, then the flights from the highest rank to the lowest."""
        flights = (DeclaredSource(flight, index) for index, flight in enumerate(self.flights))
        return (DeclaredSource(self.submission), *flights)

    def dates(self) -> tuple[DeclaredDate, ...]:
        """List `public_at` of a private product, and `publish_at` of every flight that has it."""
        dates = [DeclaredDate(f.publish_at, f) for f in self.flights if f.publish_at is not None]
        if self.submission.public_at is not None and self.submission.audience == "private":
            dates.insert(0, DeclaredDate(self.submission.public_at))
        return tuple(dates)

    @property
    def flight_names(self) -> dict[str, str]:
        """Map flight ids to flight names, from the highest rank to the lowest."""
        return {flight.flight_id: flight.name for flight in self.flights}

    @cached_property
    def groups(self) -> frozenset[str]:
        """Return all groups that the product names, including those without effect at present."""
        return frozenset(group for source in self.sources() for group in source.groups)

    def active_groups(self, now: datetime) -> frozenset[str]:
        """Return the groups with an effect at `now`: of private audience and published flights."""
        private = self.submission.audience_at(now) == "private"
        audience = self.submission.audience_groups if private else ()
        flights = (flight.groups for flight in self.flights if flight.published_at(now))
        return frozenset(chain(audience, *flights))

    @cached_property
    def moments(self) -> tuple[datetime, ...]:
        """List the dates and times at which decisions may change without an edit, ascending."""
        return tuple(sorted({date.moment for date in self.dates()}))

"""Check the rules of a catalogue that concern several fields of a product.

model.py has checked each field by itself before (types, unknown keys, unreadable versions).
`validate` runs every check in `_CHECKS`, so that a publisher sees all faults at once.
Source of the rules: design section 4, "Refused"; domain 2.1, 2.5, 2.6, 3.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from eligibility.catalog import acceptance
from eligibility.catalog.errors import InvalidProduct
from eligibility.catalog.field_types import ID_PATTERN
from eligibility.catalog.model import Package, Product, RolloutStatus
from eligibility.errors import Fault
from eligibility.formats.pydantic_faults import pydantic_faults
from eligibility.formats.strict_struct import shown
from eligibility.windows.package_versions import parse_package_version

_PRODUCT_ID = re.compile(ID_PATTERN)


@dataclass(frozen=True, slots=True)
class ValidationContext:
    """Facts outside a product. declared_groups: its publisher's. was_public: at any time before.

    delivered: a product whose packages the Store delivers already, whatever their versions.
    """

    declared_groups: Collection[str]
    now: datetime
    was_public: bool = False
    delivered: Product | None = None


def read_product(body: Any) -> Product:
    """Convert parsed JSON or YAML to a product. Raises: InvalidProduct with every invalid field."""
    try:
        return Product.model_validate(body)
    except ValidationError as error:
        raise InvalidProduct(pydantic_faults(error)) from None


def validate(product_id: str, product: Product, context: ValidationContext) -> None:
    """Check a product before it is stored. Raises: InvalidProduct with all its faults."""
    faults = [fault for check in _CHECKS for fault in check(product, context)]
    if not _PRODUCT_ID.fullmatch(product_id):
        detail = f"`{shown(product_id)}` is not a product id: write 1 to 100 of A-Z a-z 0-9 . _ ~ -"
        faults.insert(0, Fault("product_id", "WRONG_VALUE", detail))
    if faults:
        raise InvalidProduct(faults, f"product `{shown(product_id)}`")


def _undeclared_groups(product: Product, context: ValidationContext) -> Iterator[Fault]:
    for source in product.sources():
        field = "groups" if source.flight else "audience_groups"
        for position, group in enumerate(source.groups):
            if group not in context.declared_groups:
                detail = f"group `{group}` is not declared; create it first"
                yield Fault(f"{source.loc}.{field}.{position}", "UNDECLARED_GROUP", detail)


def _private_without_groups(product: Product, _: ValidationContext) -> Iterator[Fault]:
    if product.submission.audience == "private" and not product.submission.audience_groups:
        detail = "a private audience needs at least one known user group"
        yield Fault("submission.audience_groups", "AUDIENCE_WITHOUT_GROUP", detail)


def _flights_without_groups(product: Product, _: ValidationContext) -> Iterator[Fault]:
    for number, flight in enumerate(product.flights):
        if not flight.groups:
            detail = f"flight `{flight.flight_id}` needs at least one known user group"
            yield Fault(f"flights.{number}.groups", "FLIGHT_WITHOUT_GROUP", detail)


def _private_again(product: Product, context: ValidationContext) -> Iterator[Fault]:
    # Not `submission.audience`: it still says "private" after `public_at` made the product public.
    if context.was_public and product.submission.audience_at(context.now) == "private":
        detail = "the product was public once, so it can never be private again"
        yield Fault("submission.audience", "PRIVATE_AFTER_PUBLIC", detail)


def _duplicate_flights(product: Product, _: ValidationContext) -> Iterator[Fault]:
    for name, values in (
        ("flight_id", [flight.flight_id for flight in product.flights]),
        ("name", [flight.name.casefold() for flight in product.flights]),
    ):
        counts = Counter(values)
        for number, value in enumerate(values):
            if counts[value] > 1:
                name_or_id = getattr(product.flights[number], name)
                detail = f"`{name_or_id}` is used by more than one flight of the product"
                yield Fault(f"flights.{number}.{name}", "DUPLICATE_FLIGHT", detail)


def _same_version_and_architecture(product: Product, _: ValidationContext) -> Iterator[Fault]:
    for loc, packages in _package_lists(product):
        first: dict[tuple[str, str], int] = {}
        for position, package in enumerate(packages):
            for architecture in package.architectures:
                other = first.setdefault((package.version, architecture), position)
                if other != position:
                    detail = (
                        f"`{package.file_name}` has version {package.version} and architecture "
                        f"{architecture}, and so has `{packages[other].file_name}`"
                    )
                    yield Fault(f"{loc}.{position}", "DUPLICATE_PACKAGE", detail)


def _version_starts_with_zero(product: Product, context: ValidationContext) -> Iterator[Fault]:
    delivered = zero_versions(context.delivered) if context.delivered else ()
    for loc, packages in _package_lists(product):
        for position, package in enumerate(packages):
            if _starts_with_zero(package) and package.version not in delivered:
                detail = f"`{package.version}` starts with 0; the first part must be 1 to 65535"
                yield Fault(f"{loc}.{position}.version", acceptance.ZERO_VERSION, detail)


def zero_versions(product: Product) -> tuple[str, ...]:
    """Return the package versions that start with 0, which the Store refuses in new packages (REQ)."""
    packages = (package for _, packages in _package_lists(product) for package in packages)
    return tuple(dict.fromkeys(p.version for p in packages if _starts_with_zero(p)))


def _starts_with_zero(package: Package) -> bool:
    return parse_package_version(package.version).release[0] == 0


def _rollout_without_previous(product: Product, _: ValidationContext) -> Iterator[Fault]:
    for source in product.sources():
        rollout = source.rollout
        if rollout is None or rollout.status is RolloutStatus.FINALIZED:
            continue
        if not rollout.previous_packages:
            loc = f"{source.loc}.rollout.previous_packages"
            detail = "a rollout needs the previous packages, which go to everybody outside it"
            yield Fault(loc, "ROLLOUT_WITHOUT_PREVIOUS", detail)


def _package_lists(product: Product) -> Iterator[tuple[str, tuple[Package, ...]]]:
    for source in product.sources():
        for path, packages in source.package_lists():
            yield f"{source.loc}.{path}", packages


_CHECKS = (
    _undeclared_groups,
    _private_without_groups,
    _flights_without_groups,
    _private_again,
    _duplicate_flights,
    _same_version_and_architecture,
    _version_starts_with_zero,
    _rollout_without_previous,
)

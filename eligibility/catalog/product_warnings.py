"""Find what is allowed in a product, and probably not meant. Plan, import and dashboard show it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from packaging.version import Version

from eligibility.catalog.model import Flight, Package, Product
from eligibility.windows.package_versions import parse_package_version
from eligibility.windows.versions import covers


class ProductWarning(NamedTuple):
    """A warning about a flight. text: what is so. remedy: what the publisher can do."""

    code: str
    flight: Flight
    text: str
    remedy: str


def product_warnings(product: Product) -> Iterator[ProductWarning]:
    """List the warnings of a product, flight by flight in the order of their ranks."""
    ranked_above: set[str] = set()
    for flight in product.flights:
        name = f"flight {flight.name} of {product.name}"
        families = _behind(flight.packages, product.submission.packages)
        if families:
            yield ProductWarning(
                "FLIGHT_BEHIND_PUBLIC",
                flight,
                f"{name} is older than the public version for {', '.join(families)}",
                "publish a newer package in it: its members keep what they have, without updates",
            )
        outside = set(flight.groups) - set(product.submission.audience_groups)
        if product.submission.audience == "private" and outside:
            yield ProductWarning(
                "FLIGHT_OUTSIDE_AUDIENCE",
                flight,
                f"{name} has groups that are not in the private audience: {', '.join(sorted(outside))}",
                "add them to the audience: who is in no group of the audience cannot see the product",
            )
        if ranked_above.issuperset(flight.groups):
            yield ProductWarning(
                "FLIGHT_WINS_FOR_NOBODY",
                flight,
                f"{name} reaches nobody: flights of higher rank have all of its groups",
                "rank it higher, or give it a group of its own",
            )
        if flight.publish_at is None:
            ranked_above.update(flight.groups)


def _behind(packages: Sequence[Package], public: Sequence[Package]) -> list[str]:
    """List the families for which both have packages, and the newest of the flight is older."""
    families = sorted({family for package in packages for family in package.targets})
    return [
        family
        for family in families
        if (newest := _newest(public, family)) and (_newest(packages, family) or newest) < newest
    ]


def _newest(packages: Sequence[Package], family: str) -> Version | None:
    versions = (
        parse_package_version(package.version)
        for package in packages
        if covers(package.targets, family)
    )
    return max(versions, default=None)

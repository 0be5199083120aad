"""Which devices no rule of a product can tell apart, so that they need to be decided once only.

A rule sees of a device its family, its architecture, and how its OS version compares with the
versions that rules name: the floors, the packages' MinVersions, the bounds of what runs where. Two
versions between the same two neighbours among those are the same to every rule.
"""

from bisect import bisect_left
from collections.abc import Iterator

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from eligibility.catalog.model import Package, Product
from eligibility.model import Device
from eligibility.releases import facts
from eligibility.requirements import Requirements
from eligibility.windows import parse_os_version

_MOST_DEVICES = 65_536
_COMPARISONS = frozenset({">=", ">", "<=", "<", "==", "!="})


class DeviceClasses:
    """Numbers for the classes of devices that a product and the requirements tell apart."""

    __slots__ = ("_numbers", "_points", "known")

    def __init__(self, product: Product, requirements: Requirements) -> None:
        self._points = points(product, requirements)
        self._numbers: dict[tuple[object, ...], int] = {}
        self.known: dict[Device, int] = {}
        """Devices met before; look here before `of`."""

    def of(self, device: Device) -> int:
        """The number of the device's class; equal for devices that no rule tells apart."""
        number = self.known.get(device)
        if number is None:
            facts_seen = (device.family, device.architecture, self._place(device.version))
            number = self._numbers.setdefault(facts_seen, len(self._numbers))
            if len(self.known) >= _MOST_DEVICES:
                self.known = {}
            self.known[device] = number
        return number

    def _place(self, version: Version) -> object:
        """Between which two named versions it lies, or which one it is."""
        if self._points is None:
            return version
        place = bisect_left(self._points, version)
        return place, place < len(self._points) and self._points[place] == version


def points(product: Product, requirements: Requirements) -> list[Version] | None:
    """Every version that a rule compares with, ascending; None where one compares otherwise."""
    found = {
        parse_os_version(minimum)
        for package in _packages(product)
        for minimum in package.targets.values()
    }
    for specifiers in _specifier_sets(requirements):
        for specifier in specifiers:
            if specifier.operator not in _COMPARISONS or specifier.version.endswith("*"):
                return None  # a prefix or compatible match: every version is a class of its own
            found.add(parse_os_version(specifier.version))
    return sorted(found)


def _specifier_sets(requirements: Requirements) -> Iterator[SpecifierSet]:
    rules = (requirements.flight, requirements.private_audience, requirements.rollout)
    for rule in rules:
        yield from filter(None, rule.floors.values())
    for devices in facts().architectures.values():
        for packages in devices.values():
            yield from filter(None, packages.values())


def _packages(product: Product) -> Iterator[Package]:
    yield from product.submission.packages
    rollouts = [product.submission.rollout]
    for flight in product.flights:
        yield from flight.packages
        rollouts.append(flight.rollout)
    for rollout in rollouts:
        if rollout is not None:
            yield from rollout.previous_packages

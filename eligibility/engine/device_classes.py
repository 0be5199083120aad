"""Which devices no rule of a product can tell apart, so that they need to be decided once only.

A rule sees of a device its family, its architecture, and how its OS version compares with the
versions that rules name: the floors, the packages' MinVersions, the bounds of what runs where. Two
versions between the same two neighbours among those are the same to every rule.
"""

from bisect import bisect_left

from packaging.version import Version

from eligibility.access.model import Device
from eligibility.catalog.model import Product
from eligibility.formats.lru_cache import LruCache
from eligibility.rules.compared_versions import points
from eligibility.rules.requirements import Requirements

MOST_DEVICES = 65_536


class DeviceClasses:
    """Numbers for the classes of devices that a product and the requirements tell apart."""

    __slots__ = ("_known", "_numbers", "_points", "lately")

    def __init__(self, product: Product, requirements: Requirements) -> None:
        self._points = points(product, requirements)
        self._numbers: dict[tuple[object, ...], int] = {}
        self._known: LruCache[Device, int] = LruCache(MOST_DEVICES)
        self.lately = self._known.recent.get
        """The number of a device met lately, or None; look here before `of`."""

    def of(self, device: Device) -> int:
        """The number of the device's class; equal for devices that no rule tells apart."""
        number = self._known.get(device)
        if number is None:
            facts_seen = (device.family, device.architecture, self._place(device.version))
            number = self._numbers.setdefault(facts_seen, len(self._numbers))
            self._known.put(device, number)
        return number

    def _place(self, version: Version) -> object:
        """Between which two named versions it lies, or which one it is."""
        if self._points is None:
            return version
        place = bisect_left(self._points, version)
        return place, place < len(self._points) and self._points[place] == version

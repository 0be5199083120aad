"""Classes of devices that get the same decision, so that each class is decided only once.

Rules use a device's family, its architecture, and how its OS version compares with the versions
in rules/compared_versions.py. OS versions between the same two of those are equivalent.
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
    """Numbers for the classes of devices that the rules of a product distinguish."""

    __slots__ = ("_known", "_numbers", "_points", "lately")

    def __init__(self, product: Product, requirements: Requirements) -> None:
        self._points = points(product, requirements)
        self._numbers: dict[tuple[object, ...], int] = {}
        self._known: LruCache[Device, int] = LruCache(MOST_DEVICES)
        self.lately = self._known.recent.get
        """Return the class of a recently seen device, or None. Faster than `of`; try it first."""

    def of(self, device: Device) -> int:
        """Number of the device's class. Devices that no rule distinguishes have the same number."""
        number = self._known.get(device)
        if number is None:
            facts_seen = (device.family, device.architecture, self._position(device.version))
            number = self._numbers.setdefault(facts_seen, len(self._numbers))
            self._known.put(device, number)
        return number

    def _position(self, version: Version) -> object:
        """Position among the compared versions, and whether the version equals one of them."""
        if self._points is None:
            return version
        position = bisect_left(self._points, version)
        return position, position < len(self._points) and self._points[position] == version

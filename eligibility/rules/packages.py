"""Which package of a list fits a device. Source of the rules: design sections 3.8 and 3.9, DFO, REQ."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.version import Version

from eligibility.access.model import Device, OfferedPackage, Reason
from eligibility.catalog.model import Package
from eligibility.windows.package_versions import parse_package_version
from eligibility.windows.versions import ARCHITECTURE_RANK, parse_os_version, runs_on

UNIVERSAL = "Windows.Universal"
XBOX = "Windows.Xbox"


@dataclass(frozen=True, slots=True)
class PackageSelection:
    """The best applicable package, or what stands in the way of every one of them."""

    offered: OfferedPackage | None
    blockers: tuple[Reason, ...] = ()
    minimum: Version | None = None  # lowest OS version that would unblock a package
    architectures: tuple[str, ...] = ()  # architectures that would unblock a package


def covers(families: Iterable[str], family: str) -> bool:
    """Whether a list of target families offers a device family: by name, or by Windows.Universal.

    Universal counts for every family but Xbox, which has to be named (UPL).
    """
    names = set(families)
    return family in names or (UNIVERSAL in names and family != XBOX)


def select(packages: tuple[Package, ...], device: Device) -> PackageSelection:
    """Highest version first, then arm64, x64, x86, arm, neutral; a bundle is its best applicable."""
    candidates = [
        (package, entry) for package in packages if (entry := minimum_for(package, device.family))
    ]
    if not candidates:
        return PackageSelection(None, (Reason.NO_PACKAGE_FOR_FAMILY,))
    fitting = [
        (package, architecture)
        for package, minimum in candidates
        if device.version >= minimum and (architecture := best_architecture(package, device))
    ]
    if not fitting:
        return _blocked(candidates, device)
    package, architecture = max(fitting, key=_preference)
    return PackageSelection(OfferedPackage(package.file_name, package.version, architecture))


def minimum_for(package: Package, family: str) -> Version | None:
    """MinVersion of the package for a family; None where it has no entry.

    The entry of the family itself wins over the Windows.Universal one: it is not "any match" (DFO).
    """
    entry = package.targets.get(family) or package.targets.get(UNIVERSAL)
    return None if entry is None else parse_os_version(entry)


def best_architecture(package: Package, device: Device) -> str | None:
    """The best of the package's architectures that runs on the device; untold = any runs."""
    return min(_running(package, device), key=ARCHITECTURE_RANK.__getitem__, default=None)


def _running(package: Package, device: Device) -> Iterator[str]:
    for architecture in package.architectures:
        if device.architecture is None or runs_on(
            architecture, device.architecture, device.family, device.version
        ):
            yield architecture


def _preference(fit: tuple[Package, str]) -> tuple[Version, int]:
    package, architecture = fit
    return parse_package_version(package.version), -ARCHITECTURE_RANK[architecture]


def _blocked(candidates: list[tuple[Package, Version]], device: Device) -> PackageSelection:
    """Name what blocks the packages that come nearest, those that lack one thing rather than two."""
    too_old = [minimum for package, minimum in candidates if best_architecture(package, device)]
    mismatched = [
        architecture
        for package, minimum in candidates
        if device.version >= minimum
        for architecture in package.architectures
    ]
    if not too_old and not mismatched:  # every package lacks both
        too_old = [minimum for _, minimum in candidates]
        mismatched = [
            architecture for package, _ in candidates for architecture in package.architectures
        ]
    blockers = []
    if too_old:
        blockers.append(Reason.OS_BELOW_PACKAGE_MINIMUM)
    if mismatched:
        blockers.append(Reason.ARCHITECTURE_MISMATCH)
    return PackageSelection(
        None,
        tuple(blockers),
        min(too_old, default=None),
        tuple(sorted(set(mismatched), key=ARCHITECTURE_RANK.__getitem__)),
    )

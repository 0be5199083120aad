"""Choice of the package for a device. Source of the rules: design sections 3.8, 3.9, DFO, REQ."""

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.version import Version

from eligibility.access.codes import Reason
from eligibility.access.model import Device, OfferedPackage
from eligibility.catalog.model import Package
from eligibility.windows.package_versions import parse_package_version
from eligibility.windows.versions import (
    ARCHITECTURE_RANK,
    UNIVERSAL,
    only_architecture,
    runs_on,
    version_of,
)


@dataclass(frozen=True, slots=True)
class PackageSelection:
    """The best applicable package, or the blockers of the packages that are closest to applicable."""

    offered: OfferedPackage | None
    blockers: tuple[Reason, ...] = ()
    minimum: Version | None = None  # lowest OS version with which a package would be applicable
    architectures: tuple[str, ...] = ()  # architectures for which a package exists


def select(packages: tuple[Package, ...], device: Device) -> PackageSelection:
    """Choose the highest version, then by architecture: arm64, x64, x86, arm, neutral."""
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
    """MinVersion for a family: its own entry, else that of Windows.Universal (DFO), else None."""
    entry = package.targets.get(family) or package.targets.get(UNIVERSAL)
    return None if entry is None else version_of(entry)


def best_architecture(package: Package, device: Device) -> str | None:
    """The package's best architecture for the device. If the device's is unknown, all run."""
    return min(_running(package, device), key=ARCHITECTURE_RANK.__getitem__, default=None)


def _running(package: Package, device: Device) -> Iterator[str]:
    processor = device.architecture or only_architecture(device.family)
    for architecture in package.architectures:
        if processor is None or runs_on(architecture, processor, device.family, device.version):
            yield architecture


def _preference(fit: tuple[Package, str]) -> tuple[Version, int]:
    package, architecture = fit
    return parse_package_version(package.version), -ARCHITECTURE_RANK[architecture]


def _blocked(candidates: list[tuple[Package, Version]], device: Device) -> PackageSelection:
    """List the blockers of packages with a single blocker, or of all if every package has two."""
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

"""OS versions that rules compare with: floors, MinVersions and bounds of architecture support."""

from collections.abc import Iterator

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from eligibility.catalog.model import Product
from eligibility.rules.requirements import Requirements
from eligibility.windows.releases import facts
from eligibility.windows.versions import WINDOWS_10, version_of

_COMPARISONS = frozenset({">=", ">", "<=", "<", "==", "!="})


def points(product: Product, requirements: Requirements) -> list[Version] | None:
    """List the compared versions, ascending. None if a rule uses a prefix or compatible match."""
    versions = {
        version_of(minimum)
        for source in product.sources()
        for _, packages in source.package_lists()
        for package in packages
        for minimum in package.targets.values()
    }
    versions.add(
        WINDOWS_10
    )  # the answer can change here: before Windows 10 no promotional code counts
    for specifiers in _specifier_sets(requirements):
        for specifier in specifiers:
            if specifier.operator not in _COMPARISONS or specifier.version.endswith("*"):
                return None  # a prefix or compatible match has no single compared version
            versions.add(version_of(specifier.version))
    return sorted(versions)


def _specifier_sets(requirements: Requirements) -> Iterator[SpecifierSet]:
    rules = (requirements.flight, requirements.private_audience, requirements.rollout)
    for rule in rules:
        yield from filter(None, rule.floors.values())
    for devices in facts().architectures.values():
        for packages in devices.values():
            yield from filter(None, packages.values())

"""Read device families, architectures, and OS versions in every form that people write.

Results are cached, because requests repeat the same few thousand texts. Versions are compared as
numbers (by `packaging`), never by release name.
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from packaging.version import Version

from eligibility.errors import Fault, InvalidInput
from eligibility.windows.releases import Release, facts

UNIVERSAL, XBOX = "Windows.Universal", "Windows.Xbox"
ARCHITECTURE_RANK = {"arm64": 0, "x64": 1, "x86": 2, "arm": 3, "neutral": 4}
"""Of several packages with the same version, the lowest rank is best (REQ; arm64: our choice)."""

_ALIASES = {
    "amd64": "x64",
    "x86_64": "x64",
    "aarch64": "arm64",
    "i386": "x86",
    "win32": "x86",
    "arm32": "arm",
}
WINDOWS_10 = Version("10.0")
_CACHED = 65_536
_LARGEST_PART = 65_535
_LARGEST_FAMILY_VERSION = 2**64 - 1
_OLDEST_BUILD = 10_240
_WINDOWS = {(10, 0), (6, 0), (6, 1), (6, 2), (6, 3)}
"""The first two numbers of Windows 10 and 11, and of Windows Vista to 8.1, which meet no floor."""
_FORMS = (
    "write 10.0.19045.3803, a build from 10240 (19045 or 19045.3803), a release (Windows 10 1607,"
    " 24H2) or the decimal DeviceFamilyVersion"
)
_UNKNOWN_FAMILY = re.compile(r"windows\.[a-z0-9]{1,60}", re.IGNORECASE)
_DOTTED = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){1,3}")
_DIGITS = re.compile(r"[0-9]+")


@lru_cache(maxsize=_CACHED)
def parse_family(text: str) -> str:
    """Read the family of a device: `Windows.Desktop` in any case, or a name such as `Xbox One`.

    An unknown `windows.SOMETHING` becomes `Windows.Something`, a family that no rule supports.
    Raises: InvalidInput with loc `family`; also for Windows.Universal, which no device has (DFO).
    """
    family = _family(text)
    if family == UNIVERSAL:
        raise _unreadable("family", text, "a target of packages, not the family of a device")
    return family


@lru_cache(maxsize=_CACHED)
def parse_target_family(text: str) -> str:
    """Read the family that a package targets. Unlike parse_family, allow Windows.Universal."""
    return _family(text)


def covers(families: Iterable[str], family: str) -> bool:
    """Check for a family, by name or by Windows.Universal, which does not include Xbox (UPL)."""
    names = set(families)
    return family in names or (UNIVERSAL in names and family != XBOX)


def is_known_family(family: str) -> bool:
    """Return whether releases.toml contains a canonical family name. Rules may use only those."""
    return facts().families.get(family.lower()) == family


def _family(text: str) -> str:
    name = text.strip()
    lowered = name.lower() if name.isascii() else ""
    known = facts().families.get(lowered)
    if known is not None:
        return known
    if lowered == UNIVERSAL.lower():
        return UNIVERSAL
    if _UNKNOWN_FAMILY.fullmatch(lowered):
        return f"Windows.{lowered.removeprefix('windows.').capitalize()}"
    known_names = ", ".join(dict.fromkeys(facts().families.values()))
    raise _unreadable("family", text, f"not a device family: write one of {known_names}")


@lru_cache(maxsize=_CACHED)
def parse_os_version(text: str) -> Version:
    """Read the OS version of a device as four numbers; a missing revision is 0.

    Forms: `10.0.19045.3803`, `10.0.19045`; a build with or without its revision (`19045.3803`,
    `19045`); a release (`1607`, `Windows 11 24H2`, `24H2`); the 64-bit decimal DeviceFamilyVersion;
    `6.3.9600` of Windows 8.1 and earlier ones. A number such as `1607` is a release, because no
    build of Windows 10 or 11 is below 10240.
    Raises: InvalidInput with loc `os_version`; also for a name that Windows 10 and 11 share.
    """
    version = parse_target_version(text)
    if version.release[:3] == (10, 0, 0):
        raise _unreadable("os_version", text, f"an OS version without its build: {_FORMS}")
    return version


@lru_cache(maxsize=_CACHED)
def version_of(canonical: str) -> Version:
    """Convert the canonical text of an OS version, which was checked before, to a Version."""
    return Version(canonical)


@lru_cache(maxsize=_CACHED)
def parse_target_version(text: str) -> Version:
    """Read the MinVersion of a package, or the bound of a floor.

    Like parse_os_version, but `10.0.0.0` is right: it means every version of Windows 10 and 11.
    """
    name = text.strip()
    if not name.isascii():
        raise _bad_version(text)
    if _DOTTED.fullmatch(name):
        return _from_parts(text, *map(int, name.split(".")))
    named = _release_names().get(" ".join(name.lower().split()), ())
    if len(named) > 1:
        both = " or ".join(release.name for release in named)
        raise _unreadable("os_version", text, f"ambiguous: write {both}", "AMBIGUOUS_OS_VERSION")
    if named:
        return named[0].version
    if _DIGITS.fullmatch(name) and len(name) <= 20:
        return _from_number(text, int(name))
    raise _bad_version(text)


def check_version_prefix(text: str) -> None:
    """Check that some version of Windows begins with these numbers. Raises: InvalidInput."""
    numbers = text.split(".")
    if not any(numbers[:2] == [*map(str, known)][: len(numbers)] for known in _WINDOWS):
        raise _bad_version(text)


def version_text(version: Version) -> str:
    """Convert an OS version to canonical form: four numbers with dots."""
    return ".".join(map(str, (*version.release, 0, 0, 0)[:4]))


def canonical_target_version(text: str) -> str:
    """Convert any form of a MinVersion to canonical form. Raises: as `parse_target_version`."""
    return version_text(parse_target_version(text))


def canonical_os_version(text: str) -> str:
    """Convert any form of an OS version to canonical form. Raises: as `parse_os_version`."""
    return version_text(parse_os_version(text))


def releases() -> tuple[Release, ...]:
    """List all known releases, sorted by build."""
    return facts().releases


def release_name(version: Version) -> str | None:
    """Return the name of the release with this version's build; None if there is none."""
    if version.release[:2] != (10, 0):
        return None
    build = (*version.release, 0)[2]
    return next((release.name for release in releases() if release.build == build), None)


@cache
def _release_names() -> dict[str, tuple[Release, ...]]:
    """Map names in lower case, full (`windows 10 21h2`) and short (`21h2`), to their releases."""
    names: dict[str, tuple[Release, ...]] = {}
    for release in releases():
        short = release.name.rpartition(" ")[2]
        for name in (release.name, short):
            names[name.lower()] = (*names.get(name.lower(), ()), release)
    return names


def _from_parts(text: str, *parts: int) -> Version:
    if max(parts) > _LARGEST_PART:
        raise _unreadable("os_version", text, "not an OS version: each part must be 0 to 65535")
    if len(parts) == 2 and parts[0] >= _OLDEST_BUILD:  # as Windows shows it: OS build 19045.3803
        parts = (10, 0, *parts)
    if parts[:2] not in _WINDOWS:
        raise _bad_version(text)
    return Version(".".join(map(str, (*parts, 0, 0)[:4])))


def _from_number(text: str, number: int) -> Version:
    """Read a build or a DeviceFamilyVersion. Their ranges do not overlap, so a number is clear."""
    if _OLDEST_BUILD <= number <= _LARGEST_PART:
        return Version(f"10.0.{number}.0")
    if 1 << 48 <= number <= _LARGEST_FAMILY_VERSION:
        return _from_parts(text, *(number >> shift & 0xFFFF for shift in (48, 32, 16, 0)))
    raise _bad_version(text)


def _bad_version(text: str) -> InvalidInput:
    return _unreadable("os_version", text, f"not a version of Windows: {_FORMS}")


@lru_cache(maxsize=_CACHED)
def parse_architecture(text: str) -> str:
    """Read the architecture of a package: arm64, x64, x86, arm or neutral, in any case."""
    lowered = text.strip().lower()
    architecture = _ALIASES.get(lowered, lowered)
    if architecture in ARCHITECTURE_RANK:
        return architecture
    raise _unreadable(
        "architecture", text, f"not an architecture: write {', '.join(ARCHITECTURE_RANK)}"
    )


@lru_cache(maxsize=_CACHED)
def parse_device_architecture(text: str) -> str:
    """Read the architecture of a device. Like parse_architecture, but `neutral` is refused."""
    architecture = parse_architecture(text)
    if architecture == "neutral":
        right = "an architecture of packages, not of a device: write arm64, x64, x86 or arm"
        raise _unreadable("architecture", text, right)
    return architecture


def only_architecture(family: str) -> str | None:
    """Return the architecture of all devices of a family, such as x64 of Xbox; None if several."""
    architectures = facts().architectures.get(family, {})
    return next(iter(architectures)) if len(architectures) == 1 else None


def runs_on(
    package_architecture: str, device_architecture: str, family: str, version: Version
) -> bool:
    """Return whether a package runs on a device, as releases.toml says (sources: ARCH, UPL)."""
    if package_architecture == "neutral":
        return True
    runs = facts().architectures.get(family, {}).get(device_architecture)
    if runs is None:
        # releases.toml lacks this family or device. It surely runs only its own architecture.
        return package_architecture == device_architecture
    if package_architecture not in runs:
        return False
    versions = runs[package_architecture]
    return versions is None or versions.contains(version)


def _unreadable(loc: str, text: str, right: str, code: str = "") -> InvalidInput:
    shown = text[:60].encode("utf-8", "backslashreplace").decode()
    return InvalidInput([Fault(loc, code or f"UNREADABLE_{loc.upper()}", f"`{shown}` is {right}")])

"""Windows facts: device families, OS versions in every form people write, releases, architectures.

Everything that comes as text is read here, once: results are cached, for the same few thousand
values come again and again. `packaging` does the comparing, always on builds, never on names.
"""

import re
from functools import cache, lru_cache

from packaging.version import Version

from eligibility.errors import Fault, InvalidInput
from eligibility.windows.releases import Release, facts

UNIVERSAL = "Windows.Universal"
ARCHITECTURE_RANK = {"arm64": 0, "x64": 1, "x86": 2, "arm": 3, "neutral": 4}
"""Best first, among packages of one version (REQ; Arm64's place is ours)."""

_ALIASES = {
    "amd64": "x64",
    "x86_64": "x64",
    "aarch64": "arm64",
    "i386": "x86",
    "win32": "x86",
    "arm32": "arm",
}
_CACHED = 65_536
_LARGEST_PART = 65_535
_LARGEST_FAMILY_VERSION = 2**64 - 1
_OLDEST_BUILD = 10_240
_UNKNOWN_FAMILY = re.compile(r"windows\.[a-z0-9]{1,60}", re.IGNORECASE)
_DOTTED = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){1,3}")
_DIGITS = re.compile(r"[0-9]+")


# --- device families ----------------------------------------------------------------------------


@lru_cache(maxsize=_CACHED)
def parse_family(text: str) -> str:
    """Read a device's family: `Windows.Desktop`, in any case, or a short name such as `Xbox One`.

    An unknown `Windows.Something` is a device that no rule supports; its name is made canonical as
    `Windows.` and the rest in lower case but for its first letter.
    Raises: InvalidInput, loc `family`; also for Windows.Universal, which is never a device (DFO).
    """
    family = _family(text)
    if family == UNIVERSAL:
        raise _unreadable(
            "family", "UNREADABLE_FAMILY", text, "a target of packages, never a device"
        )
    return family


@lru_cache(maxsize=_CACHED)
def parse_target_family(text: str) -> str:
    """Read the family that a package targets: as parse_family, Windows.Universal included."""
    return _family(text)


def is_known_family(family: str) -> bool:
    """Whether a canonical family is one that rules may name."""
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
    raise _unreadable("family", "UNREADABLE_FAMILY", text, f"not a device family: {known_names}")


# --- versions and releases ----------------------------------------------------------------------


@lru_cache(maxsize=_CACHED)
def parse_os_version(text: str) -> Version:
    """Read an OS version; four parts, missing ones 0.

    Forms: `10.0.19045.3803` and shorter; a build (`19045`); a release (`1607`, `Windows 11 24H2`,
    `24H2`); the 64-bit decimal DeviceFamilyVersion. A number that is the name of a release is read
    as that release, for no build of Windows 10 or 11 is below 10240.
    Raises: InvalidInput, loc `os_version`; for a release name that Windows 10 and 11 share, with
    both of them.
    """
    name = text.strip()
    if not name.isascii():
        raise _bad_version(text)
    if _DOTTED.fullmatch(name):
        return _from_parts(text, [int(part) for part in name.split(".")])
    found = _release_names().get(" ".join(name.lower().split()), ())
    if len(found) > 1:
        both = " or ".join(release.name for release in found)
        raise _unreadable("os_version", "AMBIGUOUS_OS_VERSION", text, f"ambiguous: write {both}")
    if found:
        return found[0].version
    if _DIGITS.fullmatch(name) and len(name) <= 20:
        return _from_number(text, int(name))
    raise _bad_version(text)


def version_text(version: Version) -> str:
    """The canonical text of an OS version: four parts."""
    return ".".join(map(str, (*version.release, 0, 0, 0)[:4]))


def to_device_family_version(version: Version) -> str:
    """The 64-bit decimal form: four 16-bit parts, the first the highest."""
    major, minor, build, revision = (*version.release, 0, 0, 0)[:4]
    return str(major << 48 | minor << 32 | build << 16 | revision)


def releases() -> tuple[Release, ...]:
    """Every known release, by build ascending."""
    return facts().releases


def release_name(version: Version) -> str | None:
    """The release that a version is a build of; None for a build that no release has."""
    if version.release[:2] != (10, 0):
        return None
    release = release_for_build((*version.release, 0)[2])
    return release.name if release else None


def release_for_build(build: int) -> Release | None:
    """The release of exactly that build."""
    return next((release for release in releases() if release.build == build), None)


@cache
def _release_names() -> dict[str, tuple[Release, ...]]:
    """Names in lower case, with and without `Windows 10`, and the releases they may mean."""
    names: dict[str, tuple[Release, ...]] = {}
    for release in releases():
        short = release.name.rpartition(" ")[2]
        for name in (release.name, short):
            names[name.lower()] = (*names.get(name.lower(), ()), release)
    return names


def _from_parts(text: str, parts: list[int]) -> Version:
    if max(parts) > _LARGEST_PART:
        raise _unreadable("os_version", "UNREADABLE_OS_VERSION", text, "each part is 0 to 65535")
    return Version(".".join(map(str, (*parts, 0, 0)[:4])))


def _from_number(text: str, number: int) -> Version:
    """A build, or a DeviceFamilyVersion: nothing lies between the two."""
    if _OLDEST_BUILD <= number <= _LARGEST_PART:
        return Version(f"10.0.{number}.0")
    if 1 << 48 <= number <= _LARGEST_FAMILY_VERSION:
        return Version(".".join(str(number >> shift & 0xFFFF) for shift in (48, 32, 16, 0)))
    raise _bad_version(text)


def _bad_version(text: str) -> InvalidInput:
    right = (
        "not an OS version: write 10.0.19045.3803, a build from 10240 (19045), a release"
        " (Windows 10 1607, 24H2) or the decimal DeviceFamilyVersion"
    )
    return _unreadable("os_version", "UNREADABLE_OS_VERSION", text, right)


# --- architectures ------------------------------------------------------------------------------


@lru_cache(maxsize=_CACHED)
def parse_architecture(text: str) -> str:
    """Read the architecture of a package: arm64, x64, x86, arm or neutral, in any case."""
    lowered = text.strip().lower()
    architecture = _ALIASES.get(lowered, lowered)
    if architecture in ARCHITECTURE_RANK:
        return architecture
    right = "not an architecture: " + ", ".join(ARCHITECTURE_RANK)
    raise _unreadable("architecture", "UNREADABLE_ARCHITECTURE", text, right)


@lru_cache(maxsize=_CACHED)
def parse_device_architecture(text: str) -> str:
    """Read the architecture of a device: as of a package, but never neutral."""
    architecture = parse_architecture(text)
    if architecture == "neutral":
        right = "an architecture of packages, not of a device: arm64, x64, x86, arm"
        raise _unreadable("architecture", "UNREADABLE_ARCHITECTURE", text, right)
    return architecture


def runs_on(
    package_architecture: str, device_architecture: str, family: str, version: Version
) -> bool:
    """Whether a package of that architecture runs on such a device (ARCH, UPL; releases.toml)."""
    if package_architecture == "neutral":
        return True
    runs = facts().architectures.get(family, {}).get(device_architecture)
    if runs is None:
        # A family whose table names devices, but not this one, has no such device to run anything
        # else; an undocumented family depends on the device. Either way: its own architecture.
        return package_architecture == device_architecture
    if package_architecture not in runs:
        return False
    versions = runs[package_architecture]
    return versions is None or versions.contains(version)


def _unreadable(loc: str, code: str, text: str, right: str) -> InvalidInput:
    shown = text[:60].encode("utf-8", "backslashreplace").decode()
    return InvalidInput([Fault(loc, code, f"`{shown}` is {right}")])

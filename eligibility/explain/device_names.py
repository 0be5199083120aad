"""Readable names for devices, ranges of devices and versions of Windows."""

from collections.abc import Sequence

from eligibility.access.model import Device
from eligibility.windows.versions import release_name, version_of

_FAMILIES = {
    "Windows.Desktop": ("a PC", "PCs"),
    "Windows.Xbox": ("an Xbox console", "Xbox consoles"),
    "Windows.Mobile": ("a phone", "phones"),
    "Windows.Holographic": ("a HoloLens", "HoloLens"),
    "Windows.Team": ("a Surface Hub", "Surface Hubs"),
    "Windows.IoT": ("an IoT device", "IoT devices"),
    "Windows.Universal": ("any device but an Xbox", "all kinds of devices but Xbox consoles"),
}


def family_text(family: str) -> str:
    """Return the plural name of a device family: `PCs` for `Windows.Desktop`."""
    return _FAMILIES[family][1] if family in _FAMILIES else f"{family} devices"


def a_kind(family: str) -> str:
    """Return the singular name of a device family: `a PC` for `Windows.Desktop`."""
    return _FAMILIES[family][0] if family in _FAMILIES else f"a {family} device"


def a_device(device: Device) -> str:
    """Describe a device: `a PC with Windows 11 24H2, x64`."""
    release = release_name(device.version) or f"Windows {device.os_version}"
    return f"{a_kind(device.family)} with {release}" + (
        f", {device.architecture}" if device.architecture else ""
    )


def device_name(device: Device, release: str = "") -> str:
    """Name a device: `Windows 11 24H2, x64`, `Xbox 10 1809`. release: its release, if known."""
    release = release or release_name(device.version) or f"Windows {device.os_version}"
    family = device.family.removeprefix("Windows.")
    name = release if family == "Desktop" else release.replace("Windows", family)
    return f"{name}, {device.architecture}" if device.architecture else name


def release_text(os_version: str) -> str:
    """Name a version: `Windows 10 1809 (10.0.17763.0)`, or `Windows 10.0.17700.0` if unknown."""
    name = release_name(version_of(os_version))
    return f"{name} ({os_version})" if name else f"Windows {os_version}"


def run_name(names: Sequence[str]) -> str:
    """Name a range of devices by the first and the last: `Windows 10 1809 to 11 26H1, x64`.

    A common beginning and a common text after the first comma (the architecture) appear only once.
    Args: names = the names of the devices in order, at least one.
    """
    first, last = names[0], names[-1]
    (start, _, ending), (end, _, other_ending) = first.partition(", "), last.partition(", ")
    if first == last:
        return first
    if ending != other_ending:
        return f"{first} to {last}"
    return ", ".join(filter(None, (f"{start} to {differing_words(start, end)}", ending)))


def differing_words(start: str, end: str) -> str:
    """Drop the first words of `end` that `start` has, too: `Windows 11 26H1` becomes `11 26H1`."""
    words, others = end.split(), start.split()
    while words and others and words[0] == others[0]:
        words, others = words[1:], others[1:]
    return " ".join(words) or end

"""The names that people use for devices, runs of devices and versions of Windows."""

from collections.abc import Sequence

from eligibility.access.model import Device
from eligibility.windows.versions import parse_os_version, release_name

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
    """Return the plural for a family: `PCs`."""
    return _FAMILIES[family][1] if family in _FAMILIES else f"{family} devices"


def a_kind(family: str) -> str:
    """Return the singular for a family: `a PC`."""
    return _FAMILIES[family][0] if family in _FAMILIES else f"a {family} device"


def a_device(device: Device) -> str:
    """Describe a device: `a PC with Windows 11 24H2, x64`."""
    release = release_name(device.version) or f"Windows {device.os_version}"
    return f"{a_kind(device.family)} with {release}" + (
        f", {device.architecture}" if device.architecture else ""
    )


def device_name(device: Device, release: str = "") -> str:
    """Name a device in short: `Windows 11 24H2, x64`, or `Xbox 10 1809` if it is no desktop.

    Args: release = the name of its release, if it is known already.
    """
    release = release or release_name(device.version) or f"Windows {device.os_version}"
    family = device.family.removeprefix("Windows.")
    name = release if family == "Desktop" else release.replace("Windows", family)
    return f"{name}, {device.architecture}" if device.architecture else name


def release_text(os_version: str) -> str:
    """Name a version: `Windows 10 1809 (10.0.17763.0)`, or `Windows 10.0.17700.0` if it is of no release."""
    name = release_name(parse_os_version(os_version))
    return f"{name} ({os_version})" if name else f"Windows {os_version}"


def run_name(names: Sequence[str]) -> str:
    """Name a run of devices by its first and last one: `Windows 10 1809 to 11 26H1, x64`.

    Args: names = of the devices in order, at least one. What stands behind the first comma, as the
    architecture does, and the words that both names begin with are said once.
    """
    first, last = names[0], names[-1]
    (start, _, ending), (end, _, other_ending) = first.partition(", "), last.partition(", ")
    if first == last:
        return first
    if ending != other_ending:
        return f"{first} to {last}"
    return ", ".join(filter(None, (f"{start} to {differing_words(start, end)}", ending)))


def differing_words(start: str, end: str) -> str:
    """Return the words of `end` from the first that differs: `11 26H1` after `Windows 10 1809`."""
    words, others = end.split(), start.split()
    while words and others and words[0] == others[0]:
        words, others = words[1:], others[1:]
    return " ".join(words) or end

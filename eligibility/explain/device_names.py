"""What people call devices and versions of Windows, where somebody reads it out."""

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
    """The devices of a family: `PCs`."""
    return _FAMILIES[family][1] if family in _FAMILIES else f"{family} devices"


def a_kind(family: str) -> str:
    """One device of a family: `a PC`."""
    return _FAMILIES[family][0] if family in _FAMILIES else f"a {family} device"


def a_device(device: Device) -> str:
    """A device: `a PC with Windows 11 24H2, x64`."""
    release = release_name(device.version) or f"Windows {device.os_version}"
    return f"{a_kind(device.family)} with {release}" + (
        f", {device.architecture}" if device.architecture else ""
    )


def release_text(os_version: str) -> str:
    """A version: `Windows 10 1809 (10.0.17763.0)`, or without a name where it is of no release."""
    name = release_name(parse_os_version(os_version))
    return f"{name} ({os_version})" if name else f"Windows {os_version}"

"""config/releases.toml, read once: families, releases, and which packages run where."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from eligibility.errors import Fault, InvalidSettings
from eligibility.resources import config_dir


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Windows: its name (`Windows 11 24H2`), its build and its first version."""

    name: str
    build: int
    version: Version


@dataclass(frozen=True, slots=True)
class Preset:
    """Devices to simulate: of these families, every release within builds (None = any)."""

    families: tuple[str, ...]
    builds: SpecifierSet | None


@dataclass(frozen=True, slots=True)
class WindowsFacts:
    """What the file says.

    families: any accepted name in lower case -> canonical family. releases: by build, ascending.
    architectures: family -> device architecture -> package architecture -> versions (None = any).
    devices: family -> device architecture -> the builds there are. presets: by name.
    """

    families: Mapping[str, str]
    releases: tuple[Release, ...]
    architectures: Mapping[str, Mapping[str, Mapping[str, SpecifierSet | None]]]
    devices: Mapping[str, Mapping[str, SpecifierSet]]
    presets: Mapping[str, Preset]


@cache
def facts() -> WindowsFacts:
    """The facts. Raises InvalidSettings naming the file when it is missing or broken."""
    path = config_dir() / "releases.toml"
    try:
        read = tomllib.loads(path.read_text("utf-8"))
        return WindowsFacts(
            _families(read["families"]),
            _releases(read["releases"]),
            _architectures(read),
            _devices(read["devices"]),
            {name: _preset(one, read["devices"]) for name, one in read["presets"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fault = Fault("", "UNREADABLE", f"{type(error).__name__}: {error}")
        raise InvalidSettings(str(path), [fault]) from None


def _families(read: Mapping[str, Any]) -> dict[str, str]:
    names = {family.lower(): family for family in read}
    return names | {name.lower(): family for family, more in read.items() for name in more["names"]}


def _releases(read: Mapping[str, int]) -> tuple[Release, ...]:
    made = [Release(name, build, Version(f"10.0.{build}.0")) for name, build in read.items()]
    return tuple(sorted(made, key=lambda release: release.build))


def _architectures(
    read: Mapping[str, Any],
) -> dict[str, dict[str, dict[str, SpecifierSet | None]]]:
    return {
        family: {
            device: {
                package: None if versions == "any" else SpecifierSet(versions)
                for package, versions in packages.items()
            }
            for device, packages in devices.items()
        }
        for family, devices in read["architectures"].items()
    }


def _devices(read: Mapping[str, Any]) -> dict[str, dict[str, SpecifierSet]]:
    return {
        family: {architecture: SpecifierSet(builds) for architecture, builds in one.items()}
        for family, one in read.items()
    }


def _preset(read: Mapping[str, Any], devices: Mapping[str, Any]) -> Preset:
    """A preset. Raises KeyError for a family that has no devices."""
    families = tuple(read["families"])
    for family in families:
        devices[family]
    return Preset(families, SpecifierSet(read["builds"]) if "builds" in read else None)

"""Read config/releases.toml: device families, Windows releases, and which packages run where."""

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
    """A release of Windows: name (`Windows 11 24H2`), build and lowest version of that build."""

    name: str
    build: int
    version: Version


@dataclass(frozen=True, slots=True)
class Preset:
    """Devices to simulate: `families` on every release whose build is in `builds` (None = all)."""

    families: tuple[str, ...]
    builds: SpecifierSet | None


@dataclass(frozen=True, slots=True)
class WindowsFacts:
    """The contents of releases.toml.

    families: any accepted name in lower case -> canonical family. releases: sorted by build.
    architectures: family -> device architecture -> package architecture that runs there -> OS
        versions on which it runs (None = all).
    devices: family -> device architecture -> builds released for it. presets: name -> preset.
    """

    families: Mapping[str, str]
    releases: tuple[Release, ...]
    architectures: Mapping[str, Mapping[str, Mapping[str, SpecifierSet | None]]]
    devices: Mapping[str, Mapping[str, SpecifierSet]]
    presets: Mapping[str, Preset]


@cache
def facts() -> WindowsFacts:
    """Read the file once and cache it. Raises: InvalidSettings if it is missing or invalid."""
    path = config_dir() / "releases.toml"
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
        devices = tables["devices"]
        return WindowsFacts(
            _families(tables["families"]),
            _releases(tables["releases"]),
            _architectures(tables["architectures"]),
            _devices(devices),
            {name: _preset(preset, devices) for name, preset in tables["presets"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fault = Fault("", "UNREADABLE", f"{type(error).__name__}: {error}")
        raise InvalidSettings(str(path), [fault]) from None


def _families(table: Mapping[str, Any]) -> dict[str, str]:
    names = {family.lower(): family for family in table}
    return names | {n.lower(): family for family, more in table.items() for n in more["names"]}


def _releases(table: Mapping[str, int]) -> tuple[Release, ...]:
    releases = [Release(name, build, Version(f"10.0.{build}.0")) for name, build in table.items()]
    return tuple(sorted(releases, key=lambda release: release.build))


def _architectures(
    table: Mapping[str, Any],
) -> dict[str, dict[str, dict[str, SpecifierSet | None]]]:
    return {
        family: {
            device: {
                package: None if versions == "any" else SpecifierSet(versions)
                for package, versions in packages.items()
            }
            for device, packages in devices.items()
        }
        for family, devices in table.items()
    }


def _devices(table: Mapping[str, Any]) -> dict[str, dict[str, SpecifierSet]]:
    return {
        family: {name: SpecifierSet(builds) for name, builds in architectures.items()}
        for family, architectures in table.items()
    }


def _preset(table: Mapping[str, Any], devices: Mapping[str, Any]) -> Preset:
    """Read a preset. Raises: KeyError for a family without an entry in `devices`."""
    families = tuple(table["families"])
    for family in families:
        devices[family]
    return Preset(families, SpecifierSet(table["builds"]) if "builds" in table else None)

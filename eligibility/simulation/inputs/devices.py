"""Read devices to simulate: presets of releases, CSV files, `family/os_version`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from eligibility.access.model import Device
from eligibility.errors import Fault, Faults, InvalidInput
from eligibility.explain.device_names import device_name
from eligibility.formats.csv_table import Cells, read_table
from eligibility.formats.suggestions import meant
from eligibility.windows.releases import facts
from eligibility.windows.versions import releases, version_text

COLUMNS = ("name", "family", "os_version", "architecture")


@dataclass(frozen=True, slots=True)
class NamedDevice:
    """A device, and its name in reports."""

    name: str
    device: Device


def runs(devices: Sequence[NamedDevice], outcomes_on: Callable[[int], object]) -> list[list[int]]:
    """Group neighbouring devices of equal family, architecture and outcomes, as indices."""

    def key(index: int) -> object:
        device = devices[index].device
        return device.family, device.architecture, outcomes_on(index)

    return [list(run) for _, run in groupby(range(len(devices)), key)]


def read_devices(text: str, loc: str = "--devices") -> tuple[NamedDevice, ...]:
    """Read presets (config/releases.toml), CSV files and devices, separated by commas.

    A device is `family/os_version` or `family/os_version/architecture`, such as `Xbox/1809`.
    Raises: InvalidInput with every part that is unknown or cannot be read.
    """
    listed: list[NamedDevice] = []
    faults = Faults()
    for part in filter(None, map(str.strip, text.split(","))):
        with faults.collect():
            listed += _part(part, loc)
    if not listed and not faults:
        faults.append(
            Fault(loc, "NO_DEVICES", f"`{text}` names no device; presets are {preset_names()}")
        )
    distinct = tuple({named.device: named for named in listed}.values())
    faults += _named_twice(distinct, loc)
    if faults:
        raise InvalidInput(faults, "the devices")
    return distinct


def _named_twice(devices: Iterable[NamedDevice], loc: str) -> Iterator[Fault]:
    """List a fault for each name that several devices share, which reports could not distinguish."""
    for name, number in Counter(named.name for named in devices).items():
        if number > 1:
            detail = f"{number} different devices are named `{name}`"
            yield Fault(loc, "DUPLICATE_DEVICE_NAME", detail)


def _part(part: str, loc: str) -> Iterable[NamedDevice]:
    if part in facts().presets:
        return preset(part)
    path = Path(part)
    if path.is_file():
        return read_file(path)
    if 1 <= part.count("/") <= 2 and path.suffix != ".csv":
        return (written_out(part, loc),)
    detail = (
        f"`{part}` is neither a preset, a CSV file nor a device{meant(part, facts().presets)};"
        f" presets are {preset_names()}; a device is `family/os_version/architecture`"
    )
    raise InvalidInput([Fault(loc, "UNKNOWN_DEVICES", detail)])


def preset_names() -> str:
    """Return the names of all presets, separated by commas."""
    return ", ".join(facts().presets)


def preset(name: str) -> Iterator[NamedDevice]:
    """List the devices of a preset, by family, architecture and build. Raises: KeyError."""
    chosen = facts().presets[name]
    for family in chosen.families:
        for architecture, builds in facts().devices[family].items():
            for release in releases():
                within = chosen.builds is None or chosen.builds.contains(release.version)
                if within and builds.contains(release.version):
                    device = Device.parse(family, version_text(release.version), architecture)
                    yield NamedDevice(device_name(device, release.name), device)


def written_out(text: str, loc: str) -> NamedDevice:
    """Read `family/os_version` or `family/os_version/architecture`. Raises: InvalidInput."""
    family, version, architecture = (*text.split("/"), "")[:3]
    try:
        return NamedDevice(text, Device.parse(family, version, architecture or None))
    except InvalidInput as error:
        raise InvalidInput(
            [Fault(loc, f.code, f"`{text}`: {f.detail}") for f in error.faults]
        ) from None


def read_file(path: Path) -> list[NamedDevice]:
    """Read a CSV file of COLUMNS; family and os_version are required. Raises: InvalidInput."""

    def read(cells: Cells) -> NamedDevice:
        return named_device(**{name: cells.get(name) or None for name in COLUMNS})

    return read_table(path, COLUMNS, required=("family", "os_version"), read=read)


def named_device(
    name: str | None, family: str | None, os_version: str | None, architecture: str | None
) -> NamedDevice:
    """Read a device. Its default name is `family/os_version/architecture`. Raises: InvalidInput."""
    device = Device.parse(family or "", os_version or "", architecture)
    return NamedDevice(name or "/".join(filter(None, (family, os_version, architecture))), device)

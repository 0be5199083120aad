"""Columns of a grid: each covers neighbouring devices on which every account gets the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eligibility.explain.device_names import device_name, differing_words, run_name
from eligibility.simulation.inputs.devices import NamedDevice, runs
from eligibility.windows.versions import release_name


@dataclass(frozen=True, slots=True)
class Column:
    """Devices of one family and architecture. first: index of the first device.

    name: such as `Windows 10 1507 to 1607, x64`. head: lines for a narrow column: family,
    architecture, first and last release.
    """

    devices: tuple[NamedDevice, ...]
    first: int
    name: str
    head: tuple[str, ...]


def columns(
    devices: Sequence[NamedDevice], outcomes_on: Callable[[int], object]
) -> tuple[Column, ...]:
    """Build the columns. Args: outcomes_on = returns what all accounts get on a device by index."""
    return tuple(_column(devices, run) for run in runs(devices, outcomes_on))


def _column(devices: Sequence[NamedDevice], run: Sequence[int]) -> Column:
    covered = tuple(devices[index] for index in run)
    first_device = covered[0].device
    top = (first_device.family.removeprefix("Windows."), first_device.architecture or "any CPU")
    first, last = covered[0], covered[-1]
    if not _rising_releases(covered):
        more = f"+ {len(covered) - 1} more" if len(covered) > 1 else ""
        name = f"{first.name} {more}".rstrip()
        return Column(covered, run[0], name, (*top, *filter(None, (first.name, more))))
    start, end = _release(first), _release(last)
    span = (start,) if first is last else (start, f"\N{EN DASH} {differing_words(start, end)}")
    name = run_name([device.name for device in covered])
    return Column(covered, run[0], name, (*top, *span))


def _rising_releases(covered: Sequence[NamedDevice]) -> bool:
    """Return whether all devices are named after releases, in rising order."""
    versions = [named.device.version for named in covered]
    return all(map(_is_release, covered)) and versions == sorted(versions)


def _is_release(named: NamedDevice) -> bool:
    release = release_name(named.device.version)
    return release is not None and named.name == device_name(named.device, release)


def _release(named: NamedDevice) -> str:
    """Return the release without `Windows`, such as `10 1507`."""
    return (release_name(named.device.version) or "").removeprefix("Windows ")

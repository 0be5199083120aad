"""Columns of a grid: neighbouring devices that answer alike for every account, as one range."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby

from eligibility.explain.device_names import differing_words, run_name
from eligibility.simulation.inputs.devices import NamedDevice, device_name
from eligibility.windows.versions import release_name


@dataclass(frozen=True, slots=True)
class Column:
    """Neighbouring devices of one family and architecture. first: the place of the first of them.

    name: in one line, `Windows 10 1507 to 1607, x64`. head: the same in short lines, for a narrow
    column: family, architecture, from, to.
    """

    devices: tuple[NamedDevice, ...]
    first: int
    name: str
    head: tuple[str, ...]


def columns(
    devices: Sequence[NamedDevice], told_on: Callable[[int], Hashable]
) -> tuple[Column, ...]:
    """The columns for some devices; told_on = what all accounts are told on the device there."""

    def alike(place: int) -> Hashable:
        device = devices[place].device
        return device.family, device.architecture, told_on(place)

    return tuple(
        _column(devices, list(places)) for _, places in groupby(range(len(devices)), alike)
    )


def _column(devices: Sequence[NamedDevice], places: Sequence[int]) -> Column:
    covered = tuple(devices[place] for place in places)
    first_device = covered[0].device
    top = (first_device.family.removeprefix("Windows."), first_device.architecture or "any CPU")
    first, last = covered[0], covered[-1]
    if not _rising_releases(covered):
        more = f"+ {len(covered) - 1} more" if len(covered) > 1 else ""
        name = f"{first.name} {more}".rstrip()
        return Column(covered, places[0], name, (*top, *filter(None, (first.name, more))))
    start, end = _release(first), _release(last)
    span = (start,) if first is last else (start, f"\N{EN DASH} {differing_words(start, end)}")
    name = run_name([device.name for device in covered])
    return Column(covered, places[0], name, (*top, *span))


def _rising_releases(covered: Sequence[NamedDevice]) -> bool:
    """Whether they have the names of releases, each later than the one before."""
    versions = [one.device.version for one in covered]
    return all(map(_is_release, covered)) and versions == sorted(versions)


def _is_release(named: NamedDevice) -> bool:
    release = release_name(named.device.version)
    return release is not None and named.name == device_name(named.device, release)


def _release(named: NamedDevice) -> str:
    """`10 1507`, without `Windows`."""
    return (release_name(named.device.version) or "").removeprefix("Windows ")

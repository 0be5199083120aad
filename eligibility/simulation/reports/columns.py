"""Columns of a grid: neighbouring devices that answer alike for every account, as one range."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from eligibility.simulation.inputs.devices import NamedDevice, device_name
from eligibility.windows.versions import release_name


@dataclass(frozen=True, slots=True)
class Column:
    """Neighbouring devices of one family and architecture. first: the place of the first of them.

    name: in one line, `Windows 10 1507 - 1607, x64`. head: the same in short lines, for a narrow
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
    device = covered[0].device
    top = (device.family.removeprefix("Windows."), device.architecture or "any CPU")
    first, last = covered[0], covered[-1]
    if not _rising_releases(covered):
        more = f"+ {len(covered) - 1} more" if len(covered) > 1 else ""
        name = f"{first.name} {more}".rstrip()
        return Column(covered, places[0], name, (*top, *filter(None, (first.name, more))))
    start, end = _release(first), _release(last)
    span = (start,) if first is last else (start, f"\N{EN DASH} {_without_common(start, end)}")
    name = first.name if first is last else _range(first.name, last.name)
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


def _range(first: str, last: str) -> str:
    """`Windows 10 1507, x64` and `Windows 10 1607, x64` as one."""
    start, _, end_of_name = first.partition(", ")
    end = _without_common(start, last.partition(", ")[0])
    return f"{start} \N{EN DASH} {end}" + (f", {end_of_name}" if end_of_name else "")


def _without_common(start: str, end: str) -> str:
    """The words of `end` from the first that differs."""
    return " ".join(_differing(start.split(), end.split())) or end


def _differing(start: Sequence[str], end: Sequence[str]) -> Iterator[str]:
    same = next((i for i, (a, b) in enumerate(zip(start, end, strict=False)) if a != b), len(start))
    return iter(end[same:])

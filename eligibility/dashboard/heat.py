"""The heat map of a product: what somebody gets on each device family and release. Pure: it reads a State.

Somebody is a made-up member of certain groups, so these need no real member.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import inf

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.model import Account, Decision, Device, Reason
from eligibility.catalog.model import Product
from eligibility.explain.device_names import run_name
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.explain.phrases import full_text, reason_text, reason_texts
from eligibility.simulation.reports.symbols import OutcomeMark, marks
from eligibility.simulation.state import State
from eligibility.windows.releases import facts
from eligibility.windows.versions import releases, version_text

DecideForDevice = Callable[[Device], Decision]
"""Decides what somebody gets on a device."""
_Row = tuple[str, str]
_LETTERS = 10
"""How many letters fit into the cell of one release, on two lines."""
_SOMEBODY = Asker(Account("somebody@made-up.invalid"))


@dataclass(frozen=True, slots=True)
class HeatSubject:
    """Somebody whom the heat map shows. key: its name in a URL. groups: None = not signed in."""

    key: str
    name: str
    groups: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class ReleaseRun:
    """Neighbouring releases on which somebody gets the same. releases: how many; mark: None = no such device.

    label: in few words; words: in all; devices: `Desktop x64, Windows 10 2004 to 11 26H1`.
    lost: a flight has nothing there, and nothing falls through it.
    """

    releases: int
    mark: OutcomeMark | None = None
    label: str = ""
    words: str = ""
    devices: str = ""
    lost: bool = False

    @property
    def sign(self) -> str:
        """What a cell shows that has no room for the label: a flight's letter, or a sign for the reason."""
        return self.mark.symbol.rpartition(":")[2] if self.mark else ""

    @property
    def fits(self) -> bool:
        """Whether the label fits into the cell; else the cell shows the sign."""
        return len(self.label) <= _LETTERS * self.releases


HeatRows = tuple[tuple[str, str, tuple[ReleaseRun, ...]], ...]
"""Family, architecture, and runs over all releases."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """series: `Windows 10` and how many of the releases are its. parts: whom it is about, and rows.

    legend: signs with what they mean, flights by rank, then the submission, then every no.
    elsewhere: families that the product is not offered for, which have no row.
    """

    series: tuple[tuple[str, int], ...]
    releases: tuple[str, ...]
    parts: tuple[tuple[str, HeatRows], ...]
    legend: tuple[ReleaseRun, ...]
    elsewhere: tuple[str, ...]


def everybody(state: State) -> tuple[HeatSubject, ...]:
    """Whom the map shows: a member of each group, by the rank of its flight; then people in no group."""
    product = state.product
    named = dict.fromkeys(group for flight in product.flights for group in flight.groups)
    named |= dict.fromkeys(product.submission.audience_groups)
    found = [HeatSubject(f"group:{one}", f"a member of {one}", frozenset({one})) for one in named]
    return (
        *found,
        HeatSubject("none", "somebody in none of the groups", frozenset()),
        HeatSubject("anonymous", "somebody not signed in", None),
    )


def decided_for(state: State, who: HeatSubject) -> DecideForDevice:
    """What decides for somebody on a device."""

    def decided(device: Device) -> Decision:
        if who.groups is None:
            return state.decide(PLAIN.query(state.product_id, device))
        return state.decide_as_member(_SOMEBODY.query(state.product_id, device), who.groups)

    return decided


def heat(state: State, people: Iterable[tuple[str, DecideForDevice]]) -> HeatMap:
    """The heat map of some people, each with a name, on every known device."""
    devices = tuple(_devices())
    found = [(who, _grid(devices, decide)) for who, decide in people]
    everywhere = [(row, outcome) for _, grid in found for row, outcome in _cells(grid)]
    offered = dict.fromkeys(row for row, outcome in everywhere if not _not_offered(outcome))
    distinct = tuple(dict.fromkeys(outcome for row, outcome in everywhere if row in offered))
    signs = dict(zip(distinct, marks(state.product, distinct), strict=True))
    there = {name for _, name, _ in devices}
    order = [one.name for one in releases() if one.name in there]
    shown = [row for row in dict.fromkeys(row for row, _ in everywhere) if row in offered]
    parts: dict[HeatRows, str] = {}
    for who, grid in found:  # who gets the same is shown once
        part = tuple(
            (*row, tuple(_runs(state.product, row, order, grid[row], signs))) for row in shown
        )
        parts[part] = f"{parts[part]}, or {who}" if part in parts else who
    return HeatMap(
        tuple((name, len([*of])) for name, of in groupby(order, _series)),
        tuple(one.removeprefix(_series(one)).strip() for one in order),
        tuple((who, part) for part, who in parts.items()),
        tuple(_legend(state.product, signs, parts)),
        tuple(dict.fromkeys(row[0] for row, _ in everywhere if row not in offered)),
    )


def _grid(
    devices: Iterable[tuple[str, str, Device]], decide: DecideForDevice
) -> Mapping[_Row, Mapping[str, Outcome]]:
    """The outcomes, by family and architecture, then by release."""
    grid: dict[_Row, dict[str, Outcome]] = {}
    for family, release, device in devices:
        row = family.removeprefix("Windows."), device.architecture or ""
        grid.setdefault(row, {})[release] = outcome_of(decide(device))
    return grid


def _cells(grid: Mapping[_Row, Mapping[str, Outcome]]) -> Iterable[tuple[_Row, Outcome]]:
    return ((row, outcome) for row, cells in grid.items() for outcome in cells.values())


def _series(release: str) -> str:
    """`Windows 10` of `Windows 10 1809`."""
    return release.rpartition(" ")[0]


def _not_offered(outcome: Outcome) -> bool:
    return outcome.reasons[0] == Reason.DEVICE_FAMILY_NOT_OFFERED


def _devices() -> Iterable[tuple[str, str, Device]]:
    """Every family, architecture and release that exists together, as family, release and device."""
    for family, architectures in facts().devices.items():
        for architecture, builds in architectures.items():
            for release in releases():
                if builds.contains(release.version):
                    device = Device.parse(family, version_text(release.version), architecture)
                    yield family, release.name, device


def _runs(
    product: Product,
    name: tuple[str, str],
    order: Sequence[str],
    row: Mapping[str, Outcome],
    signs: Mapping[Outcome, OutcomeMark],
) -> Iterable[ReleaseRun]:
    for outcome, found in groupby(order, row.get):
        there = [*found]
        if outcome is None:
            yield ReleaseRun(len(there))
            continue
        yield replace(
            _told(product, outcome, signs[outcome]),
            releases=len(there),
            devices=f"{' '.join(name).strip()}, {run_name(there)}",
        )


def _told(product: Product, outcome: Outcome, mark: OutcomeMark) -> ReleaseRun:
    label = _label(product, outcome)
    words, lost = full_text(product, outcome), outcome.missed_flight is not None
    return ReleaseRun(1, mark, label, words, lost=lost)


def _label(product: Product, outcome: Outcome) -> str:
    names = product.flight_names
    if outcome.granted:
        return f"{names.get(outcome.source or '', 'Submission')} {outcome.version}"
    through = f"{names[outcome.missed_flight]}: " if outcome.missed_flight else ""
    return through + reason_text(outcome.reasons[0])


def _legend(
    product: Product, signs: Mapping[Outcome, OutcomeMark], parts: Iterable[HeatRows]
) -> Iterable[ReleaseRun]:
    """What the legend explains: each outcome that gives a package, and each sign shown without its label."""
    runs = [run for part in parts for _, _, cells in part for run in cells]
    alone = {(run.lost, run.sign) for run in runs if not run.fits}

    def rank(one: tuple[Outcome, OutcomeMark]) -> tuple[bool, bool, float, str]:
        outcome, mark = one
        place = inf if mark.flight is None else mark.flight
        return not outcome.granted, outcome.missed_flight is None, place, mark.symbol

    seen = set[tuple[bool, str]]()
    for outcome, mark in sorted(signs.items(), key=rank):
        told = _told(product, outcome, mark)
        key = told.lost, told.sign
        if key not in seen and (outcome.granted or key in alone):
            seen.add(key)
            yield told if outcome.granted else replace(told, label=_no(outcome))


def _no(outcome: Outcome) -> str:
    """Every reason for a no, whichever flight it is that has nothing."""
    reasons = reason_texts(outcome.reasons)
    return f"the flight: {reasons}" if outcome.missed_flight else reasons

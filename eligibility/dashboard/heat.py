"""A product's heat map: outcomes of made-up group members by device family and release. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import inf

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.codes import Reason
from eligibility.access.model import Account, Decision, Device
from eligibility.catalog.model import Product
from eligibility.explain.device_names import run_name
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.explain.phrases import full_text, label_text, reason_texts
from eligibility.simulation.reports.symbols import OutcomeMark, marks
from eligibility.simulation.state import State
from eligibility.windows.releases import facts
from eligibility.windows.versions import releases, version_text

DecideForDevice = Callable[[Device], Decision]
"""Returns a person's decision for a device."""
_Row = tuple[str, str]
_LETTERS = 10
"""How many letters fit into the cell of one release, on two lines."""
_NOT_OFFERED = Reason.DEVICE_FAMILY_NOT_OFFERED
_SOMEBODY = Asker(Account("somebody@made-up.invalid"))


@dataclass(frozen=True, slots=True)
class HeatSubject:
    """A made-up person in the heat map. key: for URLs. groups: None = not signed in."""

    key: str
    name: str
    groups: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class ReleaseRun:
    """Adjacent releases with the same outcome. releases: how many; mark: None = no such device.

    label, text: the outcome, short and in full; devices: `Desktop x64, Windows 10 2004 to 11 26H1`.
    lost: the highest flight has no package there, and lower sources are not tried.
    """

    releases: int
    mark: OutcomeMark | None = None
    label: str = ""
    text: str = ""
    devices: str = ""
    lost: bool = False

    @property
    def symbol(self) -> str:
        """Shown if the label does not fit: a flight's letter, or a symbol for the reason."""
        return self.mark.symbol.rpartition(":")[2] if self.mark else ""

    @property
    def fits(self) -> bool:
        """Whether the label fits into the cell. If not, the cell shows the symbol."""
        return len(self.label) <= _LETTERS * self.releases


HeatRows = tuple[tuple[str, str, tuple[ReleaseRun, ...]], ...]
"""Rows of family, architecture, and runs that cover all releases."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """series: names, as `Windows 10`, with their number of releases. parts: people, and their rows.

    legend: symbols with their meaning: flights by rank, then the submission, then every denial.
    elsewhere: families without a row, because the product is not offered for them.
    """

    series: tuple[tuple[str, int], ...]
    releases: tuple[str, ...]
    parts: tuple[tuple[str, HeatRows], ...]
    legend: tuple[ReleaseRun, ...]
    elsewhere: tuple[str, ...]


def everybody(state: State) -> tuple[HeatSubject, ...]:
    """List the map's people: a member of each group, by flight rank; then people in no group."""
    product = state.product
    named = dict.fromkeys(group for flight in product.flights for group in flight.groups)
    named |= dict.fromkeys(product.submission.audience_groups)
    return (
        *(HeatSubject(f"group:{g}", f"a member of {g}", frozenset({g})) for g in named),
        HeatSubject("none", "somebody in none of the groups", frozenset()),
        HeatSubject("anonymous", "somebody not signed in", None),
    )


def decided_for(state: State, who: HeatSubject) -> DecideForDevice:
    """Return a function that decides for this person on a device."""

    def decided(device: Device) -> Decision:
        if who.groups is None:
            return state.decide(PLAIN.query(state.product_id, device))
        return state.decide_as_member(_SOMEBODY.query(state.product_id, device), who.groups)

    return decided


def heat(state: State, people: Iterable[tuple[str, DecideForDevice]]) -> HeatMap:
    """Build the heat map of named people on every known device."""
    devices = tuple(_devices())
    grids = [(who, _grid(devices, decide)) for who, decide in people]
    rows = [item for _, grid in grids for item in grid.items()]
    everywhere = [(row, outcome) for row, cells in rows for outcome in cells.values()]
    offered = {row for row, outcome in everywhere if outcome.reasons[0] != _NOT_OFFERED}
    distinct = tuple(dict.fromkeys(outcome for row, outcome in everywhere if row in offered))
    symbols = dict(zip(distinct, marks(state.product, distinct), strict=True))
    known = {name for _, name, _ in devices}
    order = [release.name for release in releases() if release.name in known]
    shown = [row for row in dict.fromkeys(row for row, _ in everywhere) if row in offered]
    parts: dict[HeatRows, str] = {}
    for who, grid in grids:  # people with equal outcomes share a part
        part = tuple(
            (*row, tuple(_runs(state.product, row, order, grid[row], symbols))) for row in shown
        )
        parts[part] = f"{parts[part]}, or {who}" if part in parts else who
    return HeatMap(
        tuple((name, len([*of])) for name, of in groupby(order, _series)),
        tuple(release.removeprefix(_series(release)).strip() for release in order),
        tuple((who, part) for part, who in parts.items()),
        tuple(_legend(state.product, symbols, parts)),
        tuple(dict.fromkeys(row[0] for row, _ in everywhere if row not in offered)),
    )


def _grid(
    devices: Iterable[tuple[str, str, Device]], decide: DecideForDevice
) -> Mapping[_Row, Mapping[str, Outcome]]:
    """Map family and architecture to the outcomes by release."""
    grid: dict[_Row, dict[str, Outcome]] = {}
    for family, release, device in devices:
        row = family.removeprefix("Windows."), device.architecture or ""
        grid.setdefault(row, {})[release] = outcome_of(decide(device))
    return grid


def _series(release: str) -> str:
    """Return `Windows 10` for `Windows 10 1809`."""
    return release.rpartition(" ")[0]


def _devices() -> Iterable[tuple[str, str, Device]]:
    """List family, release and device for each existing combination with an architecture."""
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
    symbols: Mapping[Outcome, OutcomeMark],
) -> Iterable[ReleaseRun]:
    for outcome, group in groupby(order, row.get):
        names = [*group]
        if outcome is None:
            yield ReleaseRun(len(names))
            continue
        yield replace(
            _run(product, outcome, symbols[outcome]),
            releases=len(names),
            devices=f"{' '.join(name).strip()}, {run_name(names)}",
        )


def _run(product: Product, outcome: Outcome, mark: OutcomeMark) -> ReleaseRun:
    label, text = label_text(product, outcome), full_text(product, outcome)
    return ReleaseRun(1, mark, label, text, lost=outcome.missed_flight is not None)


def _legend(
    product: Product, symbols: Mapping[Outcome, OutcomeMark], parts: Iterable[HeatRows]
) -> Iterable[ReleaseRun]:
    """List each outcome with a package, and each symbol that a cell shows without its label."""
    runs = [run for part in parts for _, _, cells in part for run in cells]
    alone = {(run.lost, run.symbol) for run in runs if not run.fits}

    def rank(item: tuple[Outcome, OutcomeMark]) -> tuple[bool, bool, float, str]:
        outcome, mark = item
        index = inf if mark.flight is None else mark.flight
        return not outcome.granted, outcome.missed_flight is None, index, mark.symbol

    seen = set[tuple[bool, str]]()
    for outcome, mark in sorted(symbols.items(), key=rank):
        run = _run(product, outcome, mark)
        key = run.lost, run.symbol
        if key not in seen and (outcome.granted or key in alone):
            seen.add(key)
            yield run if outcome.granted else replace(run, label=_denial(outcome))


def _denial(outcome: Outcome) -> str:
    """List the reasons for a denial, without the name of the flight that has no package."""
    reasons = reason_texts(outcome.reasons)
    return f"the flight: {reasons}" if outcome.missed_flight else reasons

"""Write a report as a table for a terminal, in the terminal's width."""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from eligibility.explain.phrases import NO_FALL_THROUGH
from eligibility.simulation.matrix import settling_accounts
from eligibility.simulation.reports.grid import Grid, GridRow
from eligibility.simulation.reports.legend import LegendEntry
from eligibility.simulation.reports.report import SimulationReport
from eligibility.simulation.reports.symbols import OutcomeMark
from eligibility.simulation.rollout_shares import RolloutShare

_FLIGHTS = (
    "bold black on green",
    "bold black on cyan",
    "bold black on yellow",
    "bold white on magenta",
    "bold white on blue",
    "bold black on bright_cyan",
)
"""Colours of flights, highest rank first. With more flights, the colours repeat."""

_SUBMISSION, _DENIED = "bold", "red"
_WIDEST_NAME = 34


def write(report: SimulationReport, out: BinaryIO) -> None:
    """Write the report as text, in colours on a terminal."""
    text = io.TextIOWrapper(out, "utf-8", errors="replace", write_through=True)
    try:
        shown = Console(file=text, highlight=False)
        for part in parts(report, shown.width):
            shown.print(part)
    finally:
        text.detach()


def parts(report: SimulationReport, width: int) -> Iterator[RenderableType]:
    """Build the parts of the report: title, grid, legend, rollouts, notes."""
    yield _title(report)
    yield Text()
    grid = report.grid
    for band in _bands(grid, width):
        yield band
        yield Text()
    yield _legend(grid.legend, report)
    if report.shares:
        yield Text(
            "\nRollouts in progress: of the accounts that get the source, once they have it installed"
        )
        yield _shares(report.shares)
    yield from _notes(report)


def _title(report: SimulationReport) -> Text:
    state, matrix = report.matrix.state, report.matrix
    revision = state.snapshot.revision
    devices = len(matrix.devices)
    return Text.assemble(
        (state.product.name, "bold"),
        f"  {state.product_id}\n",
        (
            f"{report.label}, " if report.label else "",
            "bold yellow" if "draft" in report.label else "",
        ),
        f"{report.moment}, groups revision {revision.groups}, catalogue revision {revision.catalog}\n",
        f"{_counted(len(matrix.population), 'account')} \N{MULTIPLICATION SIGN} {_counted(devices, 'device')}",
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _bands(grid: Grid, width: int) -> Iterator[Table]:
    """Split the grid into tables, one below the other, that fit into the width."""
    names = max(len(row.names[0]) for row in grid.rows)
    label = min(_WIDEST_NAME, max(names, 8)) + (9 if grid.grouped else 0)
    if any(row.side for row in grid.rows):
        label += 26
    position, indices = 0, range(len(grid.columns))
    while position < len(indices):
        room, end = width - label, position
        while end < len(indices) and (end == position or room >= _width(grid, end)):
            room -= _width(grid, end)
            end += 1
        yield _band(grid, indices[position:end])
        position = end


def _width(grid: Grid, column: int) -> int:
    symbols = (grid.marks[row.cells[column]].symbol for row in grid.rows)
    head = max(map(len, grid.columns[column].head))
    return max(head, *(len(symbol) + 2 for symbol in symbols)) + 1


def _band(grid: Grid, indices: Sequence[int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("account", max_width=_WIDEST_NAME, no_wrap=True, vertical="bottom")
    if grid.grouped:
        table.add_column("", no_wrap=True, justify="right", style="dim")
    if any(row.side for row in grid.rows):
        table.add_column("side", no_wrap=True)
    for index in indices:
        head = "\n".join(grid.columns[index].head)
        table.add_column(head, no_wrap=True, justify="left")
    for row in grid.rows:
        cells = (_cell(grid.marks[row.cells[index]]) for index in indices)
        table.add_row(*_label(row, grid), *cells)
    return table


def _label(row: GridRow, grid: Grid) -> Iterator[Text]:
    yield Text(row.names[0])
    if grid.grouped:
        yield Text(f"+ {row.count - 1:,}" if row.count > 1 else "")
    if any(other.side for other in grid.rows):
        yield Text(row.side, "yellow" if row.side else "")


def _cell(mark: OutcomeMark) -> Text:
    return Text(f" {mark.symbol} ", _style(mark))


def _style(mark: OutcomeMark) -> str:
    if mark.flight is not None:
        return _FLIGHTS[mark.flight % len(_FLIGHTS)]
    return _SUBMISSION if mark.kind == "submission" else _DENIED


def _legend(keys: Iterable[LegendEntry], report: SimulationReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("sign", no_wrap=True)
    table.add_column("means", overflow="fold")
    for name in ("accounts", "pairs"):
        table.add_column(name, justify="right", no_wrap=True)
    for key in keys:
        text = ", ".join(filter(None, (key.meaning, key.version, "/".join(key.actions))))
        table.add_row(_cell(key.mark), Text(text), f"{key.accounts:,}", f"{key.pairs:,}")
    total = len(report.matrix.population)
    pairs = total * len(report.matrix.devices)
    table.add_row("", Text("all", "dim"), Text(f"{total:,}", "dim"), Text(f"{pairs:,}", "dim"))
    return table


def _shares(shares: Iterable[RolloutShare]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("source")
    for name in ("percentage", "newest", "previous", "share"):
        table.add_column(name, justify="right")
    for split in shares:
        share = f"{split.newest / split.accounts:.1%}" if split.accounts else "-"
        percentage = f"{split.percentage:g} %" + (" (declared)" if split.declared else "")
        table.add_row(
            Text(split.name), percentage, f"{split.newest:,}", f"{split.previous:,}", share
        )
    return table


def _notes(report: SimulationReport) -> Iterator[Text]:
    if report.grid.names_flights_that_deny:
        yield Text(f"\n{NO_FALL_THROUGH}", "dim")
    changed = len(settling_accounts(report.matrix))
    if changed and report.earlier is None:
        yield Text(
            f"\n{_counted(changed, 'account')} changed groups in the last 30 minutes; the Store itself"
            " may still decide as before: --settling shows both answers.",
            "yellow",
        )

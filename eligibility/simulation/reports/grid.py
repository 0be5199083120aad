"""Grid: a matrix for people. Devices with equal outcomes share a column, accounts maybe a row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from eligibility.explain.outcome import Outcome
from eligibility.simulation.matrix import Matrix, change_of, settling_accounts
from eligibility.simulation.reports.columns import Column, columns
from eligibility.simulation.reports.legend import LegendEntry, legend
from eligibility.simulation.reports.symbols import Help, OutcomeMark, OutcomeNumbers, marks

MOST_ROWS = 40
"""With more accounts, accounts with equal outcomes share a row by default."""

FIRST_NAMES = 100
"""Most accounts that a row lists by name."""

MembershipView = Literal["", "here now", "the Store may still say"]
"""Which side of a recent membership change a row shows; "" if both sides are not shown."""


@dataclass(slots=True)
class GridRow:
    """Accounts with equal outcomes. names: the first FIRST_NAMES accounts; count: of all accounts.

    cells: the outcome number of each column. change: `added` or `removed`, if the grid shows both
    sides of a recent membership change.
    """

    cells: tuple[int, ...]
    side: MembershipView = ""
    change: str = ""
    names: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, name: str) -> None:
        """Count an account, and list its name among the first."""
        self.count += 1
        if self.count <= FIRST_NAMES:
            self.names.append(name)

    @property
    def label(self) -> str:
        """Return a name of the row, such as `ada@example.com + 41 more`."""
        more = f" + {self.count - 1:,} more" if self.count > 1 else ""
        return f"{self.names[0]}{more}"


@dataclass(frozen=True, slots=True)
class Grid:
    """A matrix to show. helps, marks: by outcome. grouped: whether accounts may share a row."""

    columns: tuple[Column, ...]
    rows: tuple[GridRow, ...]
    outcomes: tuple[Outcome, ...]
    helps: tuple[tuple[Help, ...], ...]
    marks: tuple[OutcomeMark, ...]
    legend: tuple[LegendEntry, ...]
    grouped: bool

    @property
    def names_flights_that_deny(self) -> bool:
        """Return whether a flight without a package for a device causes a denial."""
        return any(outcome.missed_flight for outcome in self.outcomes)


def make_grid(matrix: Matrix, earlier: Matrix | None = None, *, each: bool | None = None) -> Grid:
    """Arrange a matrix in rows and columns. Shared rows are sorted, the largest first.

    Args: earlier = `before_settling(matrix)`, to show a membership change in two rows; each = True:
    a row for each account; False: shared rows; None: shared rows for over MOST_ROWS accounts.
    """
    numbering = OutcomeNumbers()
    numbers = numbering.of(matrix)
    earlier_numbers = numbering.of(earlier) if earlier else []

    def outcomes_on(index: int) -> tuple[int, ...]:
        now = [row[matrix.columns[index]] for row in numbers]
        before = [row[earlier.columns[index]] for row in earlier_numbers] if earlier else []
        return (*now, *before)

    shown = columns(matrix.devices, outcomes_on)
    grouped = len(matrix.population) > MOST_ROWS if each is None else not each
    rows = _Rows(grouped)
    cells_of_class = _cells(matrix, numbers, shown)
    earlier_cells = _cells(earlier, earlier_numbers, shown) if earlier else []
    settling = dict(zip(settling_accounts(matrix), earlier.rows, strict=True)) if earlier else {}
    for index, name in enumerate(matrix.population.names):
        cells = cells_of_class[matrix.rows[index]]
        earlier_class = settling.get(index)
        if earlier_class is None:
            rows.add(index, name, GridRow(cells))
        else:
            change = change_of(matrix, index)
            now = GridRow(cells, "here now", change)
            store = GridRow(earlier_cells[earlier_class], "the Store may still say", change)
            rows.add(index, name, now, store)
    outcomes = numbering.all
    symbols = marks(matrix.state.product, outcomes)
    entries = legend(matrix, numbers, earlier_numbers, outcomes, symbols)
    return Grid(shown, tuple(rows), outcomes, numbering.helps, symbols, entries, grouped)


class _Rows:
    """Collects rows: one for each account, or one for all accounts with equal outcomes."""

    def __init__(self, grouped: bool) -> None:
        self._grouped = grouped
        self._rows: dict[object, Sequence[GridRow]] = {}

    def add(self, index: int, name: str, *rows: GridRow) -> None:
        key = tuple((row.cells, row.change) for row in rows) if self._grouped else index
        for row in self._rows.setdefault(key, rows):
            row.add(name)

    def __iter__(self) -> Iterator[GridRow]:
        groups = list(self._rows.values())
        if self._grouped:
            groups.sort(key=lambda rows: -rows[0].count)
        return (row for rows in groups for row in rows)


def _cells(
    matrix: Matrix, numbers: Sequence[tuple[int, ...]], shown: Sequence[Column]
) -> list[tuple[int, ...]]:
    """Return the outcome numbers of each row class in the columns of the grid."""
    classes = [matrix.columns[column.first] for column in shown]
    return [tuple(row[number] for number in classes) for row in numbers]

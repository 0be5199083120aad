"""Grid: a matrix made fit for people. Devices that answer alike are one column, and so are accounts.

Pure. What it says is the matrix's; here it is only named, put together and counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from eligibility.explain.outcome import Outcome
from eligibility.simulation.matrix import Matrix, change_of, settling_places
from eligibility.simulation.reports.columns import Column, columns
from eligibility.simulation.reports.legend import LegendEntry, legend
from eligibility.simulation.reports.symbols import Help, OutcomeMark, OutcomeNumbers, marks

MOST_ROWS = 40
"""More accounts than this are told together, unless somebody wants each by itself."""

FIRST_NAMES = 100
"""So many accounts of a row are named."""

MembershipView = Literal["", "here now", "the Store may still say"]
"""Of which side of a membership change a row tells; "" where only one is looked at."""


@dataclass(slots=True)
class GridRow:
    """Accounts that are told the same on every device. names: the first FIRST_NAMES; count: of all.

    cells: for each column the number of its outcome. change: `added` or `removed` where it is settling
    and both sides are shown.
    """

    cells: tuple[int, ...]
    side: MembershipView = ""
    change: str = ""
    names: list[str] = field(default_factory=list)
    count: int = 0

    def take(self, name: str) -> None:
        """Count one more account in."""
        self.count += 1
        if self.count <= FIRST_NAMES:
            self.names.append(name)

    @property
    def label(self) -> str:
        """`ada@example.com + 41 more`."""
        more = f" + {self.count - 1:,} more" if self.count > 1 else ""
        return f"{self.names[0]}{more}"


@dataclass(frozen=True, slots=True)
class Grid:
    """What is to be shown. helps, marks: by outcome. grouped: whether a row may be several accounts."""

    columns: tuple[Column, ...]
    rows: tuple[GridRow, ...]
    outcomes: tuple[Outcome, ...]
    helps: tuple[tuple[Help, ...], ...]
    marks: tuple[OutcomeMark, ...]
    legend: tuple[LegendEntry, ...]
    grouped: bool

    @property
    def names_flights_that_deny(self) -> bool:
        """Whether some no is that of a flight with nothing for the device."""
        return any(one.missed_flight for one in self.outcomes)


def make_grid(matrix: Matrix, earlier: Matrix | None = None, *, each: bool | None = None) -> Grid:
    """Put a matrix into rows and columns.

    Args: earlier = `before_settling(matrix)`, to show both sides of each change in two rows;
    each = whether every account is a row of its own; None = where there are at most MOST_ROWS.
    Rows of several accounts come the largest first, else all in order.
    """
    outcomes = OutcomeNumbers()
    told = outcomes.of(matrix)
    told_before = outcomes.of(earlier) if earlier else []

    def told_on(place: int) -> tuple[int, ...]:
        now = [row[matrix.columns[place]] for row in told]
        before = [row[earlier.columns[place]] for row in told_before] if earlier else []
        return (*now, *before)

    made = columns(matrix.devices, told_on)
    grouped = len(matrix.population) > MOST_ROWS if each is None else not each
    rows = _Rows(grouped)
    sides = _shown(matrix, told, made)
    sides_before = _shown(earlier, told_before, made) if earlier else []
    settling = dict(zip(settling_places(matrix), earlier.rows, strict=True)) if earlier else {}
    for place, name in enumerate(matrix.population.names):
        cells = sides[matrix.rows[place]]
        before = settling.get(place)
        if before is None:
            rows.take(place, name, GridRow(cells))
        else:
            change = change_of(matrix, place)
            both = (
                GridRow(cells, "here now", change),
                GridRow(sides_before[before], "the Store may still say", change),
            )
            rows.take(place, name, *both)
    shown = marks(matrix.state.product, outcomes.all)
    keys = legend(matrix, told, told_before, outcomes.all, shown)
    return Grid(made, tuple(rows), outcomes.all, outcomes.helps, shown, keys, grouped)


class _Rows:
    """The rows so far: one an account, or one for all accounts that are told the same."""

    def __init__(self, grouped: bool) -> None:
        self._grouped = grouped
        self._rows: dict[object, Sequence[GridRow]] = {}

    def take(self, place: int, name: str, *rows: GridRow) -> None:
        key = tuple((row.cells, row.change) for row in rows) if self._grouped else place
        for row in self._rows.setdefault(key, rows):
            row.take(name)

    def __iter__(self) -> Iterator[GridRow]:
        found = list(self._rows.values())
        if self._grouped:
            found.sort(key=lambda rows: -rows[0].count)
        return (row for rows in found for row in rows)


def _shown(
    matrix: Matrix, told: Sequence[tuple[int, ...]], made: Sequence[Column]
) -> list[tuple[int, ...]]:
    """For each row class the outcomes in the columns of the grid."""
    classes = [matrix.columns[column.first] for column in made]
    return [tuple(row[number] for number in classes) for row in told]

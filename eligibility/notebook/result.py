"""The result of a simulation from Python: counts, data frames, a heat map, explained decisions."""

from collections import Counter
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from eligibility.access.asker import NOBODY
from eligibility.access.model import Decision
from eligibility.errors import Fault, InvalidInput
from eligibility.explain.outcome import OutcomeKind
from eligibility.explain.phrases import short_text
from eligibility.formats.suggestions import meant
from eligibility.notebook import frames, heat_map
from eligibility.simulation.inputs.accounts import canonical_address
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.matrix import Matrix, before_settling
from eligibility.simulation.reports.grid import Grid, make_grid
from eligibility.simulation.rollout_shares import RolloutShare, shares_of

if TYPE_CHECKING:
    import pandas
    import polars
    from matplotlib.figure import Figure

_SHOWN_ROWS = 25
"""Most grid rows that a notebook shows for a result. `heat_map` and data frames show more."""


class OutcomeCount(NamedTuple):
    """The number of accounts with one outcome. devices: a range of names. outcome: in words."""

    devices: str
    device_count: int
    outcome: str
    kind: OutcomeKind
    accounts: int


class SimulationResult:
    """What each account gets on each device. len() returns the number of accounts."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    def __len__(self) -> int:
        return len(self.matrix.population)

    def __repr__(self) -> str:
        return f"<Result {self.title}>"

    @property
    def title(self) -> str:
        """Return a title such as `Contoso Reader, live: 3 accounts x 52 devices`."""
        state, accounts, devices = self.matrix.state, len(self), len(self.matrix.devices)
        what = f"{accounts:,} accounts x {devices:,} devices"
        return f"{state.product.name}, {state.label}: {what}"

    def counts(self) -> list[OutcomeCount]:
        """Count accounts by device range and outcome, most frequent outcome of a range first."""
        grid = self._grouped
        return [
            OutcomeCount(column.name, len(column.devices), outcome, kind, accounts)
            for position, column in enumerate(grid.columns)
            for (outcome, kind), accounts in _sizes(grid, position).most_common()
        ]

    def shares(self, *percentages: float) -> tuple[RolloutShare, ...]:
        """Count accounts on both sides of each rollout, at the declared and these percentages."""
        return shares_of(self.matrix, percentages)

    def before_settling(self) -> "SimulationResult | None":
        """Simulate the accounts whose membership changed in the last 30 minutes, before the change.

        The Store may not have applied the change yet. Returns: None if no membership changed.
        """
        earlier = before_settling(self.matrix)
        return None if earlier is None else SimulationResult(earlier)

    def to_pandas(self) -> "pandas.DataFrame":
        """Build a pandas frame with a row for each account and device, and texts as categories.

        Its columns are simulation.reports.cells.COLUMNS.
        Raises: MissingPackage without pandas; InvalidInput if there are more than 100 million rows.
        """
        return frames.to_pandas(self.matrix)

    def to_polars(self) -> "polars.DataFrame":
        """Build a polars frame like `to_pandas`, with texts as Enum. Raises: as `to_pandas`."""
        return frames.to_polars(self.matrix)

    def heat_map(self, *, each: bool | None = None, rows: int = 40) -> "Figure":
        """Draw what accounts (rows) get on devices (columns) as a matplotlib figure.

        Args: each = True: a row for each account; False: a shared row for accounts with the same
        outcomes; None: shared rows if there are more than 40 accounts. rows = most rows to draw.
        Raises: MissingPackage without matplotlib.
        """
        grid = make_grid(self.matrix, each=each)
        return heat_map.figure(grid, self.title, most_rows=rows)

    def explain(self, account: str | None, device: str) -> Decision:
        """Return the decision for an account (None = nobody signed in) on a device, with its trace.

        Args: device = its name in this simulation, or a text for `read_devices`.
        Raises: InvalidInput if the account or the device is not in this simulation.
        """
        return self.matrix.explain(self._account(account), self._device(device))

    def _repr_html_(self) -> str:
        """Return HTML for a notebook: the title, the first rows of the grid, and the legend."""
        grid = self._shown
        head = "".join(
            f"<th>{'<br>'.join(map(escape, column.head))}</th>" for column in grid.columns
        )
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(row.label)}</th>{self._cells(row.cells)}</tr>"
            for row in grid.rows[:_SHOWN_ROWS]
        )
        more = heat_map.rest(grid, _SHOWN_ROWS)
        keys = "".join(
            f"<li><b>{escape(key.mark.symbol)}</b> {escape(heat_map.legend_text(key))}</li>"
            for key in grid.legend
        )
        return (
            f"<p><b>{escape(self.title)}</b></p><table><thead><tr><th></th>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table><p>{escape(more)}</p><ul>{keys}</ul>"
        )

    def _cells(self, numbers: tuple[int, ...]) -> str:
        grid = self._shown
        return "".join(
            f"<td title='{escape(short_text(grid.outcomes[number]))}' style='text-align:center;color:"
            f"#14181c;background:{heat_map.colour(grid.marks[number])}'>"
            f"{escape(grid.marks[number].symbol)}</td>"
            for number in numbers
        )

    @cached_property
    def _grouped(self) -> Grid:
        return make_grid(self.matrix, each=False)

    @cached_property
    def _shown(self) -> Grid:
        return make_grid(self.matrix)

    def _account(self, account: str | None) -> int:
        names = self.matrix.population.names
        name = NOBODY if account is None else canonical_address(account, "account")
        try:
            return names.index(name)
        except ValueError:
            detail = f"`{name}` is not among the {len(names):,} accounts of this simulation"
            raise InvalidInput([Fault("account", "UNKNOWN_ACCOUNT", detail)]) from None

    def _device(self, device: str) -> int:
        named = [item.name for item in self.matrix.devices]
        if device in named:
            return named.index(device)
        devices = [item.device for item in self.matrix.devices]
        try:
            return devices.index(read_devices(device, "device")[0].device)
        except (InvalidInput, ValueError):
            detail = f"`{device}` is not a device of this simulation{meant(device, named)}"
            raise InvalidInput([Fault("device", "UNKNOWN_DEVICE", detail)]) from None


def _sizes(grid: Grid, column: int) -> Counter[tuple[str, OutcomeKind]]:
    """Count the accounts by their outcome in a column of the grid."""
    sizes = Counter[tuple[str, OutcomeKind]]()
    for row in grid.rows:
        outcome = grid.outcomes[row.cells[column]]
        sizes[short_text(outcome), outcome.kind] += row.count
    return sizes

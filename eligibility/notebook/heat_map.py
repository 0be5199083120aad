"""Draw a grid as a matplotlib figure (heat map), in the colours of the HTML report."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from eligibility.formats.optional import optional_module
from eligibility.simulation.reports.grid import Grid
from eligibility.simulation.reports.legend import LegendEntry
from eligibility.simulation.reports.symbols import OutcomeMark

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLIGHTS = ("#b7e4c0", "#b5dcf5", "#f6dd94", "#dfc6f5", "#f8c9a6", "#aee6e0")
"""Colours of flights, highest rank first. With more flights, the colours repeat."""
SUBMISSION, DENIED = "#e3e6e9", "#f9d5d0"

_INK, _SOFT = "#1d2126", "#5b636d"
_SIZE = 8.5
_ROW, _COLUMN, _LINE = 0.27, 0.5, 0.2
"""In inches: height of a row, minimum width of a column, height of a line of text."""
_CHARACTER = 0.078
"""Approximate width of a character, in inches."""
_LONGEST_LABEL, _KEPT_END = 56, 18
_LONGEST_HEAD_LINE = 12
"""If a device name has a line of more characters, all device names are written vertically."""
_MOST_SYMBOLS = 5_000
"""With more cells, only colours are drawn: symbols would be too small to read and slow to draw."""
_NARROW_COLUMN = 0.17


def colour(mark: OutcomeMark) -> str:
    """Return the background colour of a symbol: of its flight, the submission, or a denial."""
    if mark.kind == "denied":
        return DENIED
    return SUBMISSION if mark.flight is None else FLIGHTS[mark.flight % len(FLIGHTS)]


def rest(grid: Grid, rows: int) -> str:
    """Return a phrase that counts the rows not shown, or "" if all rows are shown."""
    left = grid.rows[rows:]
    if not left:
        return ""
    accounts = sum(row.count for row in left)
    return f"and {accounts:,} more accounts, in {len(left):,} rows that are not shown"


def figure(grid: Grid, title: str, *, most_rows: int) -> "Figure":
    """Draw a grid. Raises: MissingPackage if matplotlib is not installed."""
    shown = {"_repr_png_": _png}  # notebooks show it even if pyplot was never imported
    module = optional_module("matplotlib.figure", "plot", "heat maps")
    heat_map = type("HeatMap", (module.Figure,), shown)
    layout = _Layout.of(grid, title, most_rows)
    size = layout.size
    drawn: Figure = heat_map(figsize=size, facecolor="white")
    axes = drawn.add_axes(layout.axes)
    if layout.labels and layout.heads:
        _draw(axes, grid, len(layout.labels), layout.symbols)
        _label(axes, layout)
    else:
        axes.set_axis_off()
    drawn.text(0.15 / size[0], 1 - 0.3 / size[1], title, fontsize=11, weight="bold", color=_INK)
    remainder = rest(grid, most_rows)
    at = layout.left / size[0], (layout.below - 0.2) / size[1]
    drawn.text(*at, remainder, fontsize=_SIZE, color=_SOFT)
    _explain(drawn, grid.legend, layout)
    return drawn


def _png(drawn: "Figure") -> bytes:
    out = BytesIO()
    drawn.savefig(out, format="png")
    return out.getvalue()


@dataclass(frozen=True)
class _Layout:
    """Sizes in inches, positions and texts. upright: whether device names are vertical."""

    labels: list[str]
    heads: list[str]
    keys: list[str]
    upright: bool
    symbols: bool
    left: float
    below: float
    size: tuple[float, float]
    axes: tuple[float, float, float, float]

    @classmethod
    def of(cls, grid: Grid, title: str, most_rows: int) -> "_Layout":
        labels = [_shortened(row.label) for row in grid.rows[:most_rows]]
        keys = [legend_text(key) for key in grid.legend]
        symbols = len(labels) * len(grid.columns) <= _MOST_SYMBOLS
        longest = max((len(line) for column in grid.columns for line in column.head), default=0)
        upright = longest > _LONGEST_HEAD_LINE or not symbols
        heads = [_shortened(c.name) if upright else "\n".join(c.head) for c in grid.columns]
        column = max(_COLUMN, 0 if upright else longest * _CHARACTER + 0.05)
        width = max(len(heads) * (column if symbols else _NARROW_COLUMN), 1.0)
        lines = max((head.count("\n") + 1 for head in heads), default=0)
        above = (_longest(heads) if upright else lines * 0.16) + 0.2
        left, height = _longest(labels) + 0.3, max(len(labels), 1) * _ROW
        below = (len(keys) + 2) * _LINE
        whole = max(left + width, _longest(keys) + 0.85, len(title) * 0.1) + 0.3
        tall = 0.5 + above + height + below
        axes = left / whole, below / tall, width / whole, height / tall
        return cls(labels, heads, keys, upright, symbols, left, below, (whole, tall), axes)


def _longest(texts: Sequence[str]) -> float:
    return max(map(len, texts), default=0) * _CHARACTER


def _draw(axes: "Axes", grid: Grid, rows: int, symbols: bool) -> None:
    rgb = optional_module("matplotlib.colors", "plot", "heat maps").to_rgb
    cells = [[grid.marks[number] for number in row.cells] for row in grid.rows[:rows]]
    axes.imshow([[rgb(colour(mark)) for mark in row] for row in cells], aspect="auto")
    if not symbols:
        return
    for line, row in enumerate(cells):
        for column, mark in enumerate(row):
            size = _SIZE if len(mark.symbol) < 6 else _SIZE - 1.5
            axes.text(
                column, line, mark.symbol, ha="center", va="center", fontsize=size, color=_INK
            )


def _label(axes: "Axes", layout: _Layout) -> None:
    size = _SIZE if layout.symbols else _SIZE - 2
    turned = 90 if layout.upright else 0
    axes.set_yticks(range(len(layout.labels)), layout.labels, fontsize=_SIZE, color=_INK)
    axes.set_xticks(
        range(len(layout.heads)), layout.heads, fontsize=size, color=_INK, rotation=turned
    )
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xticks([index + 0.5 for index in range(len(layout.heads) - 1)], minor=True)
    axes.set_yticks([index + 0.5 for index in range(len(layout.labels) - 1)], minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5 if layout.symbols else 0.5)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)


def _explain(drawn: "Figure", keys: Sequence[LegendEntry], layout: _Layout) -> None:
    """Draw the legend below the grid, with a line for each symbol."""
    whole, tall = layout.size
    for number, (key, text) in enumerate(zip(keys, layout.keys, strict=True), 2):
        at = (layout.below - 0.05 - number * _LINE) / tall
        box = {"facecolor": colour(key.mark), "edgecolor": "none", "pad": 2.5}
        drawn.text(
            0.45 / whole, at, key.mark.symbol, fontsize=_SIZE, color=_INK, ha="center", bbox=box
        )
        drawn.text(0.85 / whole, at, text, fontsize=_SIZE, color=_INK)


def legend_text(key: LegendEntry) -> str:
    """Return the legend's text for a symbol, such as `Canary, rank 3, 2.1.0.0: 1 account`."""
    if not key.accounts:
        return key.meaning
    what = ", ".join(filter(None, (key.meaning, key.version)))
    return f"{what}: {key.accounts:,} account{'s' if key.accounts > 1 else ''}"


def _shortened(label: str) -> str:
    """Cut the middle out of a long name, because similar names differ at the beginning or end."""
    if len(label) <= _LONGEST_LABEL:
        return label
    return f"{label[: _LONGEST_LABEL - _KEPT_END - 1]}…{label[-_KEPT_END:]}"

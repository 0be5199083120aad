"""Figures and how they are shown: the figure, its reference in the same run, their ratio."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    value and reference are in `unit`, medians of several rounds that took turns; ratio is the
    median of the rounds' ratios; target is what the project set itself, in words.
    """

    name: str
    value: float
    unit: str
    reference_name: str
    reference: float | None
    ratio: float | None
    target: str


class Rounds(NamedTuple):
    """Two works that took turns: the median of each, and of the ratio within each round."""

    value: float
    reference: float
    ratio: float


def in_turns(rounds: int, work: Callable[[], float], reference: Callable[[], float]) -> Rounds:
    """Run both once a round. A machine that is slow for a while is slow for both."""
    pairs = [(work(), reference()) for _ in range(rounds)]
    return Rounds(
        statistics.median(value for value, _ in pairs),
        statistics.median(other for _, other in pairs),
        statistics.median(value / other for value, other in pairs),
    )


def seconds(work: Callable[[], object]) -> float:
    """How long something took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(figures: Sequence[Figure]) -> None:
    """Print a table for people."""
    table = Table("figure", "measured", "reference", "ratio", "target", title="Measured in one run")
    for figure in figures:
        reference = "-"
        if figure.reference is not None:
            reference = f"{figure.reference_name}: {_number(figure.reference)} {figure.unit}"
        ratio = "-" if figure.ratio is None else f"{figure.ratio:.2f}"
        measured = f"{_number(figure.value)} {figure.unit}"
        table.add_row(figure.name, measured, reference, ratio, figure.target)
    Console().print(table)


def as_json(figures: Sequence[Figure]) -> str:
    """The same for programs."""
    return json.dumps([asdict(figure) for figure in figures], indent=2)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"

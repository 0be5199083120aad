"""Figures with the reference measured in the same run, and their output."""

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

    value, reference: in `unit`, medians of alternating rounds. ratio: median of the rounds' ratios.
    target: the project's own target, in words.
    """

    name: str
    value: float
    unit: str
    reference_name: str
    reference: float | None
    ratio: float | None
    target: str


class Rounds(NamedTuple):
    """Medians of two alternating measurements, and of the ratio within each round."""

    value: float
    reference: float
    ratio: float


def in_turns(rounds: int, work: Callable[[], float], reference: Callable[[], float]) -> Rounds:
    """Run both once per round, so that a temporarily slow machine slows both."""
    pairs = [(work(), reference()) for _ in range(rounds)]
    return Rounds(
        statistics.median(value for value, _ in pairs),
        statistics.median(other for _, other in pairs),
        statistics.median(value / other for value, other in pairs),
    )


def seconds(work: Callable[[], object]) -> float:
    """Measure the duration of a call in seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(figures: Sequence[Figure]) -> None:
    """Print the figures as a table."""
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
    """Encode the figures as JSON."""
    return json.dumps([asdict(figure) for figure in figures], indent=2)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"

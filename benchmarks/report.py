"""Figures and how they are shown: the figure, its reference in the same run, their ratio."""

import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    value and reference are in `unit`, medians of several rounds that took turns; target is what
    the project set itself, in words.
    """

    name: str
    value: float
    unit: str
    reference_name: str
    reference: float | None
    target: str

    @property
    def ratio(self) -> float | None:
        """The figure over its reference."""
        return self.value / self.reference if self.reference else None


def median(values: Iterable[float]) -> float:
    """The middle of several rounds: one slow round on a shared machine does not count."""
    return statistics.median(values)


def in_turns(rounds: int, *works: Callable[[], float]) -> list[float]:
    """Run each work once a round, in turns, and give the median of each."""
    results: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, into in zip(works, results, strict=True):
            into.append(work())
    return [median(values) for values in results]


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
    return json.dumps([asdict(figure) | {"ratio": figure.ratio} for figure in figures], indent=2)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"

"""Write a report as CSV, with a line for each account and device (columns: cells.py)."""

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from eligibility.simulation.matrix import Matrix
from eligibility.simulation.reports.cells import COLUMNS, cells_by_class
from eligibility.simulation.reports.report import SimulationReport
from groups.csv_text import harmless_cell

SIDE = "side"
"""Name of the last column, `now` or `earlier`, if reports show both sides of member changes."""

_BOM = "\ufeff"


def write(report: SimulationReport, out: BinaryIO) -> None:
    """Write UTF-8 with a byte order mark, which spreadsheets need, and with formulas escaped."""
    both = report.earlier is not None
    header = [*COLUMNS, SIDE] if both else list(COLUMNS)
    out.write((_BOM + _line(header)).encode())
    out.writelines(_lines(report.matrix, "now" if both else None))
    if report.earlier is not None:
        out.writelines(_lines(report.earlier, "earlier"))


def _lines(matrix: Matrix, side: str | None) -> Iterator[bytes]:
    """Build the lines of each account. All accounts of a class share the text after the account."""
    more = () if side is None else (side,)
    endings = [
        [_line([*cells, *more]) for cells in cells_of_class]
        for cells_of_class in cells_by_class(matrix)
    ]
    for name, row in zip(matrix.population.addresses(), matrix.rows, strict=True):
        account = _line([name]).removesuffix("\r\n") + ","
        yield "".join([account + ending for ending in endings[row]]).encode()


def _line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless_cell(value)

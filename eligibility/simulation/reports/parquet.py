"""Write a report as Parquet, with a row for each account and device (columns: cells.py).

Accounts of a class differ only in their names, so columns are joined from the bytes of each class,
and rows never become Python objects.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

from eligibility.formats.optional import optional_module
from eligibility.simulation.matrix import Matrix
from eligibility.simulation.reports.cells import COLUMNS, Cell, cells_by_class
from eligibility.simulation.reports.csv_report import SIDE
from eligibility.simulation.reports.report import SimulationReport

_ROWS = 1_000_000
"""Approximate number of rows in a row group."""

_ACCOUNTS = 20_000
"""Most accounts in a row group, so that their names fit into one dictionary page."""

_NUMBER = "i"


def check() -> None:
    """Raise MissingPackage if pyarrow is not installed."""
    _pyarrow()


def _pyarrow(module: str = "pyarrow") -> Any:
    return optional_module(module, "parquet", "reports as Parquet")


def write(report: SimulationReport, out: BinaryIO) -> None:
    """Write the report. Raises: MissingPackage if pyarrow is not installed."""
    pa, parquet = _pyarrow(), _pyarrow("pyarrow.parquet")
    both = report.earlier is not None
    schema = _schema(pa, report, both)
    with parquet.ParquetWriter(out, schema, compression="zstd", use_dictionary=True) as writer:
        for columns in _groups(pa, report.matrix, "now" if both else None):
            writer.write_table(pa.table(columns, schema=schema))
        if report.earlier is not None:
            for columns in _groups(pa, report.earlier, "earlier"):
                writer.write_table(pa.table(columns, schema=schema))


def _schema(pa: Any, report: SimulationReport, both: bool) -> Any:
    text = pa.dictionary(pa.int32(), pa.string())
    columns: dict[str, type] = {**COLUMNS, **({SIDE: str} if both else {})}
    state = report.matrix.state
    metadata = {"product_id": state.product_id, "state": state.label, "moment": str(state.moment)}
    kinds = [(name, pa.bool_() if kind is bool else text) for name, kind in columns.items()]
    return pa.schema(kinds, metadata=metadata)


def _groups(pa: Any, matrix: Matrix, side: str | None) -> Iterator[list[Any]]:
    """Build the columns of one row group after another."""
    devices = len(matrix.devices)
    coded = _coded(cells_by_class(matrix), side)
    at_once = max(1, min(_ACCOUNTS, _ROWS // devices))
    names, rows = matrix.population.addresses(), iter(matrix.rows)
    while some := list(islice(names, at_once)):
        of_class = list(islice(rows, at_once))
        indices = b"".join(
            [array(_NUMBER, [index]).tobytes() * devices for index in range(len(some))]
        )
        yield [
            _column(pa, indices, some),
            *(_column(pa, b"".join([by[row] for row in of_class]), values) for values, by in coded),
        ]


def _coded(
    cells: Sequence[Sequence[Cell]], side: str | None
) -> list[tuple[list[Any], list[bytes]]]:
    """Return, for each column but the account, its values and, by class, their numbers as bytes."""
    more = () if side is None else (side,)
    width = len(COLUMNS) - 1 + len(more)
    numbers: list[dict[Any, int]] = [{} for _ in range(width)]
    by_class: list[list[bytes]] = [[] for _ in range(width)]
    for cells_of_class in cells:
        for position, values in enumerate(
            zip(*((*cell, *more) for cell in cells_of_class), strict=True)
        ):
            known = numbers[position]
            coded = array(_NUMBER, [known.setdefault(value, len(known)) for value in values])
            by_class[position].append(coded.tobytes())
    return [(list(known), coded) for known, coded in zip(numbers, by_class, strict=True)]


def _column(pa: Any, numbers: bytes, values: list[Any]) -> Any:
    count = len(numbers) // array(_NUMBER).itemsize
    indices = pa.Array.from_buffers(pa.int32(), count, [None, pa.py_buffer(numbers)])
    if isinstance(values[0], bool):
        return pa.array(values).take(indices)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))

"""Read CSV files with a header, such as lists of accounts. One fault refuses the whole file."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import TypeVar

from eligibility.errors import Fault, InvalidInput
from eligibility.formats.suggestions import meant
from groups import csv_text
from groups.errors import InvalidCsv
from groups.list_headers import header_key

Cells = Mapping[str, str]
"""A row: column name -> trimmed cell."""

MAX_BYTES = 256 * 1024 * 1024
"""The largest size of a file, in bytes. A file of a million accounts has 30 MB."""

MOST_FAULTS = 1_000
"""Reading stops after this many faults, because a file of the wrong kind has a fault a line."""

_COLUMNS = {"account.id": "account"}
"""Field of a query -> column, if the column is not named like the last part of the field."""

_Row = TypeVar("_Row")
_Read = TypeVar("_Read")


def file_bytes(path: Path) -> bytes:
    """Read the bytes of a file. Raises: InvalidInput if that fails."""
    try:
        return path.read_bytes()
    except OSError as error:
        detail = error.strerror or str(error)
        raise InvalidInput([Fault(str(path), "UNREADABLE", detail)], "the file") from None


def read_table(
    path: Path,
    columns: Collection[str],
    *,
    required: Iterable[str],
    read: Callable[[Cells], _Read],
) -> list[_Read]:
    """Read every row of a file with `read`.

    Args: columns = names that the header may contain; required = names that it must contain;
        read = converts a row to a value, may raise InvalidInput.
    Raises: InvalidInput with every fault, located as `file:line`.
    """
    try:
        rows = list(csv_text.rows(file_bytes(path), MAX_BYTES))
    except InvalidCsv as error:
        raise in_file(path, error) from None
    if not rows:
        detail = f"is empty; the columns are {', '.join(columns)}"
        raise InvalidInput([Fault(str(path), "EMPTY_FILE", detail)], "the file")
    number, names = rows[0]
    header = column_names(names, columns)
    faults = _header_faults(header, columns, required, f"{path}:{number}")
    if faults:
        raise InvalidInput(faults, "the file")
    return rows_read(path, rows[1:], lambda cells: read(named(header, cells)))


def column_names(header: Iterable[str], columns: Iterable[str]) -> list[str]:
    """Return the column that each cell of a header names, or the cell itself."""
    known = {header_key(name): name for name in columns}
    return [known.get(header_key(cell), cell) for cell in header]


def rows_read(
    path: Path, rows: Iterable[tuple[int, _Row]], read: Callable[[_Row], _Read]
) -> list[_Read]:
    """Read each row, by its line, with `read`. Raises: InvalidInput as `read_table` does."""
    values: list[_Read] = []
    faults: list[Fault] = []
    for number, row in rows:
        try:
            values.append(read(row))
        except InvalidInput as error:
            faults += [Fault(f"{path}:{number}", f.code, _within(f)) for f in error.faults]
        if len(faults) >= MOST_FAULTS:
            detail = "the lines after this one were not read"
            faults.append(Fault(f"{path}:{number}", "TOO_MANY_FAULTS", detail))
            break
    if faults:
        raise InvalidInput(faults, "the file")
    return values


def in_file(path: Path, error: InvalidCsv) -> InvalidInput:
    """Convert a CSV error to InvalidInput, and add the file's path to each fault."""
    faults = [
        Fault(f"{path}:{f.loc.removeprefix('line.')}" if f.loc else str(path), f.code, f.detail)
        for f in error.faults
    ]
    return InvalidInput(faults, "the file")


def _within(fault: Fault) -> str:
    column = _COLUMNS.get(fault.loc, fault.loc.rpartition(".")[2])
    return f"{column}: {fault.detail}" if column else fault.detail


def _header_faults(
    header: list[str], columns: Collection[str], required: Iterable[str], loc: str
) -> list[Fault]:
    right = f"; the columns are {', '.join(columns)}"
    unknown = [name for name in header if name not in columns]
    missing = [name for name in required if name not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    details = [
        ("UNKNOWN_COLUMN", f"`{n}` is not a column{meant(n, columns)}{right}") for n in unknown
    ]
    details += [("MISSING_COLUMN", f"the column `{n}` is missing{right}") for n in missing]
    details += [("DUPLICATE_COLUMN", f"the header names `{n}` twice") for n in twice]
    return [Fault(loc, code, detail) for code, detail in details]


def named(header: Sequence[str], cells: Sequence[str]) -> Cells:
    """Name the cells of a row by its header. Raises: InvalidInput if the row has more cells."""
    if any(cells[len(header) :]):
        detail = f"has {len(cells)} cells, but the header has {len(header)}"
        raise InvalidInput([Fault("", "TOO_MANY_CELLS", detail)])
    plain = map(csv_text.plain_cell, cells)
    return dict(zip_longest(header, islice(plain, len(header)), fillvalue=""))

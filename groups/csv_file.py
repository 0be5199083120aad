"""Addresses in CSV files: read what programs really write, and write what none runs as a formula.

Read: a header names the column (config/list_headers.toml), and lines before it are titles; without a
header, a cell of each line has the address. Cells may have a name around the address (mailboxes.py).
Write: one column `email`. A cell that a spreadsheet could run as a formula gets a leading apostrophe,
which reading removes. Source of import and export: Partner Center, KUG; OWASP, "CSV Injection".
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from groups import csv_text
from groups.csv_text import CsvLine, line_fault
from groups.emails import canonical
from groups.errors import Fault, InvalidCsv, InvalidEmails
from groups.list_headers import HeaderRanks, header_key, header_ranks
from groups.mailboxes import addresses_in

MAX_BYTES = 4 * 1024 * 1024
"""Largest file in bytes; a full group of 10,000 of the longest addresses takes 2.5 MB."""

MOST_FAULTS = 10_000

_MOST_TITLES = 30
_FORMULA_STARTS = "=+-@\uff1d\uff0b\uff0d\uff20"  # the last four are their full-width forms
_HAS_ADDRESS = re.compile(r"\S@\S").search
_IS_ADDRESS = re.compile(r'(?:[^<>]*<)?[^\s<>,;|"]+@[^\s<>,;|"]+>?').fullmatch


class AddressRow(NamedTuple):
    """A line of a list. texts: its addresses, as written; none if there is a fault."""

    line: int
    cells: Sequence[str]
    texts: Sequence[str]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class AddressTable:
    """A list of people. header: the cells of the header in line `header_line`; none without."""

    header: Sequence[str]
    header_line: int
    rows: Sequence[AddressRow]


def read(data: bytes, ranks: HeaderRanks | None = None) -> tuple[str, ...]:
    """Return the canonical addresses of a CSV file without duplicates, in order of first appearance.

    Args: ranks = names of columns, by default those that come with the program.
    Raises: InvalidCsv, which lists every wrong line, counted from 1 (at most MOST_FAULTS lines), or
    the fault of the whole file.
    """
    addresses: dict[str, None] = {}
    faults: list[Fault] = []
    for row in read_table(data, ranks).rows:
        faults += [row.fault] if row.fault else []
        for text in row.texts:
            try:
                addresses[canonical(text)] = None
            except InvalidEmails as error:
                faults.append(line_fault(row.line, "INVALID_EMAIL", error.faults[0].detail))
        if len(faults) >= MOST_FAULTS:
            detail = "the lines after this one were not read"
            faults.append(line_fault(row.line, "TOO_MANY_FAULTS", detail))
            break
    if faults:
        raise InvalidCsv(faults)
    return tuple(addresses)


def read_table(
    data: bytes,
    ranks: HeaderRanks | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    placeholders: Collection[str] = (),
) -> AddressTable:
    """Find the header and the addresses of a list of people.

    Args: placeholders = texts in lower case that may replace an address.
    Raises: InvalidCsv if the file cannot be read, or no column has the addresses, or several have.
    """
    known = header_ranks() if ranks is None else ranks
    text, encoding = csv_text.decoded(data, max_bytes)
    layout = _Layout(known, placeholders, encoding)
    lines = [*csv_text.lines(text, layout.fit)]
    if not lines:
        return AddressTable((), 1, ())
    index = layout.header([cells for _, cells in lines[:_MOST_TITLES]])
    if index is None:
        return AddressTable((), 1, layout.listed(lines))
    number, header = lines[index]
    return AddressTable(header, number, layout.below(number, header, lines[index + 1 :]))


def rows(data: bytes, *, max_bytes: int = MAX_BYTES) -> Iterator[CsvLine]:
    """Iterate over the rows of any CSV file that are not empty. Raises: InvalidCsv, maybe late."""
    text, fault = csv_text.decoded(data, max_bytes)
    if fault:
        raise InvalidCsv([fault])
    return csv_text.lines(text)


def write(addresses: Iterable[str]) -> bytes:
    """Return a CSV file with one column, with a byte order mark unless it is all ASCII."""
    text = "".join(f"{harmless_cell(cell)}\r\n" for cell in ("email", *addresses))
    return text.encode("utf-8" if text.isascii() else "utf-8-sig")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Finds header and addresses. encoding: the fault of a file that is not in UTF-8, or None."""

    ranks: HeaderRanks
    placeholders: Collection[str]
    encoding: Fault | None

    def fit(self, delimiter: str, rows: list[list[str]]) -> tuple[object, ...]:
        """Score a delimiter: a known header of several cells, then cells that are addresses."""
        index = self.header(rows)
        named = index is not None and sum(map(bool, rows[index])) > 1
        alone = index is not None and not named
        whole = sum(bool(_IS_ADDRESS(cell)) for row in rows for cell in row)
        return named, not (alone and delimiter == "|"), whole, len(rows[0])

    def header(self, rows: Iterable[list[str]]) -> int | None:
        """Return the index of the best header before the first address; None without a header."""
        best: tuple[int, int] | None = None
        for index, cells in enumerate(rows):
            if any(_IS_ADDRESS(cell) or self._is_placeholder(cell) for cell in cells):
                break
            found = [rank for cell in cells if (rank := self._rank(cell)) is not None]
            if found and (best is None or min(found) < best[0]):
                best = min(found), index
        return None if best is None else best[1]

    def _rank(self, cell: str) -> int | None:
        return self.ranks.get(header_key(cell)) if cell else None

    def _is_placeholder(self, cell: str) -> bool:
        return cell.casefold() in self.placeholders

    def _counts(self, cell: str) -> bool:
        return bool(_HAS_ADDRESS(cell)) or self._is_placeholder(cell)

    def below(self, number: int, header: list[str], lines: list[CsvLine]) -> list[AddressRow]:
        """Read the lines below a header. Raises: InvalidCsv if no column is the one, or several are."""
        ranked = [
            (rank, i) for i, cell in enumerate(header) if (rank := self._rank(cell)) is not None
        ]
        columns = [
            (rank, i)
            for rank, i in sorted(ranked)
            if rank == 0 or any(i < len(cells) and self._counts(cells[i]) for _, cells in lines)
        ]
        if lines and not columns:
            raise self._unknown_header(number, header, lines)
        rows = [self._row(line, cells, columns) for line, cells in lines]
        several = [row for row in rows if len(row.texts) > 1]
        if several:
            names = " and ".join(f"{i + 1} `{header[i]}`" for rank, i in columns if rank == 0)
            also = f" and {len(several) - 1} more" if len(several) > 1 else ""
            detail = (
                f"the columns {names} have different addresses in line {several[0].line}{also}:"
                " keep the column with the addresses that people sign in with"
            )
            raise InvalidCsv([line_fault(number, "DUPLICATE_COLUMN", detail)])
        return rows

    def _row(self, line: int, cells: list[str], columns: Sequence[tuple[int, int]]) -> AddressRow:
        filled = [(rank, cells[i]) for rank, i in columns if i < len(cells) and cells[i]]
        filled = [(rank, cell) for rank, cell in filled if self._counts(cell)] or filled[:1]
        if not filled:
            return _wrong(
                line, cells, "NO_ADDRESS", f"has no address in column {columns[0][1] + 1}"
            )
        best = {self._text(cell).casefold(): cell for rank, cell in filled if rank == filled[0][0]}
        return self._checked(line, cells, [self._text(cell) for cell in best.values()])

    def listed(self, lines: list[CsvLine]) -> list[AddressRow]:
        """Read lines without a header. Raises: InvalidCsv if the first has no address."""
        number, first = lines[0]
        if not any(map(self._counts, first)):
            raise self._unknown_header(number, first, lines[1:])
        return [self._listed_row(line, cells, len(lines) == 1) for line, cells in lines]

    def _listed_row(self, line: int, cells: list[str], only: bool) -> AddressRow:
        filled = [*filter(None, cells)]
        counting = [*filter(self._counts, filled)]
        if len(filled) == 1 or (only and counting == filled):
            texts = [text for cell in filled for text in self._texts(cell)]
            return self._checked(line, cells, texts)
        if not counting:
            return _wrong(line, cells, "NO_ADDRESS", "has no address")
        if len(counting) > 1:
            detail = (
                "has several addresses: put each on a line of its own, or begin with a header that"
                " calls the column to read `email`"
            )
            return _wrong(line, cells, "SEVERAL_ADDRESSES", detail)
        return self._checked(line, cells, [self._text(counting[0])])

    def _texts(self, cell: str) -> list[str]:
        plain = plain_cell(cell)
        return [plain] if self._is_placeholder(plain) else [*addresses_in(plain)]

    def _text(self, cell: str) -> str:
        texts = self._texts(cell)
        return texts[0] if len(texts) == 1 else plain_cell(cell)

    def _unknown_header(self, number: int, header: list[str], lines: list[CsvLine]) -> InvalidCsv:
        """Build the fault of a first line that is neither a known header nor has an address."""
        shown = "`, `".join(filter(None, header))[:200]
        if self.encoding and not shown.isascii():
            return InvalidCsv([self.encoding])
        columns = {i for _, cells in lines for i, cell in enumerate(cells) if _HAS_ADDRESS(cell)}
        column = f"column {columns.pop() + 1}" if len(columns) == 1 else "the column of addresses"
        detail = (
            f"`{shown}` has no address, nor a known name of their column: call {column} `email`"
        )
        return InvalidCsv([line_fault(number, "MISSING_COLUMN", detail)])

    def _checked(self, line: int, cells: list[str], texts: list[str]) -> AddressRow:
        if self.encoding and not all(map(str.isascii, texts)):
            return _wrong(line, cells, self.encoding.code, self.encoding.detail)
        return AddressRow(line, cells, texts)


def _wrong(line: int, cells: list[str], code: str, detail: str) -> AddressRow:
    return AddressRow(line, cells, (), line_fault(line, code, detail))


def harmless_cell(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith((*_FORMULA_STARTS, "'")) else cell


def plain_cell(cell: str) -> str:
    """Remove the apostrophe that `harmless_cell` put before a cell."""
    return (
        cell[1:] if cell.startswith("'") and cell[1:].startswith((*_FORMULA_STARTS, "'")) else cell
    )

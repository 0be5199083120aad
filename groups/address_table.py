"""Lists of people in CSV form: find the header, the column of addresses, and the address of each line.

A known header (config/list_headers.toml) names the column, and lines before it are titles. Without one,
a cell of each line has the address. There may be a name around an address (mailboxes.py).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from groups import csv_text
from groups.csv_text import CsvLine, line_fault, plain_cell
from groups.errors import Fault, InvalidCsv
from groups.list_headers import HeaderRanks, header_key
from groups.mailboxes import addresses_in

_MOST_TITLES = 30
_HAS_ADDRESS = re.compile(r"\S@\S").search
_IS_ADDRESS = re.compile(r'(?:[^<>]*<)?[^\s<>,;|"@]+@[^\s<>,;|"]+>?').fullmatch
_IS_DOTTED = re.compile(r"\S*[^\W\d]\.[^\W\d]\S*").fullmatch  # an address may lack its `@`
_IS_PLAIN = re.compile(r"\w[\w.+-]*@[\w.-]+", re.ASCII).fullmatch


class AddressRow(NamedTuple):
    """A line of a list. texts: its addresses, as written; none if there is a fault."""

    line: int
    cells: Sequence[str]
    texts: Sequence[str]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class AddressTable:
    """A list of people. header: the cells of line `header_line`; none if no line is a known header.

    _columns: rank and index of the columns that may have the addresses, the best (lowest) rank first.
    """

    header: Sequence[str]
    header_line: int
    lines: Sequence[CsvLine]
    _columns: Sequence[tuple[int, int]]
    _reader: "_CellReader"

    @classmethod
    def read(
        cls,
        data: bytes,
        ranks: HeaderRanks,
        *,
        max_bytes: int,
        placeholders: Collection[str] = (),
    ) -> "AddressTable":
        """Read a file. Args: placeholders = texts in lower case that may stand for an address.

        Raises: InvalidCsv if it cannot be read, or nothing says where its addresses are.
        """
        text, encoding = csv_text.decoded(data, max_bytes)
        reader = _CellReader(ranks, placeholders, encoding)
        lines = [*csv_text.lines(text, reader.fit)]
        index = reader.header([cells for _, cells in lines[:_MOST_TITLES]])
        if index is None and (not lines or any(map(reader.counts, lines[0][1]))):
            return cls((), 1, lines, (), reader)
        first, below = lines[index or 0], lines[(index or 0) + 1 :]
        columns = reader.columns(first[1], below)
        if index is None or (below and not columns):
            raise reader.unknown_header(first, below)
        return cls(first[1], first[0], below, columns, reader)

    def rows(self) -> Iterator[AddressRow]:
        """Iterate over the lines. Raises: InvalidCsv at the end if columns have different addresses."""
        several: list[int] = []
        for line, cells in self.lines:
            texts = self._below(cells) if self.header else self._listed(cells)
            if isinstance(texts, Fault):
                yield AddressRow(line, cells, (), Fault(f"line.{line}", texts.code, texts.detail))
                continue
            if self.header and len(texts) > 1:
                several.append(line)
            yield AddressRow(line, cells, texts)
        if several:
            raise self._several_columns(several)

    def _below(self, cells: Sequence[str]) -> Sequence[str] | Fault:
        """Read a line below the header: the different addresses in its columns of the best rank."""
        filled = [(rank, cells[i]) for rank, i in self._columns if i < len(cells) and cells[i]]
        if any(cells[len(self.header) :]) and not any(self._reader.counts(c) for _, c in filled):
            detail = f"has {len(cells)} cells, but the header has {len(self.header)}"
            return Fault(
                "", "TOO_MANY_CELLS", f"{detail}: put quotes around a cell with a delimiter"
            )
        if not filled:
            return Fault("", "NO_ADDRESS", f"has no address in column {self._columns[0][1] + 1}")
        if len(filled) == 1:
            return self._reader.checked([self._reader.text(filled[0][1])])
        counting = [each for each in filled if self._reader.counts(each[1])] or filled[:1]
        best = [self._reader.text(cell) for rank, cell in counting if rank == counting[0][0]]
        return self._reader.checked([*{text.casefold(): text for text in best}.values()])

    def _listed(self, cells: Sequence[str]) -> Sequence[str] | Fault:
        """Read a line of a list without a header."""
        filled = [*filter(None, cells)]
        if len(filled) == 1:
            return self._reader.checked(self._reader.texts(filled[0]))
        counting = [c for c in filled if self._reader.counts(c) or _IS_DOTTED(c)]
        if len(self.lines) == 1 and counting == filled:
            return self._reader.checked(
                [text for cell in filled for text in self._reader.texts(cell)]
            )
        if not counting:
            return Fault("", "NO_ADDRESS", "has no address")
        if len(counting) > 1:
            detail = (
                "has several addresses: put each on a line of its own, or begin with a header that"
                " calls the column to read `email`"
            )
            return Fault("", "SEVERAL_ADDRESSES", detail)
        return self._reader.checked([self._reader.text(counting[0])])

    def _several_columns(self, lines: Sequence[int]) -> InvalidCsv:
        best = self._columns[0][0]
        names = " and ".join(
            f"{i + 1} `{self.header[i]}`" for rank, i in self._columns if rank == best
        )
        also = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
        detail = (
            f"the columns {names} have different addresses in line {lines[0]}{also}:"
            " keep only the column with the addresses that people sign in with"
        )
        return InvalidCsv([line_fault(self.header_line, "DUPLICATE_COLUMN", detail)])


@dataclass(frozen=True, slots=True)
class _CellReader:
    """Knows headers and addresses. encoding: the fault of a file that is not in UTF-8, or None."""

    ranks: HeaderRanks
    placeholders: Collection[str]
    encoding: Fault | None

    def fit(self, delimiter: str, rows: Sequence[Sequence[str]]) -> tuple[object, ...]:
        """Score a delimiter: a known header of several cells, then cells that are addresses."""
        index = self.header(rows)
        named = index is not None and sum(map(bool, rows[index])) > 1
        alone = index is not None and not named
        whole = sum(bool(_IS_ADDRESS(cell)) for row in rows for cell in row)
        return named, not (alone and delimiter == "|"), whole, len(rows[0])

    def header(self, rows: Iterable[Sequence[str]]) -> int | None:
        """Return the index of the best header before the first address; None without a header."""
        best: tuple[int, int] | None = None
        for index, cells in enumerate(rows):
            if any(_IS_ADDRESS(cell) or self._is_placeholder(cell) for cell in cells):
                break
            ranks = [rank for cell in cells if (rank := self._rank(cell)) is not None]
            if ranks and (best is None or min(ranks) < best[0]):
                best = min(ranks), index
        return None if best is None else best[1]

    def columns(self, header: Sequence[str], lines: Iterable[CsvLine]) -> list[tuple[int, int]]:
        """List the columns that may have the addresses; those of a lower rank only if they have any."""
        ranked = [
            (rank, index)
            for index, cell in enumerate(header)
            if (rank := self._rank(cell)) is not None
        ]
        return sorted(
            (rank, i)
            for rank, i in ranked
            if rank == 0 or any(i < len(cells) and self.counts(cells[i]) for _, cells in lines)
        )

    def counts(self, cell: str) -> bool:
        """Return whether a cell has something like an address, or a placeholder."""
        return bool(_HAS_ADDRESS(cell)) or self._is_placeholder(cell)

    def texts(self, cell: str) -> list[str]:
        """List the addresses of a cell."""
        if _IS_PLAIN(cell):
            return [cell]
        plain = plain_cell(cell)
        return [plain] if self._is_placeholder(plain) else [*addresses_in(plain)]

    def text(self, cell: str) -> str:
        """Return the only address of a cell, or the cell."""
        texts = self.texts(cell)
        return texts[0] if len(texts) == 1 else plain_cell(cell)

    def checked(self, texts: list[str]) -> list[str] | Fault:
        """Return the texts, or the fault of the encoding, which can only spell ASCII for certain."""
        return texts if self.encoding is None or all(map(str.isascii, texts)) else self.encoding

    def unknown_header(self, first: CsvLine, lines: Iterable[CsvLine]) -> InvalidCsv:
        """Build the fault of a first line that is neither a known header nor has an address."""
        number, header = first
        shown = "`, `".join(filter(None, header))[:200]
        if self.encoding and not shown.isascii():
            return InvalidCsv([self.encoding])
        columns = {i for _, cells in lines for i, cell in enumerate(cells) if _HAS_ADDRESS(cell)}
        column = f"column {columns.pop() + 1}" if len(columns) == 1 else "the column of addresses"
        detail = (
            f"`{shown}` has no address, nor a known name of their column: call {column} `email`"
        )
        return InvalidCsv([line_fault(number, "MISSING_COLUMN", detail)])

    def _rank(self, cell: str) -> int | None:
        return self.ranks.get(header_key(cell)) if cell else None

    def _is_placeholder(self, cell: str) -> bool:
        return cell.casefold() in self.placeholders

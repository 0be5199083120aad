"""Addresses in CSV files: read what spreadsheets write, and write what they do not run as formulas.

Read: a header names the column (`email`, `e-mail`, `address`, `mail`); without a header the first
column has the addresses. Delimiter: comma, semicolon or tab. Encoding: UTF-8, or UTF-16 with a byte
order mark. Write: one column `email`. A cell that a spreadsheet could run as a formula gets a leading
apostrophe, which reading removes. Source of import and export: Partner Center, KUG; RFC 4180; OWASP,
"CSV Injection".
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator

from groups.emails import canonical
from groups.errors import Fault, InvalidCsv, InvalidEmails

MAX_BYTES = 4 * 1024 * 1024
"""Largest file in bytes; a full group of 10,000 of the longest addresses takes 2.5 MB."""

MOST_FAULTS = 10_000
HEADERS = ("email", "e-mail", "address", "mail", "email address", "e-mail address")

_DELIMITERS = ",;\t"
_LONGEST_LINE = 10_000
_FORMULA_STARTS = "=+-@\uff1d\uff0b\uff0d\uff20"  # the last four are their full-width forms
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

CsvLine = tuple[int, list[str]]
"""The number of a line, counted from 1, and its cells without surrounding blanks."""


def read(data: bytes) -> tuple[str, ...]:
    """Return the canonical addresses of a CSV file without duplicates, in order of first appearance.

    Raises: InvalidCsv, which lists every wrong line, counted from 1 (at most MOST_FAULTS lines), or
    the fault of the whole file.
    """
    lines = list(_lines(_text(data, MAX_BYTES)))
    column = _column(lines[0][1]) if lines else None
    if column is not None:
        lines.pop(0)
    addresses: dict[str, None] = {}
    faults: list[Fault] = []
    for number, cells in lines:
        try:
            addresses[_address(cells, column)] = None
        except _Wrong as wrong:
            faults.append(_fault(number, wrong.code, wrong.detail))
        if len(faults) == MOST_FAULTS:
            faults.append(
                _fault(number, "TOO_MANY_FAULTS", "the lines after this one were not read")
            )
            break
    if faults:
        raise InvalidCsv(faults)
    return tuple(addresses)


def rows(data: bytes, *, max_bytes: int = MAX_BYTES) -> Iterator[CsvLine]:
    """Iterate over the rows of any CSV file that are not empty. Raises: InvalidCsv, maybe late."""
    return _lines(_text(data, max_bytes))


def write(addresses: Iterable[str]) -> bytes:
    """Return a CSV file with one column, with a byte order mark unless it is all ASCII."""
    text = "".join(f"{harmless_cell(cell)}\r\n" for cell in ("email", *addresses))
    return text.encode("utf-8" if text.isascii() else "utf-8-sig")


class _Wrong(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def _fault(number: int, code: str, detail: str) -> Fault:
    return Fault(f"line.{number}", code, detail)


def _text(data: bytes, max_bytes: int) -> str:
    """Decode the file. Raises: InvalidCsv if it is too large, not text, or in another encoding."""
    if len(data) > max_bytes:
        detail = f"has {len(data):,} bytes; at most {max_bytes:,} are accepted"
        raise InvalidCsv([Fault("", "FILE_TOO_LARGE", detail)])
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        detail = f"is not {encoding.upper()}: save the file as `CSV UTF-8`"
        raise InvalidCsv([_fault(number, "NOT_TEXT", detail)]) from None
    at = text.find("\0")
    if at < 0:
        return text
    number = text.count("\n", 0, at) + 1
    utf16 = text.count("\0") * 3 > len(text)
    detail = (
        "looks like UTF-16 without its byte order mark"
        if utf16
        else "contains a NUL byte, so it is not a text file"
    )
    raise InvalidCsv([_fault(number, "NOT_TEXT", f"{detail}: save the file as `CSV UTF-8`")])


def _lines(text: str) -> Iterator[CsvLine]:
    """Split the text into lines that are not empty. Raises: InvalidCsv for a malformed line."""
    for number, line in enumerate(_physical(text), 1):
        if len(line) > _LONGEST_LINE:
            detail = f"has {len(line):,} characters: put each address on a line of its own"
            raise InvalidCsv([_fault(number, "LINE_TOO_LONG", detail)])
    rows = csv.reader(_physical(text), delimiter=_delimiter(text), strict=True)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield rows.line_num, cells
    except csv.Error as error:
        raise InvalidCsv([_fault(rows.line_num, "MALFORMED_CSV", str(error))]) from None


def _physical(text: str) -> Iterator[str]:
    """Split the text into lines as an editor counts them: LF, CRLF and CR each end a line."""
    return io.StringIO(text, newline="")


def _delimiter(text: str) -> str:
    """Return the most frequent delimiter in the first line with content; a comma if it has none."""
    first = next((line for line in _physical(text) if line.strip(_DELIMITERS + " \r\n")), "")
    return max(_DELIMITERS, key=first.count)


def _column(first: list[str]) -> int | None:
    """Find the column of addresses by its header; None if the first line is not a header."""
    names = [cell.casefold() for cell in first]
    return next((names.index(known) for known in HEADERS if known in names), None)


def _address(cells: list[str], column: int | None) -> str:
    if column is None and sum("@" in cell for cell in cells) > 1:
        named = ", ".join(f"`{name}`" for name in HEADERS[:4])
        detail = f"has several addresses, and no header names the column to read: call it {named}"
        raise _Wrong("SEVERAL_ADDRESSES", detail)
    cell = cells[column or 0] if (column or 0) < len(cells) else ""
    if not cell:
        raise _Wrong("NO_ADDRESS", f"has no address in column {(column or 0) + 1}")
    try:
        return canonical(plain_cell(cell))
    except InvalidEmails as error:
        raise _Wrong("INVALID_EMAIL", error.faults[0].detail) from None


def harmless_cell(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith((*_FORMULA_STARTS, "'")) else cell


def plain_cell(cell: str) -> str:
    """Remove the apostrophe that `harmless_cell` put before a cell."""
    return (
        cell[1:] if cell.startswith("'") and cell[1:].startswith((*_FORMULA_STARTS, "'")) else cell
    )

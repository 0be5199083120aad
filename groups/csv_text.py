"""CSV files as text and lines: encoding, delimiter, quotes. What the cells mean is not known here.

Delimiter: comma, semicolon, tab or bar; a first line such as `sep=;` names it. Encoding: UTF-8, or
UTF-16 and UTF-32 with a byte order mark. Source: RFC 4180, and what spreadsheets write.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from groups.errors import Fault, InvalidCsv
from groups.file_kinds import not_csv
from groups.text_encoding import byte_order_mark

CsvLine = tuple[int, list[str]]
"""The number of a line, counted from 1, and its cells without surrounding blanks."""

_DELIMITERS = ",;\t|"
_FORMULA_STARTS = "=+-@\uff1d\uff0b\uff0d\uff20"  # the last four are their full-width forms
_LONGEST_LINE = 10_000
_SAMPLE = 65_536
_SAMPLE_LINES = 30
_SEP = re.compile(r'"?sep=([^\w\s"\'@]|\t)"?[ \t,;]*(?=[\r\n]|$)', re.IGNORECASE)
_BLANK_AFTER_QUOTE = re.compile(
    r'((?:^|[,;\t|])[ \t\xa0]*"(?:[^"]|"")*")[ \t\xa0]+(?=[,;\t|\r\n]|$)', re.MULTILINE
)

_NAME_BEFORE_ANGLE = re.compile(r'(?<!")"(?:[^"]|"")*"[ \t]*(?=<[^<>"]*@)')

Score = Callable[[str, list[list[str]]], Any]
"""How well a delimiter, and the first rows read with it, fit a file; the greatest is chosen."""


def rows(data: bytes, max_bytes: int) -> Iterator[CsvLine]:
    """Iterate over the rows of any CSV file that are not empty. Raises: InvalidCsv, maybe late."""
    text, fault = decoded(data, max_bytes)
    if fault:
        raise InvalidCsv([fault])
    return lines(text)


def decoded(data: bytes, max_bytes: int) -> tuple[str, Fault | None]:
    """Decode a file; if it is in no encoding known here, as Windows-1252, with the fault of it.

    Raises: InvalidCsv if it is too large, or surely no text.
    """
    if kind := not_csv(data):
        raise InvalidCsv([Fault("", "NOT_CSV", kind)])
    if len(data) > max_bytes:
        detail = f"has {len(data):,} bytes; at most {max_bytes:,} are accepted"
        raise InvalidCsv([Fault("", "FILE_TOO_LARGE", detail)])
    mark, encoding = byte_order_mark(data)
    fault = None
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        detail = f"is not {encoding.upper()}: save the file as `CSV UTF-8`"
        fault = line_fault(number, "NOT_TEXT", detail)
        if mark or b"\0" in data:
            raise InvalidCsv([fault]) from None
        text = data.decode("cp1252", "replace")
    _check_nul(text)
    return text, fault


def _check_nul(text: str) -> None:
    """Check that a text has no NUL character. Raises: InvalidCsv."""
    at = text.find("\0")
    if at < 0:
        return
    utf16 = text.count("\0") * 3 > len(text)
    detail = (
        "looks like UTF-16 without its byte order mark"
        if utf16
        else "contains a NUL byte, so it is not a text file"
    )
    number = text.count("\n", 0, at) + 1
    raise InvalidCsv([line_fault(number, "NOT_TEXT", f"{detail}: save the file as `CSV UTF-8`")])


def line_fault(number: int, code: str, detail: str) -> Fault:
    """Build the fault of a line."""
    return Fault(f"line.{number}", code, detail)


def lines(text: str, score: Score = lambda _, rows: len(rows[0])) -> Iterator[CsvLine]:
    """Split a text into lines that are not empty. Raises: InvalidCsv for a malformed line.

    Args: score = chooses the delimiter if the text does not name it; by default, the one that gives
        the first line the most cells.
    """
    for number, line in enumerate(_physical(text), 1):
        if len(line) > _LONGEST_LINE:
            detail = f"has {len(line):,} characters: put each address on a line of its own"
            raise InvalidCsv([line_fault(number, "LINE_TOO_LONG", detail)])
    named = _SEP.match(text)
    text = _strictly_quoted(text[named.end() :] if named else text)
    delimiter = named[1] if named else _delimiter(text, score)
    rows = csv.reader(_physical(text), delimiter=delimiter, skipinitialspace=True, strict=True)
    number = 1
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield number, cells
            number = rows.line_num + 1
    except csv.Error as error:
        detail = "has text after a closing quote: put the quotes around the whole cell"
        if "expected after" not in str(error):
            detail = "opens a quote that is never closed"
        raise InvalidCsv([line_fault(number, "MALFORMED_CSV", detail)]) from None


def _strictly_quoted(text: str) -> str:
    """Remove what stands between a closing quote and the end of its cell: blanks, or `<address>`'s name."""
    if '" <' in text or '"<' in text:
        text = _NAME_BEFORE_ANGLE.sub("", text)
    if '" ' in text or '"\t' in text or '"\xa0' in text:
        text = _BLANK_AFTER_QUOTE.sub(r"\1", text)
    return text


def _physical(text: str) -> Iterator[str]:
    """Split the text into lines as an editor counts them: LF, CRLF and CR each end a line."""
    return io.StringIO(text, newline="")


def _delimiter(text: str, score: Score) -> str:
    scores: dict[str, Any] = {}
    for delimiter in _DELIMITERS:
        sample = csv.reader(_physical(text[:_SAMPLE]), delimiter=delimiter, skipinitialspace=True)
        cells = ([cell.strip() for cell in row] for row in sample)
        filled = (row for row in cells if "".join(row).strip(_DELIMITERS))
        if rows := [*islice(filled, _SAMPLE_LINES)]:
            scores[delimiter] = score(delimiter, rows)
    return max(scores, key=scores.__getitem__, default=_DELIMITERS[0])


def harmless_cell(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith((*_FORMULA_STARTS, "'")) else cell


def plain_cell(cell: str) -> str:
    """Remove the apostrophe that `harmless_cell` put before a cell."""
    return (
        cell[1:] if cell.startswith("'") and cell[1:].startswith((*_FORMULA_STARTS, "'")) else cell
    )

"""CSV files of addresses: what spreadsheets really write is read, and nothing written can run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groups import csv_file
from groups.emails import canonical
from groups.errors import InvalidCsv

ADA, GRACE = "ada@example.com", "grace@example.com"

READ = {
    "one address a line": b"ada@example.com\ngrace@example.com\n",
    "a header": b"email\nada@example.com\ngrace@example.com",
    "another header, in capitals": b"E-MAIL\r\nada@example.com\r\ngrace@example.com\r\n",
    "a header that names a later column": b"Name,Mail\nAda,ada@example.com\nGrace,grace@example.com",
    "two columns that could be it: the better name": (
        b"address,email\nMain Street 1,ada@example.com\n,grace@example.com"
    ),
    "no header: the first column": b"ada@example.com,Ada\ngrace@example.com,Grace",
    "semicolons": b"email;name\nada@example.com;Lovelace, Ada\ngrace@example.com;Grace",
    "tabs": b"name\temail\nAda\tada@example.com\nGrace\tgrace@example.com",
    "quotes, and a line break within": (
        b'"name","email"\r\n"Lovelace,\r\nAda","ada@example.com"\r\n"Grace ""G""","grace@example.com"\r\n'
    ),
    "old line ends": b"email\rada@example.com\rgrace@example.com\r",
    "blank lines and trailing commas": b"\n,,\nada@example.com,,\n\ngrace@example.com,\n,\n",
    "blanks and capitals": b"  ADA@Example.com  ,x\n grace@EXAMPLE.com",
    "a byte order mark": b"\xef\xbb\xbfemail\nada@example.com\ngrace@example.com",
    "UTF-16 of Excel": "email\r\nada@example.com\r\ngrace@example.com".encode("utf-16"),
    "UTF-16, the other way round": b"\xfe\xff"
    + "email\tname\r\nada@example.com\tAda\r\ngrace@example.com\tGrace".encode("utf-16-be"),
    "the same address in two spellings": b"ada@example.com\ngrace@example.com\nAda@EXAMPLE.com",
}


@pytest.mark.parametrize("data", READ.values(), ids=READ)
def test_what_spreadsheets_write_is_read(data: bytes) -> None:
    assert csv_file.read(data) == (ADA, GRACE)


REFUSED = {
    "a bad line among good ones": (
        b"email\nada@example.com\nnobody\n\ngrace@@example.com\n",
        {"line.3": "has 0 `@`", "line.5": "has 2 `@`"},
    ),
    "a line without an address": (
        b"name,email\nAda,\nBob",
        {"line.2": "column 2", "line.3": "column 2"},
    ),
    "a header nobody knows": (b"Tester\nada@example.com", {"line.1": "call column 1 `email`"}),
    "several addresses and no header": (
        b"ada@example.com,grace@example.com\nbob@example.com",
        {"line.1": "calls the column to read `email`"},
    ),
    "a formula": (b'email\n=HYPERLINK("http://x.example")', {"line.2": "has 0 `@`"}),
    "binary": (bytes(range(256)) * 4, {"line.2": "is not UTF-8"}),
    "NUL bytes": (b"ada@example.com\ngrace\0@example.com", {"line.2": "contains a NUL byte"}),
    "UTF-16 without its mark": (
        "email\nada@example.com".encode("utf-16-le"),
        {"line.1": "looks like UTF-16 without its byte order mark"},
    ),
    "half a UTF-16 letter": (b"\xff\xfea\0b", {"line.1": "is not UTF-16-LE"}),
    "an encoding of the nineties": (
        "josé@example.com".encode("latin-1"),
        {"line.1": "save the file"},
    ),
    "one very long line": (b"ada@example.com " * 100_000, {"line.1": "has 1,600,000 characters"}),
    "too many bytes": (b"x" * (csv_file.MAX_BYTES + 1), {"": "has 4,194,305 bytes"}),
    "a quote that never ends": (
        b'email\n"ada@example.com\n',
        {"line.2": "opens a quote that is never closed"},
    ),
}


@pytest.mark.parametrize(("data", "faults"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_named_with_its_line(data: bytes, faults: dict[str, str]) -> None:
    with pytest.raises(InvalidCsv) as refused:
        csv_file.read(data)
    assert [fault.loc for fault in refused.value.faults] == list(faults)
    for fault, words in zip(refused.value.faults, faults.values(), strict=True):
        assert words in fault.detail


def test_faults_end_somewhere() -> None:
    with pytest.raises(InvalidCsv) as refused:
        csv_file.read(b"email\n" + b"x\n" * 50_000)
    assert len(refused.value.faults) == csv_file.MOST_FAULTS + 1
    assert refused.value.faults[-1].code == "TOO_MANY_FAULTS"


def test_a_file_with_nothing_in_it_has_no_addresses() -> None:
    for data in (b"", b"\n\n", b"email\n", b",,\n", b"\xef\xbb\xbf"):
        assert csv_file.read(data) == ()


_FIRST = st.sampled_from("ab=+-\u00e9!#|")
_ADDRESSES = st.builds("{}{}@example.com".format, _FIRST, st.text("=+-'|ab", max_size=3)).map(
    canonical
)


@given(st.lists(_ADDRESSES, unique=True))
def test_what_is_written_reads_back_and_no_cell_is_a_formula(addresses: list[str]) -> None:
    data = csv_file.write(addresses)
    assert csv_file.read(data) == tuple(addresses)
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["email"]
    assert all(
        len(row) == 1 and row[0][0] not in "=+-@\uff1d\uff0b\uff0d\uff20\t\r" for row in rows
    )

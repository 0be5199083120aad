"""CSV files of addresses: what spreadsheets really write is read, and nothing written can run."""

import csv
import io
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groups import csv_file
from groups.emails import canonical
from groups.errors import Fault, InvalidCsv
from groups.list_headers import header_ranks

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
    "a postal address beside it": (
        b'"Email Address","First Name",Address\nada@example.com,Ada,"Main Street 1, Bath"\n'
        b"grace@example.com,Grace,"
    ),
    "another in German": b"Adresse;E-Mail-Adresse\nBonn;ada@example.com\nKiel;grace@example.com",
    "a first line for Excel": b"sep=;\r\nName;E-Mail\r\nA, B;ada@example.com\r\nC;grace@example.com",
    "quotes around it": b'"sep=|"\nName|Email\nA|ada@example.com\nC|grace@example.com',
    "delimiters within quotes": (
        b'"Name, first, last";"E-Mail"\n"L, A, B, C";"ada@example.com"\n"H";"grace@example.com"'
    ),
    "bars": b"Name|Email\nAda|ada@example.com\nGrace|grace@example.com",
    "blanks around quotes": b'Name, Email\nAda , "ada@example.com" \n"Grace" ,"grace@example.com"',
    "the same without a header": b'Lovelace, "ada@example.com"\nHopper, "grace@example.com"',
    "a hard space, a colon and an asterisk": (
        "Name,\u00a0Email:*\u00a0\nAda,ada@example.com\nGrace,\u00a0grace@example.com".encode()
    ),
    "a note in the header": b"Email Address [Required]\nada@example.com\ngrace@example.com",
    "titles": (
        b"Testers, spring\n;;\nmade by eve@example.com today\nName;E-Mail\n"
        b"A, B;ada@example.com\nC;grace@example.com"
    ),
    "a title that is a name of a column": b"Users\nName,Email\nA,ada@example.com\nG,grace@example.com",
    "first, last and address without a header": (
        b"Ada,Lovelace,ada@example.com\nGrace,Hopper,grace@example.com"
    ),
    "two columns, each address in one": b"email,email\nada@example.com,\n,grace@example.com",
    "two columns with the same": (
        b"Email,E-mail 2\nada@example.com,ADA@example.com\ngrace@example.com,"
    ),
    "names people sign in with beside it": (
        b"User principal name,Mail\nada@c.example,ada@example.com\ngrace@example.com,"
    ),
    "names and addresses in one cell": (
        b'email\n"Lovelace, Ada <ada@example.com>"\nGrace (grace@example.com)'
    ),
    "as Outlook shows people": b'Lovelace, Ada <ada@example.com>\n"Hopper, G" <grace@example.com>',
    "links": b"email\nmailto:ada@example.com\n<grace@example.com>",
    "all in one line": b"ada@example.com, grace@example.com",
    "all in one line, with names": b"Ada <ada@example.com>; Hopper, Grace <grace@example.com>",
    "blanks between them": b"ada@example.com grace@example.com",
    "a name in another encoding": "E-Mail;Name\nada@example.com;J\u00f6rg\ngrace@example.com;G".encode(
        "cp1252"
    ),
    "a header in another encoding": "Adresse \u00e9lectronique\nada@example.com\ngrace@example.com".encode(
        "cp1252"
    ),
    "UTF-32": "Name\tEmail\nAda\tada@example.com\nG\tgrace@example.com".encode("utf-32"),
    "trailing delimiters": b"email;;\nada@example.com;;\ngrace@example.com;;\n",
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
    "a comma without quotes": (
        b"Name,Email\nLovelace, Ada,ada@example.com",
        {"line.2": "has 3 cells, but the header has 2: put quotes around"},
    ),
    "an address without its sign beside another": (
        b"ada.example.com,grace@example.com\neve@example.com,Eve",
        {"line.1": "has several addresses"},
    ),
    "text after a quote": (b'email\n\n"ada"x@example.com', {"line.3": "around the whole cell"}),
    "a postal address alone": (
        b"Name,Address\nAda,Main Street 1\nGrace,High Street 2",
        {"line.1": "`Name`, `Address` has no address"},
    ),
    "an unknown header: one fault, not one a line": (
        b"Wer,Wie\n" + b"Ada,ada@example.com\n" * 50,
        {"line.1": "call column 2 `email`"},
    ),
    "a title without a header": (b"Spring\nada@example.com", {"line.1": "call column 1 `email`"}),
    "two columns with different addresses": (
        b"Name,email,email\nA,ada@example.com,\nG,grace@example.com,g@example.com",
        {"line.1": "the columns 2 `email` and 3 `email` have different addresses in line 3"},
    ),
    "a second address": (
        b"E-mail 1 - Value,E-mail 2 - Value\nada@example.com,a@example.com\nb@x.com,c@x.com",
        {"line.1": "in line 2 and 1 more: keep only the column"},
    ),
    "two addresses in a cell": (
        b"email\nada@example.com ::: grace@example.com",
        {"line.2": "has 2 `@`"},
    ),
    "typographic quotes in an address": (
        "Name;E-Mail\nA;ada@example.com\nO;o\u2019brien@example.com".encode(),
        {"line.3": "write `'`"},
    ),
    "an apostrophe before an address": (b"email\n'ada@example.com", {"line.2": "leave it out"}),
    "an address in another encoding": (
        "E-Mail;Name\nada@example.com;A\nj\u00f6rg@example.com;J".encode("cp1252"),
        {"line.3": "save the file as `CSV UTF-8`"},
    ),
    "an unknown header in another encoding": (
        "\u540d,\u30e1\u30fc\u30eb\nAda,ada@example.com".encode("shift-jis"),
        {"line.1": "is not UTF-8"},
    ),
    "a workbook": (b"PK\x03\x04....xl/workbook.xml", {"": "Save As > `CSV UTF-8"}),
    "an old workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64),
        {"": "Excel workbook (.xls"},
    ),
    "an OpenDocument spreadsheet": (
        b"PK\x03\x04..mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        {"": "an OpenDocument spreadsheet (.ods)"},
    ),
    "a Numbers spreadsheet": (b"PK\x03\x04..Index/Document.iwa", {"": "Export To > CSV"}),
    "an archive": (b"PK\x03\x04..testers.csv", {"": "unpack it"}),
    "a compressed file": (b"\x1f\x8b\x08" + bytes(9), {"": "unpack it"}),
    "a PDF file": (b"%PDF-1.7", {"": "one a line"}),
    "JSON": (b'{"emails": ["ada@example.com"]}', {"": "save the addresses as CSV"}),
    "a workbook that is too large": (
        b"PK\x03\x04xl/workbook.xml" + bytes(csv_file.MAX_BYTES),
        {"": "Excel workbook"},
    ),
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


def test_an_operator_adds_names_of_columns(tmp_path: Path) -> None:
    more = tmp_path / "more.toml"
    more.write_text('email = ["Wie erreichbar?"]', "utf-8")
    data = b"Wer;Wie erreichbar\nAda;ada@example.com\n"
    with pytest.raises(InvalidCsv):
        csv_file.read(data)
    assert csv_file.read(data, header_ranks(more)) == (ADA,)
    assert csv_file.read(b"email\nada@example.com", header_ranks(more)) == (ADA,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mail = []", "`mail` is not a kind of column; the kinds are email, sign_in, address"),
        ('email = "x"', "`email` must be a list of texts"),
        ("email = [1]", "`email` must be a list of texts"),
        ('email = ["*"]', "`email` has a name without letters"),
        ("email", "Expected '='"),
    ],
)
def test_a_file_of_names_that_is_wrong_is_refused(tmp_path: Path, text: str, said: str) -> None:
    more = tmp_path / "more.toml"
    more.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=re.escape(said)):
        header_ranks(more)


@pytest.mark.parametrize(
    "line",
    [
        "@" * 9_000 + " ",
        "a@" * 4_000 + " ",
        '"a" ' * 2_000,
        '"" <@' * 1_000,
        "a.b " * 2_000,
        "(" * 9_000,
    ],
)
def test_a_file_of_long_lines_takes_linear_time(line: str) -> None:
    started = time.process_time()
    with suppress(InvalidCsv):
        csv_file.read(f"{line}\n".encode() * 100)
    assert time.process_time() - started < 10


_LINES = st.lists(
    st.sampled_from(
        [
            "email",
            "Name;E-Mail",
            "ada@example.com",
            "Ada;ada@example.com",
            '"',
            "sep=;",
            "\u00e9",
            ",",
        ]
    )
    | st.text(max_size=6),
    max_size=6,
).map("\n".join)


@given(_LINES.map(str.encode) | st.binary(max_size=60) | _LINES.map(lambda t: t.encode("utf-16")))
@example(b"\xff")
@example(b"PK\x03\x04")
@example(b'sep="\n"')
def test_any_file_gives_addresses_or_faults_that_say_where(data: bytes) -> None:
    addresses: tuple[str, ...] = ()
    faults: list[Fault] = []
    try:
        addresses = csv_file.read(data)
    except InvalidCsv as error:
        faults = error.faults
    for fault in faults:
        assert fault.detail
        assert fault.loc.startswith("line.") or fault.code in ("NOT_CSV", "FILE_TOO_LARGE")
    assert all(canonical(address) == address for address in addresses)


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

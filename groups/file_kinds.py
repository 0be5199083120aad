"""Files that are no CSV files: recognise them by their first bytes, and say how to get a CSV file."""

import re

_EXCEL = "in Excel choose File > Save As > `CSV UTF-8 (Comma delimited)`"
_SHEET = "in the spreadsheet program choose File > Save As > CSV, in UTF-8"
_UNPACK = "unpack it, and bring the CSV file that is in it"
_PLAIN = "copy the addresses into a text file, one a line"

_IN_ZIP = (
    (b"opendocument.spreadsheet", f"an OpenDocument spreadsheet (.ods): {_SHEET}"),
    (b"xl/", f"an Excel workbook (.xlsx): {_EXCEL}"),
    (b"Index/", "a Numbers spreadsheet: in Numbers choose File > Export To > CSV, in UTF-8"),
    (b"word/", f"a Word document (.docx): {_PLAIN}"),
)
_KINDS = (
    (rb"\xd0\xcf\x11\xe0", f"an Excel workbook (.xls, or one with a password): {_EXCEL}"),
    (rb"PK[\x03\x05]", f"a ZIP archive: {_UNPACK}"),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ", f"a compressed file: {_UNPACK}"),
    (rb"%PDF", f"a PDF file: {_PLAIN}"),
    (rb"\{\\rtf", f"a document with formats (.rtf): {_PLAIN}"),
    (rb"SQLite format 3", "a database: export the addresses as CSV"),
    (
        rb"(?i)<(\?xml|!doctype|html|head|meta|body|table)\b",
        f"a web page or XML, as some programs write in place of a spreadsheet: open it, and {_SHEET}",
    ),
    (rb"(?i)BEGIN:V", "a list of contacts in vCard form (.vcf): export the contacts as CSV"),
    (rb"\{\s*[\"}]|\[\s*[\"{\]]", "JSON: save the addresses as CSV, or one a line"),
)
_BEFORE = re.compile(rb"(?:\xef\xbb\xbf)?\s*")


def not_csv(data: bytes) -> str | None:
    """Say what a file is and how to get a CSV file from it; None if it may be a CSV file."""
    begin = _BEFORE.match(data)
    start = begin.end() if begin else 0
    if data.startswith(b"PK\3\4"):
        for sign, kind in _IN_ZIP:
            if sign in data:
                return f"is not a CSV file but {kind}"
    for pattern, kind in _KINDS:
        if re.compile(pattern).match(data, start):
            return f"is not a CSV file but {kind}"
    return None

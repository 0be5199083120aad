"""Lists in the shapes that programs export them, one file each in tests/data/lists."""

from pathlib import Path

import pytest

from groups import csv_file
from groups.errors import InvalidCsv

LISTS = Path(__file__).parent.parent / "data" / "lists"
BOTH = ("jane@contoso.example", "bob@fabrikam.example")

READ = {
    "excel-german.csv": ("juergen@contoso.example", "anna@fabrikam.example"),
    "excel-utf8.csv": ("jane@contoso.example", "josé@fabrikam.example"),
    "excel-sep.csv": BOTH,
    "excel-unicode.txt": BOTH,
    "excel-title.csv": BOTH,
    "google-contacts.csv": BOTH,
    "google-groups.csv": BOTH,
    "outlook.csv": BOTH,
    "outlook-french.csv": BOTH,
    "outlook-paste.txt": BOTH,
    "entra-users.csv": BOTH,
    "testflight.csv": BOTH,
    "testflight-export.csv": BOTH,
    "firebase.csv": BOTH,
    "google-play.csv": BOTH,
    "partner-center.csv": BOTH,
    "forms.csv": BOTH,
    "teams-attendance.csv": BOTH,
    "japanese.csv": BOTH,
    "exchange.csv": BOTH,
}
REFUSED = {
    "entra-guests.csv": ("line.2", "INVALID_EMAIL", "perhaps bob@fabrikam.example"),
    "workbook.xlsx": ("", "NOT_CSV", "an Excel workbook (.xlsx): in Excel choose File > Save As"),
    "contacts.vcf": ("", "NOT_CSV", "vCard form (.vcf): export the contacts as CSV"),
    "old.xls": ("", "NOT_CSV", "a web page or XML"),
}


def test_every_file_of_the_corpus_is_tried() -> None:
    assert {path.name for path in LISTS.iterdir()} == {*READ, *REFUSED}


@pytest.mark.parametrize(("name", "addresses"), READ.items())
def test_a_list_is_read(name: str, addresses: tuple[str, ...]) -> None:
    assert csv_file.read((LISTS / name).read_bytes()) == addresses


@pytest.mark.parametrize(("name", "fault"), REFUSED.items())
def test_what_is_no_list_is_refused_with_the_way_on(name: str, fault: tuple[str, str, str]) -> None:
    with pytest.raises(InvalidCsv) as refused:
        csv_file.read((LISTS / name).read_bytes())
    (only,) = refused.value.faults
    assert (only.loc, only.code) == fault[:2]
    assert fault[2] in only.detail

"""What the pages of groups say about a list that cannot be read: every fault with its line."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.helpers.servers.process import Server

GROUPS = "/dashboard/contoso/groups"
LIST = "Name;E-Mail\nJane;jane@contoso.example\nBob;\nO;o\u2019brien@contoso.example\n".encode()
SAID = ["Line 3: has no address in column 2", "Line 4: `o\u2019brien@contoso.example` has `\u2019`"]


@pytest.fixture
def http(sample_server: Server) -> Iterator[httpx2.Client]:
    """A browser in which somebody who may do everything is signed in."""
    with httpx2.Client(base_url=sample_server.url, timeout=60) as client:
        client.post("/dashboard/sign-in", data={"key": sample_server.key})
        page = client.get(GROUPS).text
        client.headers["x-csrf-token"] = page.partition('"x-csrf-token": "')[2].partition('"')[0]
        yield client


@pytest.mark.parametrize("path", ["new", "insiders/preview"])
def test_a_fault_of_a_file_is_shown_with_its_line(http: httpx2.Client, path: str) -> None:
    form = {"name": "Night owls", "how": "add"}
    page = http.post(f"{GROUPS}/{path}", data=form, files={"file": ("list.csv", LIST)}).text
    assert "2 things are wrong" in page
    for said in SAID:
        assert said in page


def test_a_workbook_is_named_as_what_it_is(http: httpx2.Client) -> None:
    file = {"file": ("list.xlsx", b"PK\x03\x04....xl/workbook.xml")}
    page = http.post(f"{GROUPS}/insiders/preview", data={"how": "add"}, files=file).text
    assert "is not a CSV file but an Excel workbook (.xlsx)" in page


def test_people_as_outlook_pastes_them_are_read(http: httpx2.Client) -> None:
    pasted = '"Doe, Jane" <jane@contoso.example>; Smith, Bob <bob@contoso.example>'
    page = http.post(f"{GROUPS}/insiders/preview", data={"how": "add", "emails": pasted}).text
    assert "2 members would be added" in page
    assert "Smith" not in page

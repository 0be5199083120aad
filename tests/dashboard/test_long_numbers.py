"""Numbers of 5,000 digits in the addresses and forms of pages are no failure of the server."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.helpers.dashboard import HOME, READER
from tests.helpers.servers.process import Server

LONG = "9" * 5_000


@pytest.fixture(scope="module")
def http(sample_server: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=sample_server.url, timeout=60) as client:
        answer = client.post("/dashboard/sign-in", data={"key": sample_server.key})
        assert answer.status_code == 303
        yield client


@pytest.mark.parametrize("path", [f"{READER}/readiness?from={LONG}", f"{HOME}/groups?page={LONG}"])
def test_an_address_of_a_page(http: httpx2.Client, path: str) -> None:
    assert http.get(path).status_code == 200


def test_the_revision_of_a_form(http: httpx2.Client) -> None:
    page = http.get(f"{HOME}/groups/canary-testers").text
    token = page.partition('"x-csrf-token": "')[2].partition('"')[0]
    form = {"csrf": token, "revision": LONG, "how": "add", "addresses": "new@contoso.example"}
    answer = http.post(f"{HOME}/groups/canary-testers/preview", data=form)
    assert answer.status_code < 500, answer.text

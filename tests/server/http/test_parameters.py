"""Parameters of path, query and header over HTTP, and single values of bodies: read strictly."""

from typing import Any

import pytest

from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import Server
from tests.helpers.servers.publisher import A, B, C, Publisher


def faults(answer: Any) -> dict[str, str]:
    """Codes of a refused request, by place."""
    assert_problem(answer, 400, "INVALID_INPUT")
    return {fault["loc"]: fault["code"] for fault in answer.json()["errors"]}


@pytest.fixture
def beta(publisher: Publisher) -> Publisher:
    publisher.group()
    return publisher


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "groups/beta/members?dry-run=true", {"emails": [C]}),
        ("PUT", "groups/beta/members?marge=true", {"emails": [C]}),
        ("PATCH", "groups/beta/members?dryRun=1", {"add": [C]}),
        ("POST", "forget?dry_run=true", {"address": A}),
        ("POST", "groups?dry_run=true", {"name": "New", "emails": [A]}),
        ("PUT", "groups/beta/consent?dry_run=true", {"confirmed_by": "Lin"}),
        ("GET", "groups/beta/members?page=2", None),
        ("GET", "groups/beta/members.csv?cursor=a", None),
        ("DELETE", "products/APP?dry_run=true", None),
    ],
)
def test_a_parameter_that_a_route_does_not_know_is_refused_and_nothing_done(
    beta: Publisher, method: str, path: str, body: Any
) -> None:
    (name,) = (pair.partition("=")[0] for pair in path.partition("?")[2].split("&"))
    assert faults(beta(method, path, body)) == {f"query.{name}": "UNKNOWN_PARAMETER"}
    assert beta.members() == [A, B]
    assert beta("GET", "groups/beta").json()["revision"] == 1


def test_an_unknown_parameter_is_told_which_are_known(beta: Publisher) -> None:
    answer = beta("PUT", "groups/beta/members?dry-run=true", {"emails": [C]})
    assert answer.json()["errors"][0]["detail"] == "is unknown; the parameters are dry_run, merge"


def test_a_parameter_given_twice_is_refused(beta: Publisher) -> None:
    answer = beta("PUT", "groups/beta/members?dry_run=true&dry_run=false", {"emails": [C]})
    assert faults(answer) == {"query.dry_run": "REPEATED_PARAMETER"}
    assert beta.members() == [A, B]


MOMENTS = ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "1700000000", "0001-01-01T00:00+14:00"]


@pytest.mark.parametrize("at", MOMENTS)
def test_a_moment_is_read_by_one_rule_everywhere(beta: Publisher, server: Server, at: str) -> None:
    for path in ("groups/beta/members", "groups/beta/members.csv"):
        answer = beta("GET", path, params={"at": at})
        assert faults(answer) == {"query.at": "UNREADABLE_MOMENT"}
        assert f"`{at}` is not a moment" in answer.json()["errors"][0]["detail"]
    noted = beta("PUT", "groups/beta/consent", {"confirmed_by": "Lin", "at": at})
    assert faults(noted) == {"at": "UNREADABLE_MOMENT"}
    query = {"product_id": "A", "device": {"family": "Xbox", "os_version": "22621"}, "at": at}
    assert faults(server.http.post("/v1/access", json=query)) == {"at": "UNREADABLE_MOMENT"}


def test_a_number_is_no_moment(beta: Publisher) -> None:
    noted = beta("PUT", "groups/beta/consent", {"confirmed_by": "Lin", "at": 1_700_000_000})
    assert faults(noted) == {"at": "UNREADABLE_MOMENT"}


@pytest.mark.parametrize("cursor", ["abc", "-1", "1.5", " 1", "\u0661", "", "9" * 19])
def test_a_cursor_of_history_that_is_none_of_ours_is_refused_and_not_begun_anew(
    beta: Publisher, cursor: str
) -> None:
    answer = beta("GET", "groups/beta/history", params={"cursor": cursor})
    assert faults(answer) == {"query.cursor": "WRONG_VALUE"}
    for path in ("groups/beta/history/search", "history/search"):
        answer = beta("POST", path, {"address": A, "cursor": cursor})
        assert faults(answer) == {"cursor": "WRONG_VALUE"}


def test_an_address_that_cannot_be_read_is_named_with_its_field(beta: Publisher) -> None:
    for path in ("groups/beta/history/search", "history/search", "forget"):
        assert faults(beta("POST", path, {"address": "ada"})) == {"address": "INVALID_EMAIL"}
    answer = beta("POST", "forget", {"address": "ada", "replacement": "a@@b.example"})
    assert faults(answer) == {"address": "INVALID_EMAIL", "replacement": "INVALID_EMAIL"}
    assert "`a@@b.example`" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "content", "takes"),
    [
        ("groups/beta/members", "text/plain", "application/json or text/csv"),
        ("groups/beta/consent", "text/csv", "application/json"),
        ("forget", "text/csv", "application/json"),
    ],
)
def test_a_media_type_that_is_not_read_is_told_which_are(
    beta: Publisher, path: str, content: str, takes: str
) -> None:
    method = "POST" if path == "forget" else "PUT"
    answer = beta(method, path, content=b"ada@x.com\n", headers={"content-type": content})
    assert_problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.json()["detail"].endswith(f"send {takes}")

"""Both clients against a server that refuses, hangs, breaks off and talks nonsense."""

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from eligibility.client import (
    SERVICE_UNREACHABLE,
    AsyncClient,
    Client,
    Forbidden,
    NotFound,
    Problem,
    Unauthenticated,
    Unreachable,
)
from tests.helpers.servers.clients import DECISION, EDITED, KINDS, PROBLEM, QUERY, either
from tests.helpers.servers.scripted import answer, cut, drip, hang, http, reset, scripted


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[Client | AsyncClient]:
    made: type[Client | AsyncClient] = request.param
    return made


@pytest.fixture
def refusing() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(reset, id="reset"),
        pytest.param(cut(DECISION), id="cut"),
        pytest.param(hang, id="hang"),
        pytest.param(drip(DECISION, 0.05), id="drip"),
        pytest.param(answer(503, PROBLEM), id="503"),
        pytest.param(answer(429, PROBLEM, retry_after="0"), id="429"),
    ],
)
def test_an_access_query_that_fails_once_is_answered(
    kind: type[Client | AsyncClient], first: Any
) -> None:
    with (
        scripted(first, answer(200, DECISION)) as server,
        either(kind, server.url, attempt_timeout=0.3) as client,
    ):
        assert client.access(QUERY).granted
        assert len(server.received) == 2


def test_a_retry_after_is_waited_for(kind: type[Client | AsyncClient]) -> None:
    replies = answer(429, PROBLEM, retry_after="1"), answer(200, DECISION)
    with scripted(*replies) as server, either(kind, server.url) as client:
        began = time.monotonic()
        assert client.access(QUERY).granted
        assert 1.0 <= time.monotonic() - began < 3.0


@pytest.mark.parametrize("reply", [hang, drip(DECISION, 0.05)], ids=["hang", "drip"])
def test_a_call_ends_with_its_timeout(kind: type[Client | AsyncClient], reply: Any) -> None:
    with scripted(reply) as server, either(kind, server.url, timeout=0.5) as client:
        began = time.monotonic()
        with pytest.raises(Unreachable) as raised:
            client.access(QUERY)
        assert 0.4 < time.monotonic() - began < 2.0
        assert raised.value.code == "NO_ANSWER"
        assert raised.value.status is None


def test_nobody_listening_is_told(kind: type[Client | AsyncClient], refusing: str) -> None:
    with either(kind, refusing) as client:
        with pytest.raises(Unreachable, match="3 tries: Connect"):
            client.access(QUERY)
        with pytest.raises(Unreachable, match="3 tries: Connect"):
            client.put_product("contoso", "APP", {})  # nothing was sent, so it is sent again


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"\xff", b"[]", b"{}", b"[" * 100_000, http(200, "once more")]
)
def test_what_is_no_answer_of_the_service_is_none(
    kind: type[Client | AsyncClient], body: bytes
) -> None:
    with (
        scripted(answer(200, body, x_request_id="r1")) as server,
        either(kind, server.url) as client,
    ):
        ways: list[Callable[[], object]] = [
            lambda: client.access(QUERY),
            lambda: client.access_many([QUERY]),
        ]
        for call in ways:
            with pytest.raises(Unreachable) as raised:
                call()
            assert raised.value.code == "ANSWER_UNREADABLE"
            assert raised.value.request_id == "r1"
        assert len(server.received) == 2


@pytest.mark.parametrize("status", [500, 502, 503])
def test_denials_for_want_of_an_answer_tell_so(
    kind: type[Client | AsyncClient], refusing: str, status: int
) -> None:
    with scripted(answer(status, b"gateway")) as server:
        for url in (refusing, server.url):
            with either(kind, url, unreachable="deny", retries=0) as client:
                one, other = client.access(QUERY), client.access_many([QUERY])
                assert other == [one]
                assert (one.product_id, one.granted, one.from_service) == ("APP", False, False)
                assert not one.submission.granted
                assert not one.package.granted
                assert one.package.reasons == one.submission.reasons == (SERVICE_UNREACHABLE,)
                with pytest.raises(Unreachable):
                    client.group("contoso", "beta")


def test_one_query_of_a_batch_without_a_decision(kind: type[Client | AsyncClient]) -> None:
    away = {"code": "STORE_UNAVAILABLE", "detail": "away", "status": 503}
    batch = {"decisions": [DECISION, PROBLEM, away, {"nonsense": 1}]}
    with scripted(answer(200, batch)) as server:
        with either(kind, server.url) as client:
            good, unknown, late, unreadable = client.access_many([QUERY] * 4)
            assert good.granted
            assert (type(unknown), unknown.code) == (NotFound, "UNKNOWN_PRODUCT")
            assert (type(late), late.code, late.status) == (Unreachable, "STORE_UNAVAILABLE", 503)
            assert (type(unreadable), unreadable.code) == (Unreachable, "ANSWER_UNREADABLE")
        with either(kind, server.url, unreachable="deny") as client:
            good, unknown, late, unreadable = client.access_many([QUERY] * 4)
            assert good.from_service
            assert isinstance(unknown, NotFound)
            assert not late.from_service
            assert not unreadable.from_service


def test_a_batch_with_an_answer_too_few_is_none(kind: type[Client | AsyncClient]) -> None:
    reply = answer(200, {"decisions": [DECISION]})
    with scripted(reply) as server, either(kind, server.url) as client, pytest.raises(Unreachable):
        client.access_many([QUERY, QUERY])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Problem),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (301, Problem),
    ],
)
def test_problems_by_status(
    kind: type[Client | AsyncClient], status: int, expected: type[Problem]
) -> None:
    body = {
        "code": "TOLD",
        "detail": "why",
        "status": status,
        "errors": [{"loc": "device", "code": "X", "detail": "d"}],
        "more": 1,
    }
    replies = answer(status, body, x_request_id="r2"), answer(status, b"<html>")
    with scripted(*replies) as server, either(kind, server.url, unreachable="deny") as client:
        with pytest.raises(expected) as raised:
            client.access(QUERY)
        error = raised.value
        assert type(error) is expected
        assert (error.code, error.detail, error.status) == ("TOLD", "why", status)
        assert [fault.loc for fault in error.errors] == ["device"]
        assert error.request_id == "r2"
        with pytest.raises(expected, match=f"HTTP_{status}"):
            client.access(QUERY)


@pytest.mark.parametrize("based_on", [None, 7])
def test_an_edit_whose_answer_is_lost(
    kind: type[Client | AsyncClient], based_on: int | None
) -> None:
    """Without a revision it is sent again; with one, the second would only find the first."""
    with scripted(cut(EDITED), answer(200, EDITED)) as server, either(kind, server.url) as client:
        for edit in (client.add_members, client.remove_members):
            server.replies[:] = [cut(EDITED), answer(200, EDITED)]
            if based_on is None:
                assert edit("contoso", "beta", ["ada@contoso.example"]).revision == 1
            else:
                with pytest.raises(Unreachable):
                    edit("contoso", "beta", ["ada@contoso.example"], if_revision=based_on)
        assert len(server.received) == (4 if based_on is None else 2)
        assert server.received[0].headers.get("if-match") == (based_on and '"7"')


def test_what_is_declared_whole_is_not_sent_twice(kind: type[Client | AsyncClient]) -> None:
    with scripted(cut(EDITED)) as server, either(kind, server.url) as client:
        ways: list[Callable[[], object]] = [
            lambda: client.replace_members("contoso", "beta", "ada@contoso.example"),
            lambda: client.create_group("contoso", "Beta", "ada@contoso.example"),
            lambda: client.put_product("contoso", "APP", {}),
        ]
        for call in ways:
            with pytest.raises(Unreachable, match="1 try"):
                call()
        assert len(server.received) == 3
        with pytest.raises(Unreachable, match="3 tries"):
            client.replace_members("contoso", "beta", "ada@contoso.example", dry_run=True)


def test_pages_are_fetched_until_there_is_no_further(kind: type[Client | AsyncClient]) -> None:
    group = {
        "publisher": "contoso",
        "group_id": "beta",
        "name": "Beta",
        "member_count": 1,
        "revision": 1,
        "created_at": "2026-01-01T00:00:00Z",
    }
    first = answer(200, {"items": [group, group], "next_cursor": "b&c="})
    last = answer(200, {"items": [group], "next_cursor": None})
    with scripted(first, last) as server, either(kind, server.url) as client:
        assert [one.group_id for one in client.groups("contoso")] == ["beta"] * 3
        path = "/v1/publishers/contoso/groups"
        assert [one.path for one in server.received] == [path, f"{path}?cursor=b%26c%3D"]

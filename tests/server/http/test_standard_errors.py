"""Errors below the paths of a standard have that standard's form, wherever they are raised."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from eligibility.server.http.endpoint import EndpointPaths, UnknownEndpoint
from eligibility.server.http.problems import RequestProblem
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, Headers, asking
from tests.helpers.servers.problem import assert_problem

AUTHZEN = ["/access/v1/evaluation", "/access/v1/search/action", "/contoso/access/v1/evaluations"]
OFREP = ["/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/product:APP"]
LIMIT = 1_024
NOWHERE = [
    "/access/v1/nope",
    "/access/v1/",
    "/access/v1/evaluation/",
    "/access/v1//evaluation",
    "/access/v1/search/subject",  # the setting is off
    "/contoso/access/v1/nope",
    "/ofrep/v1/configuration",  # was removed from the protocol
    "/ofrep/v2/evaluate/flags",
]


@pytest.fixture
def service(store_url: str, clock: Clock) -> Iterator[Service]:
    settings = Settings(store=store_url, max_body_bytes=LIMIT)
    with Service(settings, clock) as made:
        put(made, "APP", product())
        yield made


@pytest.fixture
def app(service: Service) -> Iterator[App]:
    with asking(service) as made:
        yield made


def check(answer: httpx2.Response, status: int) -> Any:
    """What an error says, which has the form of the standard that the path is of."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == "mine"
    told = answer.json()
    if "/access/v1" in answer.request.url.path:
        assert isinstance(told, str)
        return told
    assert told.keys() == {"errorDetails"}
    return told["errorDetails"]


def send(app: App, path: str, headers: Headers | None = None, method: str = "POST") -> Any:
    sent = {"x-request-id": "mine", "content-type": "application/json", **(headers or {})}
    return app.ask(method, path, sent, content=b"{}")


@pytest.mark.parametrize("path", AUTHZEN + OFREP)
class TestAnEndpoint:
    def test_401(self, app: App, path: str) -> None:
        answer = send(app, path)
        assert "Bearer" in check(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_403(self, app: App, path: str) -> None:
        assert "access:query" in check(send(app, path, app.key("groups:read")), 403)

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
    def test_405(self, app: App, path: str, method: str) -> None:
        answer = send(app, path, app.key("admin"), method)
        assert "POST" in check(answer, 405)
        assert answer.headers["allow"] == "POST"

    def test_413(self, app: App, path: str) -> None:
        headers = {**app.key("admin"), "x-request-id": "mine"}
        check(app.ask("POST", path, headers, content=b" " * (LIMIT + 1)), 413)

    def test_429(self, app: App, path: str) -> None:
        caller = app.key("admin", rate_limit=1)
        send(app, path, caller)
        answer = send(app, path, caller)
        assert "more than 1 requests a second" in check(answer, 429)
        assert answer.headers["retry-after"] == "1"

    def test_500(self, app: App, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError("nobody foresaw this")

        monkeypatch.setattr("eligibility.server.http.gate.whole_body", fail)
        headers = {**app.key("admin"), "x-request-id": "mine"}
        told = check(app.ask("POST", path, headers, content=b" " * (LIMIT + 1)), 500)
        assert "foresaw" not in told

    def test_503_where_too_much_is_under_way(
        self, app: App, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caller = app.key("admin")
        monkeypatch.setattr("eligibility.app.app.ProcessLoad", lambda *_: _Full())
        answer = send(app, path, caller)
        assert "the server is busy with" in check(answer, 503)
        assert answer.headers["retry-after"] == "1"


class _Full:
    """As much is under way as may be."""

    requests = most_requests = 1


@pytest.mark.parametrize("path", NOWHERE)
def test_where_a_standard_has_no_endpoint_it_is_404_for_callers_that_are_known(
    app: App, path: str
) -> None:
    check(send(app, path), 401)
    for method in ("GET", "POST"):
        check(send(app, path, app.key("admin"), method), 404)


@pytest.mark.parametrize("path", ["/access", "/v1/access/nope", "/access/v2/evaluation", "/ofrepx"])
def test_elsewhere_errors_are_problems(app: App, path: str) -> None:
    assert_problem(send(app, path, app.key("admin")), 404, "NO_SUCH_PATH")


def test_a_publisher_may_be_called_like_a_part_of_a_path(app: App) -> None:
    """Its endpoints come before what a standard has not."""
    for publisher in ("access", "ofrep", "v1"):
        answer = send(app, f"/{publisher}/access/v1/evaluation", app.key("admin"))
        assert "subject" in check(answer, 400)


@pytest.mark.parametrize("step", ["check", "answer"])
def test_where_nothing_is_no_step_gives_an_answer(step: str) -> None:
    nothing: Any = UnknownEndpoint(lambda _: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(RequestProblem) as caught:
        getattr(nothing, step)({"path": "/"}, None, None)
    assert (caught.value.status, caught.value.code) == (404, "NO_SUCH_PATH")


def test_a_log_calls_a_path_by_our_name_for_it() -> None:
    """A path may hold anything that somebody sent."""
    nothing: Any = UnknownEndpoint(lambda _: None)  # type: ignore[arg-type,return-value]
    paths = EndpointPaths({"/a/b": nothing, "/*/a/b": nothing}, {"/a/": nothing, "/*/a/": nothing})
    names = {path: paths.name(path) for path in ("/a/b", "/x/a/b", "/a/x", "/y/a/z", "/x", "/", "")}
    assert (
        json.dumps(list(names.values())) == '["/a/b", "/*/a/b", "/a/", "/*/a/", null, null, null]'
    )

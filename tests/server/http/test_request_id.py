"""Every request has an id: the client's own, or one made here; it stands in the answer and the log."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from eligibility.callers.model import Scope
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, product, put
from tests.helpers.servers.application import App, asking

QUERY = {"product_id": "APP", "device": DESKTOP}
BROKEN = {"product_id": "BROKEN", "device": DESKTOP}

ANSWERS: dict[str, tuple[str, str, Any, int]] = {
    "access": ("POST", "/v1/access", QUERY, 200),
    "batch": ("POST", "/v1/access/batch", {"queries": [QUERY]}, 200),
    "others": ("GET", "/v1/publishers/contoso/products", None, 200),
    "public": ("GET", "/healthz", None, 200),
    "unreadable": ("POST", "/v1/access", {}, 400),
    "unknown product": ("POST", "/v1/access", {**QUERY, "product_id": "NOPE"}, 404),
    "no such path": ("GET", "/v1/nothing", None, 404),
    "unknown group": ("GET", "/v1/publishers/contoso/groups/nope", None, 404),
    "wrong method": ("GET", "/v1/access", None, 405),
    "unforeseen": ("POST", "/v1/access", BROKEN, 500),
    "unforeseen elsewhere": ("GET", "/v1/publishers/broken/groups", None, 500),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An application that logs access queries, and where two things fail as nobody foresaw."""
    store = f"sqlite:///{tmp_path_factory.mktemp('ids') / 'store.db'}"
    with Service(Settings(store=store, log_access=True)) as service, asking(service) as opened:
        put(service, "APP", product())
        decide, list_groups = service.evaluator.decide, service.groups.list_groups

        def broken(query: Any, **more: Any) -> Any:
            if query.product_id == "BROKEN":
                raise RuntimeError("nobody foresaw this")
            return decide(query, **more)

        def broken_list(publisher: str, **more: Any) -> Any:
            if publisher == "broken":
                raise RuntimeError("nor this")
            return list_groups(publisher, **more)

        service.evaluator.decide = broken  # type: ignore[method-assign]
        service.groups.list_groups = broken_list  # type: ignore[method-assign]
        yield opened


def ask(app: App, case: str, sent_id: str | None = None, known: bool = True) -> Any:
    method, path, body, status = ANSWERS[case]
    headers = dict(app.key(Scope.ADMIN)) if known else {}
    if sent_id is not None:
        headers["x-request-id"] = sent_id
    more = {} if body is None else {"json": body}
    answer = app.ask(method, path, headers, **more)
    assert answer.status_code == (status if known or case == "public" else 401), answer.text
    return answer


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_the_clients_id_comes_back(app: App, case: str, known: bool) -> None:
    for sent in ("7f1c", "a" * 128, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"):
        assert ask(app, case, sent, known).headers["x-request-id"] == sent


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_without_one_an_id_is_made_that_nobody_else_has(app: App, case: str, known: bool) -> None:
    made = {ask(app, case, None, known).headers["x-request-id"] for _ in range(20)}
    assert len(made) == 20
    assert "" not in made


@pytest.mark.parametrize("case", ["access", "others", "unknown product"])
@pytest.mark.parametrize(
    "sent",
    ["a" * 129, "a" * 30_000, "ada@contoso.example", "ada%40contoso.example", "two words"],
    ids=lambda value: value[:30],
)
def test_an_id_that_may_be_anything_comes_back_and_is_not_logged(
    app: App, case: str, sent: str
) -> None:
    with structlog.testing.capture_logs() as lines:
        assert ask(app, case, sent).headers["x-request-id"] == sent
        ask(app, case, sent)
    logged = {line["request_id"] for line in lines if line["event"] == "request"}
    assert len(logged) == 1
    assert re.fullmatch("sent-[0-9a-f]{16}", logged.pop())


def test_an_empty_id_is_none(app: App) -> None:
    assert len(ask(app, "access", "").headers["x-request-id"]) > 8


def test_the_log_has_the_id_that_was_answered_and_what_was_asked(app: App) -> None:
    for case, (method, path, _, status) in ANSWERS.items():
        for sent in (None, "mine"):
            with structlog.testing.capture_logs() as lines:
                answered = ask(app, case, sent).headers["x-request-id"]
            if path == "/healthz":
                assert lines == []
                continue
            (line,) = (one for one in lines if one["event"] == "request")
            assert ("error" in line) == (status >= 500)
            assert line.keys() - {"event", "log_level", "error"} == {
                *("request_id", "caller", "method", "route", "status", "code", "ms")
            }
            assert (line["request_id"], line["caller"]) == (answered, "key tests")
            assert (line["method"], line["status"]) == (method, status)
            assert (line["code"] is None) == (status == 200)
            assert line["route"] is None or line["route"].count("/") == path.count("/")
            assert (line["route"] is None) == (path == "/v1/nothing")
            assert line["ms"] >= 0

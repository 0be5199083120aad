"""What a publisher does not see is as what does not exist: the same bytes, at the same price."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from eligibility.callers.model import Scope
from eligibility.engine.evaluator import Evaluator
from eligibility.service.service import Service
from eligibility.simulation.states import States
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, Headers, asking
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.routes import ROUTES, body
from tests.helpers.stores.outage import Away

FOREIGN, NOBODYS, MINE = "THEIRS", "NOBODY", "MINE"
ADA = "ada@example.com"


class Counted(Away):
    """A store that notes what it is asked, in order, and can be away."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = super().__getattr__(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            return method(*args, **kwargs)

        return call


class Tenants:
    """Contoso, whose caller asks; fabrikam, of which it must not learn; and both their stores."""

    def __init__(self, service: Service, app: App, clock: Clock) -> None:
        self.groups, self.catalog = Counted(service.groups), Counted(service.catalog.store)
        service.evaluator = Evaluator(
            self.groups, self.catalog, service.evaluator.requirements, clock=clock
        )
        service.states = States(service.evaluator, self.groups, self.catalog, service.now)
        self.app = app
        self.caller = app.key(Scope.ADMIN, publishers=["contoso"])
        self.everybodys = app.key(Scope.ADMIN)

    def asked(self, path: str, sent: Any) -> tuple[int, bytes, Headers, list[str]]:
        """The answer to the caller, and what the stores were asked for it."""
        self.groups.calls.clear()
        self.catalog.calls.clear()
        answer = self.app.post(path, sent, self.caller)
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        calls = [*self.groups.calls, *self.catalog.calls]
        return answer.status_code, answer.content, headers, calls


@pytest.fixture
def tenants(service: Service, clock: Clock) -> Iterator[Tenants]:
    for publisher, product_id in (("contoso", MINE), ("fabrikam", FOREIGN)):
        group(service, "beta", ADA, publisher=publisher)
        put(service, product_id, product(flight("f", ["beta"], "2.0.0.0")), publisher)
    clock.advance(3_600)
    with asking(service) as app:
        yield Tenants(service, app, clock)


def query(product_id: str, **more: Any) -> dict[str, Any]:
    return {"product_id": product_id, "account": {"id": ADA}, "device": DESKTOP, **more}


FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("", {}),
    "explain": ("?explain=true", {}),
    "at, past": ("", {"at": "2026-06-01T12:30:00Z"}),
    "at, before it was declared": ("", {"at": "2026-01-01T00:00:00Z"}),
    "at, ahead": ("?explain=true", {"at": "2027-01-01T00:00:00Z"}),
    "strong": ("", {"consistency": "strong"}),
    "at_least_revision": ("", {"at_least_revision": 1}),
    "at_least_revision, not reached": ("", {"at_least_revision": {"groups": 99}}),
    "unreadable": ("", {"market": "usa"}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_foreign_product_is_as_one_that_nobody_has(
    tenants: Tenants, form: str, warm: bool
) -> None:
    query_string, more = FORMS[form]
    if warm:
        answer = tenants.app.post("/v1/access", query(FOREIGN), tenants.everybodys)
        assert answer.json()["granted"]
    for path in ("/v1/access", "/v1/access/batch"):

        def sent(product_id: str, path: str = path) -> Any:
            one = query(product_id, **more)
            return one if path == "/v1/access" else {"queries": [query(MINE), one, one]}

        tenants.asked(path, sent(MINE))  # so that its own product costs the same both times
        unknown = tenants.asked(f"{path}{query_string}", sent(NOBODYS))
        foreign = tenants.asked(f"{path}{query_string}", sent(FOREIGN))
        status, content, headers, calls = foreign
        assert (status, content.replace(b"THEIRS", b"NOBODY"), headers, calls) == unknown
        assert b"UNKNOWN_PRODUCT" in content or form == "unreadable"
        assert b"fabrikam" not in content


@pytest.mark.parametrize("path", ["/v1/access", "/v1/access/batch"])
def test_while_the_store_is_away_a_foreign_product_is_as_one_that_nobody_has(
    tenants: Tenants, clock: Clock, path: str
) -> None:
    for product_id in (MINE, FOREIGN):
        tenants.app.post("/v1/access", query(product_id), tenants.everybodys)
    tenants.groups.away = tenants.catalog.away = True
    clock.advance(60)
    batch = path.endswith("batch")
    answers = [
        tenants.asked(path, {"queries": [query(one)]} if batch else query(one))
        for one in (FOREIGN, NOBODYS)
    ]
    assert answers[0] == answers[1]
    assert b"STORE_UNAVAILABLE" in answers[0][1]


def test_while_the_store_is_away_memory_answers_the_callers_of_one_publisher_too(
    tenants: Tenants, clock: Clock
) -> None:
    before = tenants.app.post("/v1/access", query(MINE), tenants.caller).json()
    tenants.groups.away = tenants.catalog.away = True
    clock.advance(60)
    answer = tenants.app.post("/v1/access", query(MINE), tenants.caller)
    assert answer.json() == before | {"stale_seconds": 60}
    batch = tenants.app.post("/v1/access/batch", {"queries": [query(MINE)]}, tenants.caller)
    assert batch.json()["decisions"] == [answer.json()]


def test_a_caller_of_several_publishers_sees_each_of_them(tenants: Tenants) -> None:
    both = tenants.app.key(Scope.QUERY, Scope.ASSERT, publishers=["contoso", "fabrikam"])
    for product_id in (MINE, FOREIGN):
        for _ in range(2):  # the second time from memory
            assert tenants.app.post("/v1/access", query(product_id), both).json()["granted"]


SIMULATED: dict[str, dict[str, Any]] = {
    "accounts": {"accounts": [ADA, None]},
    "groups": {"accounts": {"groups": ["beta"]}},
    "everybody": {},
    "at": {"at": "2026-06-01T12:30:00Z"},
    "a draft": {"draft": {"groups": {"beta": {"add": ADA}}}},
    "unreadable": {"devices": ["nope"]},
}


@pytest.mark.parametrize("form", SIMULATED)
def test_a_foreign_product_cannot_be_simulated_nor_told_from_one_that_nobody_has(
    tenants: Tenants, form: str
) -> None:
    sent = {"devices": [DESKTOP], **SIMULATED[form]}
    unknown = tenants.asked("/v1/simulations", {"product_id": NOBODYS, **sent})
    foreign = tenants.asked("/v1/simulations", {"product_id": FOREIGN, **sent})
    status, content, headers, calls = foreign
    assert (status, content.replace(b"THEIRS", b"NOBODY"), headers, calls) == unknown
    assert b"UNKNOWN_PRODUCT" in content or form == "unreadable"


PUBLISHERS = [route for route in ROUTES if " /v1/publishers/{publisher}" in route]


@pytest.mark.parametrize("route", PUBLISHERS)
def test_a_foreign_publisher_is_as_one_that_there_is_not(tenants: Tenants, route: str) -> None:
    method, path = route.split()
    answers = []
    for publisher, group_id, product_id in (
        ("fabrikam", "beta", FOREIGN),
        ("fabrikam", "nope", NOBODYS),
        ("nowhere0", "beta", FOREIGN),
        ("nowhere0", "nope", NOBODYS),
    ):
        place = {"publisher": publisher, "group_id": group_id, "product_id": product_id}
        sent = body(route, place)
        answer = tenants.app.ask(method, path.format(**place), tenants.caller, json=sent)
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        answers.append((answer.content.replace(publisher.encode(), b""), headers))
        assert_problem(answer, 404, "UNKNOWN_PUBLISHER")
    assert answers == answers[:1] * 4


@pytest.mark.parametrize(("method", "more"), [("GET", ""), ("GET", "/history"), ("DELETE", "")])
def test_under_its_own_publisher_a_foreign_product_is_not_there(
    tenants: Tenants, method: str, more: str
) -> None:
    answers = []
    for product_id in (FOREIGN, NOBODYS):
        path = f"/v1/publishers/contoso/products/{product_id}{more}"
        answer = tenants.app.ask(method, path, tenants.caller)
        assert_problem(answer, 404, "UNKNOWN_PRODUCT")
        answers.append(answer.content.replace(product_id.encode(), b""))
    assert answers[0] == answers[1]


def test_a_taken_product_id_is_refused_without_a_word_about_whose_it_is(tenants: Tenants) -> None:
    """That it is taken cannot be hidden: ids are unique, as in the Store."""
    declared = {"name": "Mine now", "submission": {"packages": []}}
    path = f"/v1/publishers/contoso/products/{FOREIGN}"
    answer = tenants.app.ask("PUT", path, tenants.caller, json=declared)
    assert_problem(answer, 409, "PRODUCT_TAKEN")
    assert "fabrikam" not in answer.text

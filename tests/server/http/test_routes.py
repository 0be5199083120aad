"""Who may use which route: the one table, and every route tried by callers of every kind."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from eligibility.app.app import Routes, routes
from eligibility.callers.api_keys import ID_PART
from eligibility.callers.model import Scope
from eligibility.rules.decide import decide
from eligibility.server.api.access import AccessEndpoints
from eligibility.server.api.access_search import ACCESS_SEARCH, AccessSearchEndpoint
from eligibility.server.api.computations import ROUTE_COSTS
from eligibility.server.authzen import endpoints as authzen
from eligibility.server.http.accounts import AccountResolver
from eligibility.server.http.authorization import RouteCaller
from eligibility.server.http.endpoint import UnknownEndpoint
from eligibility.server.http.limits import ComputationQueue, ProcessLoad
from eligibility.server.http.tallies import RouteCounters
from eligibility.server.metrics.sharing import Sharing
from eligibility.server.metrics.snapshot import Metrics
from eligibility.server.ofrep import endpoints as ofrep
from eligibility.server.ofrep.flags import Flags
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import flight, group, product, put
from tests.helpers.repository import ROOT
from tests.helpers.servers.application import App, Headers, asking
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.routes import (
    ALSO,
    GROUP,
    GUARDED,
    MINE,
    OPEN,
    ROUTES,
    STANDARD,
    THEIRS,
    WIDE,
    Place,
    body,
)

REFUSED = {f"{method} {GROUP}" for method in ("DELETE", "PUT", "PATCH")}
"""Routes that tell whoever may write why this cannot be done."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Two publishers with a product and a group each."""
    store = f"sqlite:///{tmp_path_factory.mktemp('routes') / 'store.db'}"
    settings = Settings(
        store=store, public_url="https://pdp.example.com", authzen_subject_search=True
    )
    with Service(settings) as service, asking(service) as opened:
        for place in (MINE, THEIRS):
            stock(service, place)
        yield opened


def stock(service: Service, place: Place) -> None:
    publisher, group_id, product_id, _ = place.values()
    group(service, group_id, "ada@example.com", "grace@example.com", publisher=publisher)
    put(service, product_id, product(flight("f", [group_id], "2.0.0.0")), publisher)


def ask(app: App, route: str, headers: Headers, place: Place = MINE) -> Any:
    method, path = route.split()
    sent = body(route, place)
    return app.ask(
        method, path.format(**place), headers, **({} if sent is None else {"json": sent})
    )


def all_routes(app: App) -> Routes:
    """Every route but those that the gate answers."""
    metrics = Metrics(app.service, RouteCounters({}), ProcessLoad(1, 1))
    return routes(app.service, Sharing(metrics, None))


def test_the_table_names_every_route_and_no_other(app: App) -> None:
    others = all_routes(app)
    accounts = AccountResolver(app.service.tokens)
    recorder = app.service.recorder
    access = AccessEndpoints(app.service.evaluator, accounts, recorder).endpoints
    search = AccessSearchEndpoint(app.service.evaluator, accounts, app.service.listing)
    standard = authzen.endpoints(app.service, accounts) | {ACCESS_SEARCH: search}
    flags = Flags(app.service.evaluator, accounts, app.service.listing, recorder, 1)
    standard |= ofrep.endpoints(flags)
    standard |= {
        f"{begins}{{key}}": one
        for begins, one in ofrep.families(flags).items()
        if not isinstance(one, UnknownEndpoint)
    }
    found = {f"POST {path.replace('/*', '/{publisher}')}" for path in (*access, *standard)}
    for route in others.routes:
        assert isinstance(route, Route | APIRoute)
        found |= {f"{method} {route.path}" for method in route.methods or ()}
    paths = others.openapi()["paths"]
    documented = {f"{method.upper()} {path}" for path in paths for method in paths[path]}
    assert found == set(ROUTES)
    assert documented <= found
    assert {*GUARDED, *STANDARD} - REFUSED <= documented


def test_the_document_names_the_same_scopes(app: App) -> None:
    for path, methods in all_routes(app).openapi()["paths"].items():
        for method, operation in methods.items():
            scope = ROUTES[f"{method.upper()} {path}"]
            assert operation.get("x-scope") == scope
            either = None if scope is None else [{"bearer": [scope]}, {"apiKey": [scope]}]
            assert operation.get("security") == either


@pytest.mark.parametrize("route", OPEN)
def test_what_is_public_asks_nobody_who_they_are(app: App, route: str) -> None:
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic eA=="}):
        assert ask(app, route, headers).status_code == 200


@pytest.mark.parametrize("route", GUARDED)
def test_without_credentials_nothing_is_answered(app: App, route: str) -> None:
    answer = ask(app, route, {})
    assert_problem(answer, 401, "CREDENTIALS_MISSING")
    assert answer.headers["www-authenticate"] == 'Bearer realm="eligibility"'
    wrong = ask(app, route, {"authorization": "Bearer nonsense"})
    assert wrong.status_code == 401
    assert wrong.headers["www-authenticate"] == 'Bearer realm="eligibility", error="invalid_token"'


@pytest.mark.parametrize("route", GUARDED)
def test_a_scope_opens_its_own_routes_and_no_others(app: App, route: str) -> None:
    needed = ROUTES[route]
    for scope in Scope:
        if scope in (needed, Scope.ADMIN):
            continue
        answer = ask(app, route, app.key(scope))
        assert_problem(answer, 403, "SCOPE_MISSING")
        assert f"`{needed}`" in answer.json()["detail"]
        assert answer.json()["detail"].endswith(f"the caller has {scope}")


@pytest.mark.parametrize("route", GUARDED)
@pytest.mark.parametrize("admin", [False, True])
def test_the_needed_scope_and_admin_open_a_route(app: App, route: str, admin: bool) -> None:
    place = {name: f"{admin}-{GUARDED.index(route)}".lower() for name in MINE}
    stock(app.service, place)
    if "{key_id}" in route:
        place["key_id"] = app.key_text(Scope.METRICS)[ID_PART]
    everybody = admin or route in WIDE
    headers = app.key(
        *((Scope.ADMIN,) if admin else (str(ROUTES[route]), *ALSO.get(route, ()))),
        publishers=None if everybody else [place["publisher"]],
    )
    answer = ask(app, route, headers, place)
    if route in REFUSED:
        assert_problem(answer, 405, "GROUPS_PERMANENT")
    else:
        assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize("route", GUARDED)
@pytest.mark.parametrize("admin", [False, True])
def test_another_publisher_does_not_exist(app: App, route: str, admin: bool) -> None:
    needed = (Scope.ADMIN,) if admin else (str(ROUTES[route]), *ALSO.get(route, ()))
    answer = ask(app, route, app.key(*needed, publishers=["contoso"]), THEIRS)
    if route == "POST /v1/access/batch":
        assert [one["code"] for one in answer.json()["decisions"]] == ["UNKNOWN_PRODUCT"]
        return
    if route == f"POST {ACCESS_SEARCH}":
        assert "fabrikam" not in answer.text
        assert "THEIRS" not in answer.text
        return
    if route in WIDE:
        assert_problem(answer, 403, "ALL_PUBLISHERS_NEEDED")
        return
    code = "UNKNOWN_PUBLISHER" if "{publisher}" in route else "UNKNOWN_PRODUCT"
    assert_problem(answer, 404, code)
    assert app.service.groups.get("fabrikam", "beta").member_count == 2
    assert app.service.catalog.store.get("THEIRS") is not None


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/docs/", "/healthz/", "/v1/access/"])
def test_what_is_not_there_is_told_to_known_callers_only(app: App, path: str) -> None:
    assert_problem(app.ask("GET", path), 401, "CREDENTIALS_MISSING")
    assert app.ask("GET", path, app.key(Scope.METRICS)).status_code in (307, 404)


# --- what computes, and what takes a draft ---


class Work:
    """Counts decisions, turns, and the queries that a request is charged as."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.decisions = self.turns = self.paid = 0
        for name, module in list(sys.modules.items()):
            if name.startswith("eligibility.") and getattr(module, "decide", None) is decide:
                patch.setattr(module, "decide", self._decide)
        run = ComputationQueue.run

        def counted(queue: ComputationQueue, work: Any) -> Any:
            self.turns += 1
            return run(queue, work)

        patch.setattr(ComputationQueue, "run", counted)
        patch.setattr(RouteCaller, "pay", self._pay)

    def _pay(self, decisions: int) -> None:
        self.paid += decisions

    def _decide(self, *arguments: Any, **named: Any) -> Any:
        self.decisions += 1
        return decide(*arguments, **named)


@pytest.mark.parametrize("route", GUARDED)
def test_what_decides_has_a_turn_a_limit_and_a_price(
    app: App, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every route is asked for a product of its own: what decides, and only that, is in the table."""
    place = {name: f"cost-{GUARDED.index(route)}" for name in MINE}
    stock(app.service, place)
    if "{key_id}" in route:
        place["key_id"] = app.key_text(Scope.METRICS)[ID_PART]
    work = Work(monkeypatch)
    answer = ask(app, route, app.key(Scope.ADMIN), place)
    assert answer.status_code in (200, 201, 405), answer.text
    cost = ROUTE_COSTS.get(route)
    assert (work.decisions > 0) == (cost is not None)
    assert cost is None or (cost.limit and cost.price)
    if cost is not None and cost.takes_turn:
        assert work.turns == 2
        assert work.paid >= work.decisions
    else:
        assert work.turns == 0


def test_the_documentation_has_the_table_of_costs() -> None:
    page = (ROOT / "docs" / "http-api.md").read_text("utf-8")
    for route, cost in ROUTE_COSTS.items():
        turn = "yes" if cost.takes_turn else "no"
        assert f"| `{route}` | {turn} | {cost.limit} | {cost.price} |" in page


def draft_takers(app: App) -> set[str]:
    """The routes whose body has a `draft`, by the OpenAPI document."""
    document = all_routes(app).openapi()
    schemas = document["components"]["schemas"]
    found = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            schema = schemas.get(reference.rpartition("/")[2], {})
            if "draft" in schema.get("properties", {}):
                found.add(f"{method.upper()} {path}")
    return found


def test_every_draft_needs_simulate(app: App) -> None:
    takers = draft_takers(app)
    assert takers == {"POST /v1/simulations", "POST /v1/simulations/diff"}
    draft = {"groups": {"beta": {"add": ["new@example.com"]}}}
    everything = {Scope.QUERY, Scope.READ_GROUPS, Scope.ASSERT, Scope.SIMULATE}
    for route in takers:
        sent = body(route, MINE) | {"draft": draft}
        path = route.partition(" ")[2]
        assert app.post(path, sent, app.key(*everything)).status_code == 200
        refused = app.post(path, sent, app.key(*(everything - {Scope.SIMULATE})))
        assert_problem(refused, 403, "SCOPE_MISSING")
        assert "`simulate`" in refused.json()["detail"]


READING_TOO = {
    "a timeline": ("/v1/access/timeline", [Scope.QUERY], "POST"),
    "a comparison": ("/v1/simulations/diff", [Scope.QUERY], "POST"),
    "a trace": ("/v1/access?explain=true", [Scope.QUERY, Scope.EXPLAIN], "POST"),
    "traces": ("/v1/access/batch?explain=true", [Scope.QUERY, Scope.EXPLAIN], "POST"),
    "an edit's dry run": (f"{GROUP}/members?dry_run=true", [Scope.WRITE_GROUPS], "PATCH"),
    "a replacement's dry run": (f"{GROUP}/members?dry_run=true", [Scope.WRITE_GROUPS], "PUT"),
}


@pytest.mark.parametrize("what", READING_TOO)
def test_what_names_members_or_groups_needs_groups_read_too(app: App, what: str) -> None:
    path, scopes, method = READING_TOO[what]
    for given in ([*scopes], [*scopes, Scope.READ_GROUPS]):
        sent = body(f"{method} {path.partition('?')[0]}", MINE)
        answer = app.ask(method, path.format(**MINE), app.key(*given), json=sent)
        if Scope.READ_GROUPS in given:
            assert answer.status_code == 200, answer.text
        else:
            assert_problem(answer, 403, "SCOPE_MISSING")
            assert "`groups:read`" in answer.json()["detail"]


def test_a_forgetting_that_is_tried_only_names_groups_and_needs_groups_read(app: App) -> None:
    path, sent = "/v1/publishers/contoso/forget", {"address": "ada@example.com", "dry_run": True}
    assert_problem(app.post(path, sent, app.key(Scope.WRITE_GROUPS)), 403, "SCOPE_MISSING")
    both = app.post(path, sent, app.key(Scope.WRITE_GROUPS, Scope.READ_GROUPS))
    assert both.status_code == 200


@pytest.mark.parametrize("scopes", [[Scope.QUERY], [Scope.QUERY, Scope.READ_GROUPS]])
def test_a_trace_needs_its_own_scope(app: App, scopes: list[Scope]) -> None:
    sent = body("POST /v1/access", MINE)
    answer = app.post("/v1/access?explain=true", sent, app.key(*scopes))
    assert_problem(answer, 403, "SCOPE_MISSING")
    assert "`access:explain`" in answer.json()["detail"]

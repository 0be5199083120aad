"""An account that asks for itself, with its own ID token: about itself, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.clock import Clock
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import bearer
from tests.helpers.servers.routes import GUARDED, MINE, body
from tests.helpers.tokens.account_tokens import REFUSED, WRONG_TENANT
from tests.helpers.tokens.application import ADA, ALIAS, GRACE, TokenApp, ask, token_app

PATHS = ("/v1/access", "/v1/access/batch")


@pytest.fixture
def world(store_url: str, clock: Clock) -> Iterator[TokenApp]:
    with token_app(store_url, clock) as made:
        yield made


def told(world: TokenApp, path: str, query: Any, caller: dict[str, str]) -> Any:
    """The decision, or the problem, on its own or as the only one of a batch."""
    if path == "/v1/access":
        return world.app.post(path, query, caller).json()
    (one,) = world.app.post(path, {"queries": [query]}, caller).json()["decisions"]
    return one


@pytest.mark.parametrize("path", PATHS)
def test_an_account_is_answered_about_itself(world: TokenApp, path: str) -> None:
    own = world.own(email="Ada@Example.COM")
    asserted = world.app.post("/v1/access", ask(account={"id": ADA}), world.asserting).json()
    for query in (ask(), ask(account=None), ask(account={"token": world.bench.account()})):
        for _ in range(2):  # the second time from memory
            assert told(world, path, query, own) == asserted
    assert asserted["package"]["source"]["flight_id"] == "good"
    (remedy,) = asserted["remedies"]
    assert remedy["action"] == "JOIN_GROUP"
    assert "one of its groups" in remedy["text"]
    assert "hush" not in str(asserted)


def test_an_account_may_ask_about_every_publishers_products(world: TokenApp) -> None:
    for product_id in ("APP", "THEIRS"):
        answer = told(world, "/v1/access", ask(product_id), world.own())
        assert answer["package"]["source"]["flight_id"] == "good"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("address", [ADA, ADA.upper(), f" {ADA} ", ALIAS, ALIAS.title()])
def test_an_account_may_name_itself(world: TokenApp, path: str, address: str) -> None:
    own = world.own(aliases=[ALIAS])
    answer = told(world, path, ask(account={"id": address}), own)
    assert answer["package"]["source"]["flight_id"] == "good"
    assert answer == told(world, path, ask(), own)


def test_an_account_with_other_letters_may_name_itself(world: TokenApp) -> None:
    own = world.own(email="åda@bücher.example")
    answer = told(world, "/v1/access", ask(account={"id": "Åda@BÜCHER.example"}), own)
    assert answer == told(world, "/v1/access", ask(), own)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "account",
    [{"id": GRACE}, {"id": "nonsense"}, {"id": ALIAS}, {"id": ADA, "aliases": [GRACE]}],
)
def test_an_account_may_name_nobody_else(
    world: TokenApp, path: str, account: dict[str, Any]
) -> None:
    problem = told(world, path, ask(account=account), world.own())
    assert (problem["status"], problem["code"]) == (403, "NOT_YOURSELF")
    assert "@" not in problem["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_another_accounts_token_does_not_help(world: TokenApp, path: str) -> None:
    query = ask(account={"token": world.bench.account(email=GRACE)})
    for _ in range(2):  # the second time from memory
        problem = told(world, path, query, world.own())
        assert (problem["status"], problem["code"]) == (403, "NOT_YOURSELF")


@pytest.mark.parametrize("path", PATHS)
def test_a_trace_is_refused(world: TokenApp, path: str) -> None:
    query = ask() if path == "/v1/access" else {"queries": [ask()]}
    answer = world.app.post(f"{path}?explain=true", query, world.own())
    assert_problem(answer, 403, "SCOPE_MISSING")
    assert "hush" not in answer.text


@pytest.mark.parametrize("publisher", ["contoso", "nowhere"])
def test_no_other_route_is_open(world: TokenApp, publisher: str) -> None:
    place = {**MINE, "publisher": publisher, "group_id": "hush-good"}
    for route in GUARDED:
        method, path = route.split()
        if path in (*PATHS, "/v1/access/search"):
            continue
        sent = body(route, place)
        answer = world.app.ask(method, path.format(**place), world.own(), json=sent)
        assert_problem(answer, 403, "SCOPE_MISSING")
        assert answer.json()["detail"].endswith("the caller has access:query")


def test_an_account_of_a_tenant_is_told_why_it_is_no_member(world: TokenApp) -> None:
    answer = told(world, "/v1/access", ask(), world.own(**WRONG_TENANT))
    assert answer["package"]["source"]["flight_id"] is None
    assert [one["action"] for one in answer["remedies"]] == ["USE_MICROSOFT_ACCOUNT"]


@pytest.mark.parametrize("case", [one for one in REFUSED if one not in ("a service's", "empty")])
def test_a_token_that_does_not_count_is_nobody(world: TokenApp, case: str) -> None:
    code, make = REFUSED[case]
    token = make(world)
    answer = world.app.post("/v1/access", ask(), bearer(token))
    assert_problem(answer, 401, code)
    assert answer.json()["detail"].startswith("header.authorization: ")
    assert ADA not in answer.text


def test_a_token_that_ends_while_it_is_remembered_ends(world: TokenApp, clock: Clock) -> None:
    own = world.own(exp=clock() + 30)
    for seconds, status in ((0, 200), (89, 200), (1, 401)):  # the clocks may differ by a minute
        clock.advance(seconds)
        assert world.app.post("/v1/access", ask(), own).status_code == status

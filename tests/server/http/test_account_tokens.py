"""Access queries of services about accounts: who may say whom they are about, and what a token says."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.clock import Clock
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import bearer
from tests.helpers.tokens.account_tokens import REFUSED, WRONG_TENANT
from tests.helpers.tokens.application import ADA, ALIAS, GRACE, TokenApp, ask, token_app
from tests.helpers.tokens.issuers import KEY


@pytest.fixture
def world(store_url: str, clock: Clock) -> Iterator[TokenApp]:
    with token_app(store_url, clock) as made:
        yield made


def post(world: TokenApp, body: Any, caller: dict[str, str], path: str = "/v1/access") -> Any:
    return world.app.post(path, body, caller)


def flight_of(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["package"]["source"]["flight_id"]


def test_a_caller_with_the_scope_says_who_the_account_is(world: TokenApp) -> None:
    assert flight_of(post(world, ask(account={"id": ADA}), world.asserting)) == "good"
    assert flight_of(post(world, ask(account={"id": GRACE}), world.asserting)) == "best"


def test_without_the_scope_saying_so_is_refused(world: TokenApp) -> None:
    answer = post(world, ask(account={"id": ADA}), world.plain)
    assert_problem(answer, 401, "TOKEN_REQUIRED")
    assert "`access:assert`" in answer.json()["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert ADA not in answer.text


@pytest.mark.parametrize("account", [None, "absent"])
def test_that_nobody_is_signed_in_needs_no_scope(world: TokenApp, account: None | str) -> None:
    body = ask() if account else ask(account=None)
    assert flight_of(post(world, body, world.plain)) is None


def test_a_token_says_it_to_every_caller(world: TokenApp) -> None:
    body = ask(account={"token": world.bench.account(email=ADA.upper())})
    asserted = post(world, ask(account={"id": ADA}), world.asserting)
    for caller in (world.asserting, world.plain):
        for _ in range(2):  # the second time both token and product are in memory
            assert post(world, body, caller).content == asserted.content


def test_a_tokens_aliases_count(world: TokenApp) -> None:
    body = ask(account={"token": world.bench.account(email=ALIAS, aliases=[GRACE])})
    assert flight_of(post(world, body, world.plain)) == "best"


def test_an_account_of_a_tenant_is_never_a_member(world: TokenApp) -> None:
    """The administrator of a tenant can give its people any address."""
    body = ask(account={"token": world.bench.account(**WRONG_TENANT)})
    answer = post(world, body, world.plain)
    assert flight_of(answer) is None
    actions = [remedy["action"] for remedy in answer.json()["remedies"]]
    assert actions == ["USE_MICROSOFT_ACCOUNT"]


@pytest.mark.parametrize("more", [{"id": ADA}, {"kind": "microsoft"}, {"aliases": [ADA]}])
def test_a_token_and_somebodys_word_beside_it_are_refused(
    world: TokenApp, more: dict[str, Any]
) -> None:
    for caller in (world.asserting, world.plain):
        body = ask(account={"token": world.bench.account(), **more})
        assert_problem(post(world, body, caller), 400, "INVALID_INPUT", "ACCOUNT_TWICE")


@pytest.mark.parametrize("case", REFUSED)
def test_a_token_that_does_not_count_is_no_account_at_all(world: TokenApp, case: str) -> None:
    """Neither an answer about somebody else nor one about nobody."""
    code, make = REFUSED[case]
    token = make(world)
    for caller in (world.asserting, world.plain):
        answer = post(world, ask(account={"token": token}), caller)
        assert_problem(answer, 401, code)
        assert answer.json()["detail"].startswith("account.token: ")
        assert "www-authenticate" in answer.headers
        assert ADA not in answer.text
        assert not token or token not in answer.text


def test_in_a_batch_the_problem_stands_in_its_place(world: TokenApp) -> None:
    expired = world.bench.account(exp=world.bench.clock() - 61)
    queries = [
        ask(account={"token": world.bench.account()}),
        ask(account={"token": expired}),
        ask(account={"id": GRACE}),
        ask(account={"token": world.bench.account(email=GRACE)}),
        ask(),
        ask(account={"token": world.bench.account(), "id": ADA}),
        {"product_id": 7},
        ask("NOPE", account={"token": world.bench.account()}),
    ]
    for _ in range(2):  # the second time from memory
        answer = post(world, {"queries": queries}, world.plain, "/v1/access/batch")
        told = [
            one.get("code") or one["package"]["source"]["flight_id"]
            for one in answer.json()["decisions"]
        ]
        assert told == [
            "good",
            "TOKEN_EXPIRED",
            "TOKEN_REQUIRED",
            "best",
            None,
            "INVALID_INPUT",
            "INVALID_INPUT",
            "UNKNOWN_PRODUCT",
        ]
        assert (answer.status_code, answer.json()["decisions"][1]["status"]) == (200, 401)
    (granted,) = (one for one in answer.json()["decisions"][:1])
    assert granted == post(world, queries[0], world.plain).json()


def test_a_token_that_ends_while_it_is_remembered_ends(world: TokenApp, clock: Clock) -> None:
    body = ask(account={"token": world.bench.account(exp=clock() + 30)})
    caller = bearer(world.bench.service(exp=clock() + 100, publishers="*"))
    for seconds, status in ((0, 200), (89, 200), (1, 401)):  # the clocks may differ by a minute
        clock.advance(seconds)
        for path, sent in (("", body), ("/batch", {"queries": [body]})):
            answer = post(world, sent, caller, f"/v1/access{path}")
            told = answer.json() if not path else answer.json()["decisions"][0]
            assert told.get("status", 200) == status
    assert told["code"] == "TOKEN_EXPIRED"
    clock.advance(70)
    answer = post(world, ask(), caller)
    assert_problem(answer, 401, "TOKEN_EXPIRED")
    assert answer.json()["detail"].startswith("header.authorization: ")


def test_while_the_issuer_is_away_nobody_is_told_apart_and_it_is_said_when_to_ask_again(
    world: TokenApp,
) -> None:
    world.bench.server.away = True
    body = ask(account={"token": world.bench.account()})
    for path, sent in (("", body), ("/batch", {"queries": [ask(), body]})):
        answer = post(world, sent, world.plain, f"/v1/access{path}")
        if path:
            decided, problem = answer.json()["decisions"]
            assert decided["granted"]
            assert (problem["status"], problem["code"]) == (503, "ISSUER_UNAVAILABLE")
        else:
            assert_problem(answer, 503, "ISSUER_UNAVAILABLE")
            assert int(answer.headers["retry-after"]) > 0
    service = post(world, ask(), bearer(world.bench.service()))
    assert_problem(service, 503, "ISSUER_UNAVAILABLE")
    assert int(service.headers["retry-after"]) > 0


# --- services that show a token of their own ---


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"publishers": "*"}, {"APP": 200, "THEIRS": 200}),
        ({"publishers": ["contoso"]}, {"APP": 200, "THEIRS": 404}),
        ({"publishers": "fabrikam"}, {"APP": 404, "THEIRS": 200}),
        ({}, {"APP": 404, "THEIRS": 404}),
        ({"publishers": "*", "scope": "openid groups:read"}, {"APP": 403, "THEIRS": 403}),
        ({"publishers": "*", "scp": ["access:assert"]}, {"APP": 200, "THEIRS": 200}),
    ],
)
def test_a_services_token_says_what_it_may_do_and_for_whom(
    world: TokenApp, claims: dict[str, Any], told: dict[str, int]
) -> None:
    caller = bearer(world.bench.service(KEY, **claims))
    for product_id, status in told.items():
        assert post(world, ask(product_id), caller).status_code == status
    asserting = post(world, ask(account={"id": ADA}), caller)
    assert (asserting.status_code == 200) == ("scp" in claims)


def test_a_services_token_opens_the_routes_of_its_scopes(world: TokenApp) -> None:
    claims = {"scope": "groups:read", "publishers": ["contoso"]}
    caller = bearer(world.bench.service(**claims))
    groups = "/v1/publishers/{}/groups"
    assert world.app.ask("GET", groups.format("contoso"), caller).status_code == 200
    foreign = world.app.ask("GET", groups.format("fabrikam"), caller)
    assert_problem(foreign, 404, "UNKNOWN_PUBLISHER")
    wanted = {"name": "New", "emails": [ADA]}
    assert_problem(post(world, wanted, caller, groups.format("contoso")), 403, "SCOPE_MISSING")

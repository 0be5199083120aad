"""How often a caller may ask: limits of a key and of the settings, what a batch costs, what is told."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from eligibility.callers.model import ALL_SCOPES, Caller, Scope
from eligibility.server.http.authentication import Authenticator
from eligibility.server.http.limits import Allowance, RateLimited
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, Headers, asking
from tests.helpers.servers.problem import assert_problem
from tests.helpers.tokens.application import token_app

QUERY = {"product_id": "APP", "device": DESKTOP}


def left(answer: Any) -> int:
    """What the headers say is left."""
    (found,) = re.findall(r'^"caller";r=(\d+);t=\d$', answer.headers["ratelimit"])
    return int(found)


# --- the allowance, by a clock of its own ---


def test_a_second_is_saved_up_and_no_more(clock: Clock) -> None:
    allowance = Allowance(5, clock)
    clock.advance(3_600)
    for _ in range(5):
        allowance.take()
    with pytest.raises(RateLimited) as caught:
        allowance.take()
    assert (caught.value.rate, caught.value.wait_seconds) == (5, 1)
    clock.advance(0.2)
    allowance.take()
    with pytest.raises(RateLimited):
        allowance.take()


def test_who_is_refused_pays_nothing(clock: Clock) -> None:
    allowance = Allowance(10, clock)
    allowance.take(8)
    for _ in range(3):
        with pytest.raises(RateLimited):
            allowance.take(3)
    allowance.take(2)


@pytest.mark.parametrize("rate", [1, 2, 10, 999])
def test_the_longest_batch_can_be_had_by_everybody(clock: Clock, rate: int) -> None:
    """It costs a whole second's worth, of which the request has paid for one query before."""
    allowance = Allowance(rate, clock)
    for _ in range(3):
        allowance.take()
        allowance.take(1_000, paid=1)
        with pytest.raises(RateLimited):
            allowance.take()
        clock.advance(1)


def test_the_headers_tell_the_policy_and_what_is_left(clock: Clock) -> None:
    allowance = Allowance(10, clock)
    allowance.take(4)
    assert allowance.headers == [
        (b"ratelimit-policy", b'"caller";q=10;w=1'),
        (b"ratelimit", b'"caller";r=6;t=1'),
    ]


# --- over HTTP ---


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A server whose settings allow 200 a second."""
    store = f"sqlite:///{tmp_path_factory.mktemp('rate') / 'store.db'}"
    with Service(Settings(store=store, rate_limit=200)) as service, asking(service) as opened:
        put(service, "APP", product())
        yield opened


def until_refused(app: App, headers: Headers) -> Any:
    """Ask until it is too often; gives the refusal."""
    for _ in range(400):
        answer = app.post("/v1/access", QUERY, headers)
        if answer.status_code != 200:
            return answer
        assert left(answer) >= 0
    raise AssertionError("nobody was refused")


def test_a_key_that_asks_too_often_is_told_when_to_ask_again(app: App) -> None:
    headers = app.key(Scope.QUERY, name="slow", rate_limit=3)
    answer = until_refused(app, headers)
    assert_problem(answer, 429, "RATE_LIMITED")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["ratelimit-policy"] == '"caller";q=3;w=1'
    assert left(answer) == 0
    assert answer.json()["retry_after"] == 1
    others = app.post("/v1/access", QUERY, app.key(Scope.QUERY, name="other"))
    assert others.status_code == 200
    time.sleep(1)
    assert app.post("/v1/access", QUERY, headers).status_code == 200


def test_every_route_counts_and_every_answer_tells_what_is_left(app: App) -> None:
    headers = app.key(Scope.METRICS, Scope.QUERY, name="mixed", rate_limit=50)
    for method, path, status in (
        ("GET", "/v1/publishers/p/groups", 403),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/access", 405),
        ("POST", "/v1/access", 400),
    ):
        answer = app.ask(method, path, headers)
        assert answer.status_code == status
        assert answer.headers["ratelimit-policy"] == '"caller";q=50;w=1'
        assert left(answer) < 50


def test_a_batch_costs_its_queries(app: App) -> None:
    headers = app.key(Scope.QUERY, name="batches", rate_limit=1_000)
    answer = app.post("/v1/access/batch", {"queries": [QUERY] * 900}, headers)
    assert answer.status_code == 200
    assert left(answer) < 600  # 100, and what came back while it was answered


def test_the_longest_batch_is_answered_however_low_the_limit(app: App) -> None:
    headers = app.key(Scope.QUERY, name="low", rate_limit=2)
    batch = {"queries": [QUERY] * 1_000}
    assert app.post("/v1/access/batch", batch, headers).status_code == 200
    assert_problem(app.post("/v1/access/batch", batch, headers), 429, "RATE_LIMITED")


def test_the_settings_limit_those_without_a_limit_of_their_own(app: App) -> None:
    answer = app.post("/v1/access", QUERY, app.key(Scope.QUERY, name="usual"))
    assert answer.headers["ratelimit-policy"] == '"caller";q=200;w=1'


def test_two_keys_of_one_name_do_not_renew_each_others_allowance(app: App) -> None:
    low, high = (app.key(Scope.QUERY, name="twins", rate_limit=rate) for rate in (2, 500))
    until_refused(app, low)
    assert app.post("/v1/access", QUERY, high).status_code == 200
    refused = [app.post("/v1/access", QUERY, low).status_code for _ in range(3)]
    assert 429 in refused


def test_keys_of_one_name_and_limit_drain_an_allowance_each(app: App) -> None:
    keys = [
        app.key(Scope.QUERY, name="store-backend", rate_limit=3, publishers=[publisher])
        for publisher in ("contoso", "fabrikam")
    ]
    until_refused(app, keys[0])
    assert left(app.post("/v1/access", QUERY, keys[1])) == 2


def test_callers_of_one_name_from_two_issuers_have_an_allowance_each(clock: Clock) -> None:
    services = [
        Caller(
            kind="token", name="token store", identity=issuer, scopes=ALL_SCOPES, publishers=None
        )
        for issuer in ("digest of one", "digest of another")
    ]
    authenticator = authenticator_of(clock)
    first, second, again = map(authenticator.authenticated, (*services, services[0]))
    assert first.allowance is again.allowance
    assert first.allowance is not second.allowance


def test_ten_thousand_other_callers_do_not_fill_an_allowance_again(clock: Clock) -> None:
    authenticator = authenticator_of(clock)

    def allowance(name: str) -> Allowance:
        caller = Caller(kind="token", name=name, scopes=ALL_SCOPES, publishers=None)
        found = authenticator.authenticated(caller).allowance
        assert found is not None
        return found

    for _ in range(5):
        allowance("token greedy").take()
    for number in range(10_001):
        allowance(f"token {number}").take()
    with pytest.raises(RateLimited):
        allowance("token greedy").take()


def authenticator_of(clock: Clock) -> Authenticator:
    """One that allows five a second, of callers who are known already: it asks no key ring."""
    nobody: Any = None
    return Authenticator(nobody, nobody, rate_limit=5, account_rate_limit=5, monotonic=clock)


def test_what_is_public_and_who_is_unknown_has_no_limit(app: App) -> None:
    for answer in (app.ask("GET", "/healthz"), app.ask("GET", "/v1/keys")):
        assert "ratelimit" not in answer.headers


def test_an_account_that_asks_for_itself_has_a_limit_of_its_own(
    store_url: str, clock: Clock
) -> None:
    with token_app(store_url, clock, account_rate_limit=4) as world:
        own = world.own()
        answer = until_refused(world.app, own)
        assert_problem(answer, 429, "RATE_LIMITED")
        assert answer.headers["ratelimit-policy"] == '"caller";q=4;w=1'
        grace = world.app.post("/v1/access", QUERY, world.own(email="grace@example.com"))
        assert grace.status_code == 200
        assert "ratelimit" not in world.app.post("/v1/access", QUERY, world.plain).headers

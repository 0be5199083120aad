"""What an account may not know of, over both standards: as what nobody has, and at the same price.

The price is the number of calls of the store, whatever memory holds: a stopwatch counts as well.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from groups.model import MembershipEdit
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.clock import Clock
from tests.helpers.standards.authzen import EVALUATION
from tests.helpers.standards.flags import BULK, DEVICE
from tests.helpers.stores.calls import Calls
from tests.helpers.stores.outage import Outage
from tests.helpers.tokens.application import ADA, GRACE, TokenApp, token_app

HIDDEN = {
    "a private product": "PRIVATE",
    "one of another publisher": "FOREIGN",
    "one that nobody has": "NOBODYS",
}
Ask = Callable[[str, str, dict[str, Any]], Any]
"""Asks with Ada's own token: of which kind, which product, and what else the context says."""


@pytest.fixture
def world(store_url: str, clock: Clock) -> Iterator[TokenApp]:
    """token_app's, with private products of both publishers for Grace; and a group that nothing uses."""
    with token_app(store_url, clock) as made:
        for publisher, product_id in (("contoso", "PRIVATE"), ("fabrikam", "FOREIGN")):
            group(made.app.service, "idle", ADA, publisher=publisher)
            hush = flight("best", ["hush-good"], "2.0.0.0")
            private = product(hush, audience="private", audience_groups=["hush-best"])
            put(made.app.service, product_id, private, publisher)
        clock.advance(3_600)
        yield made


@pytest.fixture(params=["AuthZEN", "OFREP"])
def ask(request: pytest.FixtureRequest, world: TokenApp) -> Ask:
    def authzen(kind: str, product_id: str, more: dict[str, Any]) -> Any:
        resource_id = f"{product_id}:best" if kind == "flight" else product_id
        body = {
            "subject": {"type": "account", "id": ADA},
            "action": {"name": "view" if kind == "submission" else "install"},
            "resource": {"type": kind, "id": resource_id},
            "context": {**DEVICE, **more},
        }
        return world.app.post(EVALUATION, body, world.own())

    def ofrep(kind: str, product_id: str, more: dict[str, Any]) -> Any:
        key = f"{kind}:{product_id}" + (":best" if kind == "flight" else "")
        body = {"context": {"targetingKey": ADA, **DEVICE, **more}}
        return world.app.post(f"{BULK}/{key}", body, world.own())

    return authzen if request.param == "AuthZEN" else ofrep


def forget(world: TokenApp) -> None:
    """As after a start: memory holds no product."""
    world.app.service.evaluator._products.clear()


def remember(world: TokenApp) -> None:
    """Somebody who may know asked for everything."""
    for product_id in ("APP", *HIDDEN.values()):
        query = {"product_id": product_id, "account": {"id": GRACE}, "device": DESKTOP}
        world.app.post("/v1/access", query, world.asserting)


def change(world: TokenApp) -> None:
    """Everything is in memory, and then not the newest any more."""
    remember(world)
    for publisher in ("contoso", "fabrikam"):
        for edit in (MembershipEdit(add=(GRACE,)), MembershipEdit(remove=(GRACE,))):
            world.app.service.groups.edit(publisher, "idle", edit, actor="tests")


@pytest.mark.parametrize("memory", [forget, remember, change])
@pytest.mark.parametrize("kind", ["product", "submission", "flight"])
@pytest.mark.parametrize("at", [None, "2026-06-01T12:30:00Z", "2026-01-01T00:00:00Z"])
def test_what_is_hidden_is_as_what_nobody_has_and_takes_as_many_calls(
    world: TokenApp,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    memory: Callable[[TokenApp], None],
    kind: str,
    at: str | None,
) -> None:
    ask("product", "APP", {})  # who asks, and the store's secret, are known
    calls = Calls(monkeypatch)
    more = {} if at is None else {"time": at}
    seen = {}
    for name, product_id in HIDDEN.items():
        memory(world)
        answer, made = calls.of(partial(ask, kind, product_id, more))
        told = answer.text.replace(product_id, "")
        seen[name] = (answer.status_code, told, len(made) if memory is change else made)
    assert all(one == seen["one that nobody has"] for one in seen.values()), seen
    assert "UNKNOWN_RESOURCE" in told or answer.status_code == 404


def test_a_flight_of_others_is_as_one_of_no_product(
    world: TokenApp, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The product is public, and memory holds it; that it has such a flight is not Ada's to know."""
    ask("product", "APP", {})
    calls = Calls(monkeypatch)
    seen = [calls.of(partial(ask, "flight", one, {}))[1] for one in ("APP", "NOBODYS")]
    assert seen[0] == seen[1]


@pytest.mark.parametrize("memory", [forget, remember])
def test_at_the_base_path_of_one_publisher_those_of_others_are_as_what_nobody_has(
    world: TokenApp, monkeypatch: pytest.MonkeyPatch, memory: Callable[[TokenApp], None]
) -> None:
    def asked(product_id: str) -> Any:
        body = {
            "subject": {"type": "account", "id": ADA},
            "action": {"name": "view"},
            "resource": {"type": "product", "id": product_id},
            "context": DEVICE,
        }
        return world.app.post(f"/fabrikam{EVALUATION}", body, world.own()).json()

    assert asked("THEIRS")["decision"]
    calls = Calls(monkeypatch)
    seen = []
    for product_id in ("APP", "PRIVATE", "NOBODYS"):
        memory(world)
        seen.append(calls.of(partial(asked, product_id)))
    assert seen == [seen[0]] * 3
    assert seen[0][0]["context"]["reason"] == "UNKNOWN_RESOURCE"


def test_what_an_account_may_know_of_costs_nothing_once_it_is_in_memory(
    world: TokenApp, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask("product", "APP", {}).status_code == 200
    _, made = Calls(monkeypatch).of(lambda: ask("product", "APP", {}))
    assert made == []


# --- while the store is unavailable ---


@pytest.fixture
def outage(world: TokenApp, clock: Clock) -> Outage:
    """The stores of the world can be taken away; nothing was asked yet."""
    made = Outage(world.app.service, clock)
    world.app.service.evaluator = made.evaluator
    return made


def test_memory_answers_an_account_over_both_standards_as_it_does_natively(
    world: TokenApp, ask: Ask, outage: Outage, clock: Clock
) -> None:
    remember(world)
    before = ask("product", "APP", {}).json()
    outage.begin()
    clock.advance(60)
    answer = ask("product", "APP", {})
    assert (answer.status_code, answer.json()) == (200, before)
    query = {"product_id": "APP", "device": DESKTOP}
    native = world.app.post("/v1/access", query, world.own()).json()
    assert (native["granted"], native["stale_seconds"]) == (True, 60)


def test_and_no_longer_than_it_does_natively(
    world: TokenApp, ask: Ask, outage: Outage, clock: Clock
) -> None:
    remember(world)
    outage.begin()
    clock.advance(1_801)
    assert ask("product", "APP", {}).status_code == 503
    query = {"product_id": "APP", "device": DESKTOP}
    assert world.app.post("/v1/access", query, world.own()).status_code == 503


@pytest.mark.parametrize("memory", [forget, remember])
@pytest.mark.parametrize("at", [None, "2026-06-01T12:30:00Z"])
def test_what_is_hidden_and_what_nobody_has_are_503_alike(
    world: TokenApp,
    ask: Ask,
    outage: Outage,
    clock: Clock,
    memory: Callable[[TokenApp], None],
    at: str | None,
) -> None:
    more = {} if at is None else {"time": at}
    ask("product", "APP", {})
    memory(world)
    outage.begin()
    clock.advance(60)
    answers = [ask("product", product_id, more) for product_id in HIDDEN.values()]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert len({answer.text for answer in answers}) == 1

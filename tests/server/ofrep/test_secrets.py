"""What OFREP must not tell: unknown, private and foreign flags are one and the same."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from eligibility.service.service import Service
from groups.errors import StoreUnavailable
from groups.model import MembershipEdit
from tests.helpers.catalog.products import flight, product, put
from tests.helpers.clock import Clock
from tests.helpers.standards.flags import ADA, BULK, DEVICE, GRACE
from tests.helpers.tokens.application import TokenApp, token_app

OPEN, PRIVATE, UNKNOWN = "APP", "PRIVATE", "UNKNOWN"


@pytest.fixture
def world(store_url: str, clock: Clock) -> Iterator[TokenApp]:
    """token_app's, with a private product for Grace, who is in its flight as well."""
    with token_app(store_url, clock) as made:
        hidden = product(
            flight("good", ["hush-good"], "2.0.0.0"),
            audience="private",
            audience_groups=["hush-best"],
        )
        put(made.app.service, PRIVATE, hidden)
        yield made


def one(world: TokenApp, key: str, headers: dict[str, str], account: str = ADA, **more: Any) -> Any:
    body = {"context": {"targetingKey": account, **DEVICE, **more}}
    return world.app.post(f"{BULK}/{key}", body, headers)


def counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each method of the catalogue's and the groups' store is called, from now on."""
    calls: Counter[str] = Counter()

    def watch(store: Any, name: str) -> None:
        real = getattr(store, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(store, name, called)

    for name in ("get", "owner", "as_of", "list_products", "publishers"):
        watch(service.catalog.store, name)
    for name in ("member_sets", "changes_since", "recent_changes", "memberships_at"):
        watch(service.groups, name)
    return calls


def alike(
    world: TokenApp, headers: dict[str, str], keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers are the same but for the key, and were had by the same calls of the store."""
    for key in keys:
        one(world, key, headers)  # what can be in memory is
    calls = counted(world.app.service, monkeypatch)
    seen = set()
    for key in keys:
        calls.clear()
        answer = one(world, key, headers)
        assert answer.status_code == 404
        names = sorted(set(answer.headers) - {"x-request-id", "content-length"})
        text = answer.text.replace(key, "KEY")
        seen.add((text, tuple(names), tuple(sorted(calls.items()))))
    assert len(seen) == 1, seen


def test_for_an_account_private_and_unknown_are_alike(
    world: TokenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [
        "product:PRIVATE",
        "submission:PRIVATE",
        "flight:PRIVATE:good",
        "flight:PRIVATE:nope",
        "product:UNKNOWN",
        "submission:UNKNOWN",
        "flight:UNKNOWN:good",
        "flight:APP:best",
        "flight:APP:nope",
    ]
    alike(world, world.own(), keys, monkeypatch)


def test_for_a_service_of_one_publisher_foreign_and_unknown_are_alike(
    world: TokenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = world.app.key("access:query", "access:assert", publishers=["contoso"])
    one(world, "flight:THEIRS:good", world.asserting)  # in memory, for those who may
    keys = [
        "flight:THEIRS:good",
        "product:THEIRS",
        "submission:THEIRS",
        "flight:UNKNOWN:good",
        "product:UNKNOWN",
        "submission:UNKNOWN",
        "nonsense",
    ]
    alike(world, service, keys, monkeypatch)


def test_who_is_in_the_audience_is_told(world: TokenApp) -> None:
    for account, status in ((GRACE, 200), (ADA, 404)):
        for key in ("product:PRIVATE", "submission:PRIVATE"):
            answer = one(world, key, world.own(email=account), account)
            assert answer.status_code == status
    assert one(world, "flight:APP:good", world.own()).json()["value"] is True


def test_a_service_is_told_of_its_publishers_products(world: TokenApp) -> None:
    answer = one(world, "submission:PRIVATE", world.asserting)
    assert answer.json()["metadata"]["reason"] == "NOT_IN_AUDIENCE"


def test_bulk_leaves_out_what_an_account_may_not_know(world: TokenApp) -> None:
    body = {"context": {"targetingKey": ADA, **DEVICE}}
    answer = world.app.post(BULK, body, world.own())
    assert [flag["key"] for flag in answer.json()["flags"]] == [
        "product:APP",
        "submission:APP",
        "flight:APP:good",
        "product:THEIRS",
        "submission:THEIRS",
        "flight:THEIRS:good",
    ]
    assert "hush" not in answer.text


def test_a_flight_ended_for_an_account_is_gone_from_memory_too(
    world: TokenApp, clock: Clock
) -> None:
    own = world.own()
    assert one(world, "flight:APP:good", own).status_code == 200
    edit = MembershipEdit(add=("new@example.com",), remove=(ADA,))
    world.app.service.groups.edit("contoso", "hush-good", edit, actor="test")
    assert one(world, "flight:APP:good", own).status_code == 404


def test_while_the_store_is_away_secret_and_unknown_are_alike(
    store_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory tells an account of what it may know, and nothing of what it may not."""
    with token_app(store_url, clock) as world:
        for key in ("flight:APP:good", "flight:APP:best", "flight:UNKNOWN:x"):
            one(world, key, world.own())

        def away(*_: object, **__: object) -> None:
            raise StoreUnavailable("away")

        for name in ("get", "owner"):
            monkeypatch.setattr(world.app.service.catalog.store, name, away)
        monkeypatch.setattr(world.app.service.groups, "change_token", away)
        assert one(world, "flight:APP:good", world.own()).json()["value"] is True
        secret, unknown = (
            one(world, key, world.own()) for key in ("flight:APP:best", "flight:UNKNOWN:x")
        )
        assert secret.status_code == unknown.status_code == 503
        assert secret.text == unknown.text
        assert secret.headers["retry-after"] == "1"


def test_made_up_flights_leave_nothing_in_memory(world: TokenApp) -> None:
    def forms() -> int:
        held = world.app.service.evaluator.warm("APP")
        assert held is not None
        return len(held._memory[1])

    for key in ("flight:APP:good", "flight:APP:good", "flight:APP:nope"):
        one(world, key, world.asserting)
    before = forms()
    for number in range(5):
        one(world, f"flight:APP:nope{number}", world.asserting)
    assert forms() == before > 0

"""What can happen to API keys on a server only: answers lost, data evicted, rights missing."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from eligibility.callers.redis_store import RedisKeyStore
from eligibility.callers.store import KeyStore
from eligibility.service.stores import open_stores
from groups.errors import StoreUnavailable
from groups.storage.redis_errors import RIGHTS
from tests.helpers.stores import redis_servers as servers
from tests.helpers.stores.backends import BACKENDS, Deployment
from tests.helpers.stores.keys import key
from tests.helpers.stores.redis_servers import user

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(params=servers.KINDS)
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with BACKENDS[request.param]() as made:
        yield made


def opened(deployment: Deployment) -> RedisKeyStore:
    keys = deployment.open_both().keys
    assert isinstance(keys, RedisKeyStore)
    return keys


def lose_the_next_answer(
    store: RedisKeyStore, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]
) -> None:
    """Have the next script done, its answer lost and the script sent again, as a client does."""
    call, lost = store._server.call, list[bool]()

    def losing(*command: str | bytes) -> Any:
        if command[0] == "EVAL" and not lost:
            lost.append(True)
            call(*command)
            meanwhile()
        return call(*command)

    monkeypatch.setattr(store._server, "call", losing)


WRITES: list[Callable[[KeyStore], object]] = [
    lambda store: store.add(key("new")),
    lambda store: store.end("a", revoked_at=NOW),
    lambda store: store.replace("a", key("new"), expires_at=NOW),
]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("others", [0, 1])
def test_a_write_whose_answer_got_lost_is_done_once(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[KeyStore], object],
    others: int,
) -> None:
    store, other = opened(deployment), opened(deployment)
    store.add(key())

    def meanwhile() -> None:
        if others:
            other.add(key("other"))

    lose_the_next_answer(store, monkeypatch, meanwhile)
    write(store)
    done = other.all()
    assert done[0] == 2 + others
    write(other)  # nothing is left to be done
    assert other.all() == done


@pytest.mark.parametrize("evicted", ["api_keys", "head"])
def test_keys_that_were_evicted_are_an_error_and_never_nobodys(
    deployment: Deployment, evicted: str
) -> None:
    store = opened(deployment)
    store.add(key())
    store._server.call("DEL", getattr(store._keys, evicted))
    calls: list[Callable[[], object]] = [
        store.all,
        lambda: store.get("a"),
        lambda: store.add(key("b")),
        lambda: store.end("a", revoked_at=NOW),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable, match="the server lost"):
            call()


def test_the_rights_that_are_named_are_all_it_takes() -> None:
    with servers.valkey() as server, closing(open_stores(user(server, RIGHTS, "keys"))) as stores:
        stores.keys.add(key())
        stores.keys.replace("a", key("b"), expires_at=NOW)
        stores.keys.end("b", revoked_at=NOW)
        stores.keys.note_use({"a": NOW})
        assert stores.keys.revision() == stores.keys.all()[0] == 3

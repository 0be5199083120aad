"""The contract of KeyStore (eligibility/callers/store.py), sentence by sentence, on every backend."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest

from eligibility.callers.errors import UnknownKey
from eligibility.callers.model import ALL_SCOPES
from eligibility.callers.store import KeyStore, StoredKey
from groups.errors import StoreUnavailable
from tests.helpers.stores.backends import Deployment
from tests.helpers.stores.keys import NOW, key

HOUR = timedelta(hours=1)
NOBODYS = ["nobodys", "", "a b", "%", "\ud800", "a\0b", "x" * 5_000]


@pytest.fixture
def store(deployment: Deployment) -> KeyStore:
    return deployment.open_both().keys


FULL = replace(
    key("full", name="Ünïcode \U0001f511"),
    scopes=ALL_SCOPES,
    publishers=None,
    rate_limit=2_000,
    digest=b"\0\xff" * 16,
    expires_at=NOW + 90 * 24 * HOUR,
    revoked_at=NOW + HOUR,
    replaced_by="b",
)
LEAST = replace(key("least"), scopes=frozenset(), publishers=frozenset())


def test_a_store_never_written_has_no_keys(store: KeyStore) -> None:
    assert (store.revision(), store.all(), store.get("a")) == (0, (0, ()), None)


@pytest.mark.parametrize("kept", [key(), FULL, LEAST], ids=lambda one: one.key_id)
def test_what_is_kept_comes_back_equal(deployment: Deployment, kept: StoredKey) -> None:
    deployment.open_both().keys.add(kept)
    other = deployment.open_both().keys
    assert (other.get(kept.key_id), other.all()) == (kept, (1, (kept,)))


def test_keys_come_the_oldest_first(store: KeyStore) -> None:
    made = [key("b", at=NOW + HOUR), key("z", at=NOW - HOUR), key("C"), key("a"), key("c")]
    for one in made:
        store.add(one)
    assert [one.key_id for one in store.all()[1]] == ["z", "C", "a", "c", "b"]


def test_a_key_that_is_there_already_stays_as_it_is(store: KeyStore) -> None:
    store.add(key())
    store.add(key(name="another"))
    assert store.all() == (1, (key(),))


@pytest.mark.parametrize("key_id", NOBODYS)
def test_a_key_that_nobody_made_is_unknown(store: KeyStore, key_id: str) -> None:
    store.add(key())
    assert store.get(key_id) is None
    writes: list[Callable[[], StoredKey]] = [
        lambda: store.end(key_id, revoked_at=NOW),
        lambda: store.replace(key_id, key("new"), expires_at=NOW),
    ]
    for write in writes:
        with pytest.raises(UnknownKey):
            write()
    assert store.all() == (1, (key(),))


def test_ids_are_case_sensitive(store: KeyStore) -> None:
    store.add(key("abc"))
    assert (store.get("ABC"), store.get("abc")) == (None, key("abc"))


def test_every_write_raises_the_revision(store: KeyStore) -> None:
    seen = [store.revision()]
    writes: list[Callable[[], object]] = [
        lambda: store.add(key()),
        lambda: store.add(key("b")),
        lambda: store.end("a", expires_at=NOW + HOUR),
        lambda: store.end("a", revoked_at=NOW),
        lambda: store.replace("b", key("c"), expires_at=NOW),
    ]
    for write in writes:
        write()
        seen.append(store.revision())
    assert seen == [0, 1, 2, 3, 4, 5]
    assert store.all()[0] == 5


def test_a_key_is_ended_as_told_and_the_others_stay(store: KeyStore) -> None:
    store.add(key())
    store.add(key("b"))
    revoked = replace(key(), revoked_at=NOW)
    assert store.end("a", revoked_at=NOW) == store.get("a") == revoked
    ending = replace(key("b"), expires_at=NOW + HOUR)
    assert store.end("b", expires_at=NOW + HOUR) == store.get("b") == ending
    assert store.all()[1] == (revoked, ending)


def test_what_was_ended_earlier_stays_so(store: KeyStore) -> None:
    ended = replace(key(), revoked_at=NOW, expires_at=NOW)
    store.add(ended)
    assert store.end("a", revoked_at=NOW + HOUR, expires_at=NOW + HOUR) == ended
    assert store.end("a") == store.get("a") == ended
    assert store.revision() == 1  # nothing was written
    forward = replace(ended, expires_at=NOW - HOUR)
    assert store.end("a", expires_at=NOW - HOUR) == store.get("a") == forward


def test_a_key_is_replaced_by_another_in_one_step(store: KeyStore) -> None:
    store.add(key())
    old = store.replace("a", key("b", at=NOW + HOUR), expires_at=NOW + 2 * HOUR)
    assert old == replace(key(), expires_at=NOW + 2 * HOUR, replaced_by="b")
    assert store.all() == (2, (old, key("b", at=NOW + HOUR)))


def test_replacing_does_not_lengthen_a_keys_life(store: KeyStore) -> None:
    store.add(replace(key(), expires_at=NOW))
    assert store.replace("a", key("b"), expires_at=NOW + HOUR).expires_at == NOW


def test_last_use_is_noted_and_is_no_write(store: KeyStore) -> None:
    for one in (key(), key("b"), key("c")):
        store.add(one)
    store.note_use({"a": NOW, "b": NOW + HOUR, "nobodys": NOW, "\ud800": NOW})
    assert store.all() == (
        3,
        (
            replace(key(), last_used_at=NOW),
            replace(key("b"), last_used_at=NOW + HOUR),
            key("c"),
        ),
    )
    assert store.get("a") == replace(key(), last_used_at=NOW)
    assert store.get("nobodys") is None
    store.add(key("nobodys"))
    assert store.get("nobodys") == key("nobodys")


def test_an_earlier_use_is_left_out(store: KeyStore) -> None:
    store.add(key())
    moments = []
    for at in (NOW, NOW - HOUR, NOW + HOUR, NOW):
        store.note_use({"a": at})
        found = store.get("a")
        assert found
        moments.append(found.last_used_at)
    assert moments == [NOW, NOW, NOW + HOUR, NOW + HOUR]


def test_last_use_outlives_what_becomes_of_a_key(store: KeyStore) -> None:
    store.add(key())
    store.note_use({"a": NOW})
    assert store.end("a", revoked_at=NOW).last_used_at == NOW
    assert store.replace("a", key("b"), expires_at=NOW).last_used_at == NOW
    assert [one.last_used_at for one in store.all()[1]] == [NOW, None]
    store.add(replace(key("c"), last_used_at=NOW))
    assert store.get("c") == key("c")  # only `note_use` notes it


def test_many_writers_at_once_lose_nothing(deployment: Deployment) -> None:
    barrier = Barrier(4)

    def write(store: KeyStore, name: str) -> None:
        barrier.wait()
        for number in range(5):
            store.add(key(f"{name}{number}"))
            store.end(f"{name}{number}", revoked_at=NOW)

    stores = [deployment.open_both().keys for _ in range(2)]
    threads = [Thread(target=write, args=(stores[n % 2], f"w{n}-")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    revision, keys = stores[0].all()
    assert (revision, len(keys), {one.revoked_at for one in keys}) == (40, 20, {NOW})


def test_a_store_that_was_closed_says_so(deployment: Deployment) -> None:
    opened = deployment.open_both()
    opened.close()
    calls: list[Callable[[], object]] = [
        opened.keys.revision,
        opened.keys.all,
        lambda: opened.keys.get("a"),
        lambda: opened.keys.add(key()),
        lambda: opened.keys.end("a", revoked_at=NOW),
        lambda: opened.keys.replace("a", key("b"), expires_at=NOW),
        lambda: opened.keys.note_use({"a": NOW}),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable):
            call()

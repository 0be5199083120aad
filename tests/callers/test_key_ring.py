"""KeyRing: what nodes know of keys and how soon, with the store there and away."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from eligibility.callers import api_keys
from eligibility.callers.errors import Unauthenticated
from eligibility.callers.key_ring import ASK_AGAIN_SECONDS, KeyRing
from eligibility.callers.model import Caller, Scope
from eligibility.callers.store import KeyStore, StoredKey
from eligibility.formats.lru_cache import LruCache
from groups.errors import StoreUnavailable
from tests.helpers.clock import Clock
from tests.helpers.stores.backends import BACKENDS, Deployment

STALENESS = 1_800


class Watched:
    """A KeyStore that can be taken away, and counts what is asked of it."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self.away = False
        self.asked: Counter[str] = Counter()
        self.before: Callable[[], object] = lambda: None

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise StoreUnavailable("taken away by a test")
        self.asked[name] += 1
        self.before()
        return getattr(self._store, name)


@pytest.fixture
def store() -> Iterator[KeyStore]:
    with BACKENDS["sqlite"]() as deployment:
        yield deployment.open_both().keys


@pytest.fixture
def watched(store: KeyStore) -> Any:
    return Watched(store)


@pytest.fixture
def ring(watched: Any, clock: Clock) -> KeyRing:
    """A ring without its thread: it looks only where it has to."""
    return KeyRing(watched, clock, max_staleness_seconds=STALENESS)


@contextmanager
def started(store: KeyStore, **options: Any) -> Iterator[KeyRing]:
    ring = KeyRing(store, **options)
    ring.start()
    try:
        yield ring
    finally:
        ring.close()


def new_key(at: datetime, expires_at: datetime | None = None) -> tuple[str, StoredKey]:
    text = api_keys.new_text()
    return text, StoredKey(
        key_id=text[api_keys.ID_PART],
        digest=api_keys.digest(text),
        name="store-backend",
        scopes=frozenset({Scope.QUERY}),
        publishers=frozenset({"contoso"}),
        rate_limit=5,
        created_at=at,
        created_by="tests",
        expires_at=expires_at,
    )


def added(store: KeyStore, clock: Clock, expires_in: float | None = None) -> str:
    ends = None if expires_in is None else clock.moment + timedelta(seconds=expires_in)
    text, kept = new_key(clock.moment, ends)
    store.add(kept)
    return text


def refused(ring: KeyRing, text: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        ring.caller(text)
    assert text not in str(caught.value)
    assert ring.known(text) is None
    return caught.value.code


def seconds_until(true: Callable[[], bool]) -> float:
    begun = time.monotonic()
    while not true():
        assert time.monotonic() < begun + 10
        time.sleep(0.01)
    return time.monotonic() - begun


# Whose a key is


def test_a_key_tells_its_caller(store: KeyStore, ring: KeyRing, clock: Clock) -> None:
    text = added(store, clock)
    expected = Caller(
        kind="key",
        name="key store-backend",
        identity=api_keys.key_id_of(text),
        scopes=frozenset({Scope.QUERY}),
        publishers=frozenset({"contoso"}),
        rate_limit=5,
    )
    assert ring.known(text) is None  # made just now: the store has to be asked
    assert ring.caller(text) == ring.known(text) == expected


def test_a_known_key_costs_no_look_at_the_store(watched: Any, ring: KeyRing, clock: Clock) -> None:
    text = added(watched, clock)
    ring.caller(text)
    watched.asked.clear()
    for _ in range(100):
        assert ring.caller(text) == ring.known(text)
    assert not watched.asked


@pytest.mark.parametrize("odd", ["", "elg_", "Bearer", "\ud800" * 65, "x" * 100_000])
def test_what_is_no_key_is_unreadable_and_costs_no_look(
    watched: Any, ring: KeyRing, odd: str
) -> None:
    with pytest.raises(Unauthenticated) as caught:
        ring.caller(odd)
    assert caught.value.code == "CREDENTIALS_UNREADABLE"
    assert ring.known(odd) is None
    assert not watched.asked


def test_a_wrong_secret_and_an_unknown_id_are_told_alike(
    store: KeyStore, ring: KeyRing, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = added(store, clock)
    unknown, _ = new_key(clock.moment)
    with monkeypatch.context() as patch:  # the same id, another secret
        patch.setattr(api_keys, "_random", lambda n: text[4:16] if n == 12 else "0" * n)
        wrong, _ = new_key(clock.moment)
    assert wrong[:16] == text[:16]
    ring.caller(text)
    messages = set()
    for other in (unknown, wrong):
        with pytest.raises(Unauthenticated) as caught:
            ring.caller(other)
        messages.add((caught.value.code, str(caught.value)))
    assert len(messages) == 1
    assert messages.pop()[0] == "KEY_UNKNOWN"


def test_a_key_that_was_revoked_is_unknown(store: KeyStore, ring: KeyRing, clock: Clock) -> None:
    text, kept = new_key(clock.moment)
    store.add(replace(kept, revoked_at=clock.moment))
    assert refused(ring, text) == "KEY_UNKNOWN"


# New keys, and forged ones


def test_a_key_made_just_now_works_at_once_on_every_node(clock: Clock, store: KeyStore) -> None:
    with started(store, poll_seconds=60) as ring:
        assert ring.caller(added(store, clock)).name == "key store-backend"


def test_an_unknown_key_is_asked_for_once_a_second(
    watched: Any, ring: KeyRing, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(watched, clock)
    forged, _ = new_key(clock.moment)
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    looks = []
    for wait in (0.0, 0.0, ASK_AGAIN_SECONDS - 0.01, 0.02, 0.0):
        now[0] += wait
        watched.asked.clear()
        assert refused(ring, forged) == "KEY_UNKNOWN"
        looks.append(sum(watched.asked.values()))
    assert looks == [1, 0, 0, 1, 0]  # `all` first, then the revision is enough


def test_a_key_that_was_unknown_works_as_soon_as_it_is_held(store: KeyStore, clock: Clock) -> None:
    text, kept = new_key(clock.moment)
    with started(store, poll_seconds=0.05) as ring:
        assert refused(ring, text) == "KEY_UNKNOWN"
        store.add(kept)
        assert seconds_until(lambda: ring.known(text) is not None) < 0.9


def test_many_forged_keys_take_bounded_memory(
    ring: KeyRing, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "_unknown", LruCache(10))
    for _ in range(25):
        assert refused(ring, new_key(clock.moment)[0]) == "KEY_UNKNOWN"
    assert 1 <= len(ring._unknown) <= 10


@pytest.mark.parametrize("away", [False, True])
def test_threads_that_come_together_share_a_look(
    watched: Any, ring: KeyRing, clock: Clock, away: bool
) -> None:
    added(watched, clock)
    ring._check()
    watched.asked.clear()
    inside, go_on, outcomes = Event(), Event(), list[str]()

    def slow() -> None:
        inside.set()
        assert go_on.wait(10)
        if away and watched.asked.total() > 1:
            raise StoreUnavailable("taken away by a test")

    def ask() -> None:
        try:
            ring.caller(new_key(clock.moment)[0])
        except (Unauthenticated, StoreUnavailable) as error:
            outcomes.append(error.code)

    watched.before = slow
    threads = [Thread(target=ask) for _ in range(9)]
    threads[0].start()
    assert inside.wait(10)
    for thread in threads[1:]:
        thread.start()
    time.sleep(0.2)  # until they wait for the first one's look
    go_on.set()
    for thread in threads:
        thread.join()
    assert watched.asked.total() == 2  # the first one's, and one for all others
    others = "STORE_UNAVAILABLE" if away else "KEY_UNKNOWN"
    assert sorted(outcomes) == sorted(["KEY_UNKNOWN"] + [others] * 8)


# Ends


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_revoked_key_stops_within_a_second_on_a_second_node(backend: str) -> None:
    with BACKENDS[backend]() as deployment:
        here, there = deployment.open_both().keys, deployment.open_both().keys
        text, kept = new_key(datetime.now(UTC))
        here.add(kept)
        with started(there) as ring:
            generation = ring.current_generation()
            assert ring.known(text)
            time.sleep(0.7)  # looks go by, and nothing changes
            assert (ring.current_generation(), bool(ring.known(text))) == (generation, True)
            here.end(kept.key_id, revoked_at=datetime.now(UTC))
            assert seconds_until(lambda: ring.known(text) is None) < 1
            assert ring.current_generation() > generation
            assert refused(ring, text) == "KEY_UNKNOWN"


def test_a_key_ends_at_the_very_moment_and_says_that_it_has_expired(
    store: KeyStore, ring: KeyRing, clock: Clock
) -> None:
    text, other = added(store, clock, expires_in=60), added(store, clock, expires_in=90)
    assert ring.caller(text)
    generation = ring.current_generation()
    clock.advance(59.9)
    assert ring.known(text)
    assert ring.current_generation() == generation
    clock.advance(0.1)  # and nobody looks at the store
    assert ring.current_generation() == generation + 1 == ring.current_generation()
    assert refused(ring, text) == "KEY_EXPIRED"
    assert ring.known(other)
    clock.advance(30)
    assert ring.current_generation() == generation + 2
    assert refused(ring, other) == "KEY_EXPIRED"


def test_of_an_expired_key_another_secret_does_not_learn_that_it_expired(
    store: KeyStore, ring: KeyRing, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = added(store, clock, expires_in=0)
    monkeypatch.setattr(api_keys, "_random", lambda n: text[4:16] if n == 12 else "0" * n)
    assert refused(ring, new_key(clock.moment)[0]) == "KEY_UNKNOWN"
    assert refused(ring, text) == "KEY_EXPIRED"


def test_a_write_that_changes_nothing_here_leaves_the_generation(
    store: KeyStore, ring: KeyRing, clock: Clock
) -> None:
    text, revoked = added(store, clock), new_key(clock.moment)[1]
    ring.caller(text)
    generation, caller = ring.current_generation(), ring.known(text)
    store.add(replace(revoked, revoked_at=clock.moment))
    ring._check()
    assert ring.current_generation() == generation
    assert ring.known(text) is caller


# The store away


def test_what_is_held_goes_on_while_the_store_is_away_and_not_for_ever(
    watched: Any, ring: KeyRing, clock: Clock
) -> None:
    text = added(watched, clock)
    ring.caller(text)
    watched.away = True
    generation = ring.current_generation()
    clock.advance(STALENESS - 1)
    assert ring.caller(text) == ring.known(text) is not None
    assert ring.current_generation() == generation
    clock.advance(1)
    assert ring.current_generation() == generation + 1
    assert ring.known(text) is None
    with pytest.raises(StoreUnavailable):
        ring.caller(text)
    watched.away = False
    assert ring.caller(text) == ring.known(text) is not None


def test_away_nobody_is_told_that_a_key_is_unknown(
    watched: Any, ring: KeyRing, clock: Clock
) -> None:
    ring.caller(added(watched, clock))
    text = added(watched, clock)
    watched.away = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            ring.caller(text)
    watched.away = False
    assert ring.caller(text)


def test_without_staleness_keys_still_live_from_one_look_to_the_next(store: KeyStore) -> None:
    text, kept = new_key(datetime.now(UTC))
    store.add(kept)
    with started(store, max_staleness_seconds=0, poll_seconds=0.2) as ring:
        for _ in range(30):
            assert ring.known(text)
            time.sleep(0.02)


def test_a_ring_cannot_start_without_its_store(watched: Any, ring: KeyRing) -> None:
    watched.away = True
    with pytest.raises(StoreUnavailable):
        ring.start()
    ring.close()


def test_the_thread_outlives_an_outage_and_says_so_once(
    watched: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    text, kept = new_key(clock.moment)
    watched.add(kept)
    caplog.set_level(logging.WARNING)
    with started(watched, clock=clock, poll_seconds=0.01) as ring:
        watched.away = True
        seconds_until(lambda: "in memory" in caplog.text)
        time.sleep(0.1)
        watched.away = False
        watched.end(kept.key_id, revoked_at=clock.moment)
        seconds_until(lambda: ring.known(text) is None)
        seconds_until(lambda: "again" in caplog.text)
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "using the API keys in memory",
        "API keys are read from the store again",
    ]


def test_after_an_outage_keys_are_read_whatever_the_revision(
    watched: Any, ring: KeyRing, clock: Clock
) -> None:
    """A replica that takes over may lack writes, and count its own to the same number."""
    ring.caller(added(watched, clock))
    watched.asked.clear()
    ring._check()
    assert watched.asked == {"revision": 1}
    watched.away = True
    with pytest.raises(StoreUnavailable):
        ring._check()
    watched.away = False
    watched.asked.clear()
    ring._check()
    assert watched.asked == {"all": 1}


# Last use


def used_at(store: KeyStore, text: str) -> datetime | None:
    found = store.get(api_keys.key_id_of(text))
    assert found
    return found.last_used_at


def test_last_use_is_noted_to_the_minute_and_once_a_minute(
    watched: Any, store: KeyStore, clock: Clock
) -> None:
    first, second = added(store, clock), added(store, clock)
    minute = clock.moment
    with started(watched, clock=clock, poll_seconds=0.01) as ring:
        clock.advance(5.5)
        ring.known(first)
        seconds_until(lambda: used_at(store, first) == minute)
        clock.advance(50)
        ring.known(first)
        ring.known(second)
        time.sleep(0.1)
        assert watched.asked["note_use"] == 1  # within the same minute
        clock.advance(10)
        ring.known(first)
        seconds_until(lambda: used_at(store, first) == minute + timedelta(minutes=1))
        assert used_at(store, second) == minute
        clock.advance(600)
        time.sleep(0.1)
        assert watched.asked["note_use"] == 2  # nothing new


def test_the_last_uses_are_noted_when_a_ring_closes(store: KeyStore, clock: Clock) -> None:
    text = added(store, clock)
    with started(store, clock=clock, poll_seconds=60) as ring:
        ring.known(text)
        assert used_at(store, text) is None
    assert used_at(store, text) == clock.moment
    ring.close()


def test_a_key_refused_was_not_used(store: KeyStore, ring: KeyRing, clock: Clock) -> None:
    text = added(store, clock, expires_in=0)
    assert refused(ring, text) == "KEY_EXPIRED"
    ring._uses.write()
    assert used_at(store, text) is None


def test_uses_that_cannot_be_noted_are_noted_later(
    store: KeyStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(Watched):
        def note_use(self, used: Mapping[str, datetime]) -> None:
            if self.away_for_writing:
                raise StoreUnavailable("full")
            self._store.note_use(used)

        away_for_writing = True

    full: Any = Full(store)
    text = added(store, clock)
    with started(full, clock=clock, poll_seconds=0.01) as ring:
        ring.known(text)
        seconds_until(lambda: "could not store" in caplog.text)
        full.away_for_writing = False
        clock.advance(60)
        seconds_until(lambda: used_at(store, text) is not None)
    assert len(caplog.records) == 1


def test_a_look_is_a_matter_of_microseconds(store: KeyStore, ring: KeyRing, clock: Clock) -> None:
    text = added(store, clock)
    ring.caller(text)
    best = min(_seconds_of(lambda: ring.known(text)) for _ in range(50))
    assert best < 50e-6  # about 2; the margin is a busy machine's


def _seconds_of(call: Callable[[], object], times: int = 100) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - begun) / times


def test_many_threads_ask_while_keys_change(deployment: Deployment) -> None:
    here, there = deployment.open_both().keys, deployment.open_both().keys
    text, kept = new_key(datetime.now(UTC))
    here.add(kept)
    barrier, wrong = Barrier(5), list[object]()

    def ask(ring: KeyRing) -> None:
        barrier.wait()
        for _ in range(300):
            if ring.caller(text).name != "key store-backend":
                wrong.append(text)

    with started(there, poll_seconds=0.01) as ring:
        threads = [Thread(target=ask, args=(ring,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        barrier.wait()
        for _ in range(10):
            other, made = new_key(datetime.now(UTC))
            here.add(made)
            assert ring.caller(other)
            here.end(made.key_id, revoked_at=datetime.now(UTC))
        for thread in threads:
            thread.join()
    assert not wrong

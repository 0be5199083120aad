"""KeyRing: all API keys in memory, so that telling whose a key is costs no I/O.

A thread looks at the store's revision twice a second and reads the keys anew when it changed: a
revoked key stops within a second on every node.
"""

import hmac
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from typing import NamedTuple

from eligibility.callers import api_keys
from eligibility.callers.errors import Unauthenticated
from eligibility.callers.model import Caller
from eligibility.callers.store import KeyStore, StoredKey
from groups.errors import GroupsError, StoreUnavailable

_MINUTE = 60.0
_log = logging.getLogger("eligibility.keys")


class KeyUses:
    """Last uses of one server process. `last`: key id -> seconds since the epoch; anybody adds to it."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self.last: dict[str, float] = {}
        self._written: dict[str, float] = {}
        self._due = -inf

    def write_once_a_minute(self, now: float) -> None:
        """Write what is new, unless that was done in the same minute; now = seconds since the epoch."""
        if now >= self._due and self.write():
            self._due = _minute(now) + _MINUTE

    def write(self) -> bool:
        """Write what is new, and say whether anything was; a store that is away is left in peace."""
        minutes = {key_id: _minute(at) for key_id, at in self.last.copy().items()}
        news = {one: at for one, at in minutes.items() if at > self._written.get(one, -inf)}
        if not news:
            return False
        try:
            used = {key_id: datetime.fromtimestamp(at, UTC) for key_id, at in news.items()}
            self._store.note_use(used)
        except StoreUnavailable as error:
            _log.warning("when API keys were last used was not noted: %s", error)
        else:
            self._written |= news
        return True


def _minute(seconds: float) -> float:
    return seconds - seconds % _MINUTE


ASK_AGAIN_SECONDS = 1.0
"""How long a key id that the store did not know is not asked for again."""
_MOST_UNKNOWN = 10_000


class _Held(NamedTuple):
    """A key as it is looked up; ends_at: seconds since the epoch."""

    digest: bytes
    ends_at: float
    caller: Caller


_NOBODY = _Held(bytes(32), inf, Caller(kind="key", name="", scopes=frozenset(), publishers=None))
"""What an unknown key is compared with, so that it takes as long as a wrong secret."""


class KeyRing:
    """Tells whose an API key is. Safe to use from many threads.

    clock: seconds since the epoch. poll_seconds: how often the thread of `start` looks at the store.
    max_staleness_seconds: how long keys are good from memory while the store is away; never less
    than a few looks, for nobody knows between two looks that it is away.
    """

    def __init__(
        self,
        store: KeyStore,
        clock: Callable[[], float] = time.time,
        poll_seconds: float = 0.5,
        max_staleness_seconds: float = 1_800,
    ) -> None:
        self._store, self._clock, self._poll_seconds = store, clock, poll_seconds
        self._good_for = max(max_staleness_seconds, 4 * poll_seconds)
        self._held: dict[str, _Held] = {}
        self._revision: int | None = None  # None: to be read, whatever the store's is
        self._generation = 0
        self._good_until = -inf
        self._due = inf  # when the generation grows by itself
        self._state_lock = threading.Lock()
        self._look_lock = threading.Lock()
        self._looks = 0
        self._failure: StoreUnavailable | None = None  # of the last look
        self._unknown: dict[str, float] = {}
        self._uses = KeyUses(store)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read the keys, and keep them fresh from now on. Raises: StoreUnavailable."""
        self._look()
        self._thread = threading.Thread(target=self._run, name="api-keys", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; what was used last is noted, if the store can be had. Twice is fine."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None
            self._uses.write()

    @property
    def generation(self) -> int:
        """Grows whenever keys change, one ends by itself, or all get too old to be trusted.

        While it stays the same, what `known` or `caller` told of a key is still so. Ask them once a
        minute all the same: that is how a key's uses are noted.
        """
        if self._clock() >= self._due:
            self._pass_due()
        return self._generation

    def known(self, text: str) -> Caller | None:
        """Whose a key is, from memory; None where `caller` has to find out, or say what is wrong."""
        now = self._clock()
        key_id = text[api_keys.ID_PART]
        held = self._held.get(key_id, _NOBODY)
        same = hmac.compare_digest(held.digest, api_keys.digest(text))
        if not same or now >= held.ends_at or now >= self._good_until:
            return None
        self._uses.last[key_id] = now
        return held.caller

    def caller(self, text: str) -> Caller:
        """Whose a key is; asks the store for one that was made just now, so not for an event loop.

        Raises: Unauthenticated CREDENTIALS_UNREADABLE, KEY_UNKNOWN (also for a wrong secret, or a
            key that was revoked), KEY_EXPIRED; StoreUnavailable where the store has to be asked.
        """
        key_id = api_keys.key_id_of(text)
        found = self.known(text)
        if found is None and self._has_to_ask(key_id):
            self._look()
            found = self.known(text)
        if found is not None:
            return found
        held = self._held.get(key_id, _NOBODY)
        if hmac.compare_digest(held.digest, api_keys.digest(text)):
            raise Unauthenticated("KEY_EXPIRED", "the API key has expired")
        if held is _NOBODY:
            self._remember_unknown(key_id)
        raise Unauthenticated("KEY_UNKNOWN", "there is no such API key, or it was revoked")

    def _has_to_ask(self, key_id: str) -> bool:
        if self._clock() >= self._good_until:
            return True
        return key_id not in self._held and self._unknown.get(key_id, -inf) < time.monotonic()

    def _remember_unknown(self, key_id: str) -> None:
        now = time.monotonic()
        if self._unknown.get(key_id, -inf) < now:
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[key_id] = now + ASK_AGAIN_SECONDS

    def _run(self) -> None:
        away = False
        while not self._stop.wait(self._poll_seconds):
            try:
                self._look()
                if away:
                    _log.warning("API keys are read from the store again")
                away = False
                self._uses.write_once_a_minute(self._clock())
            except Exception as error:  # noqa: BLE001 - without this thread no key would be revoked
                if not away:
                    known = isinstance(error, GroupsError)
                    _log.warning("API keys are those in memory: %s", error, exc_info=not known)
                away = True

    def _look(self) -> None:
        """Bring what is held up to the store. Raises: StoreUnavailable.

        Threads that come while one looks share the next look, so forged keys do not flood the store.
        """
        before = self._looks
        with self._look_lock:
            if self._looks > before:  # somebody's look began after we came
                if self._failure is not None:
                    raise StoreUnavailable(self._failure.reason)
                return
            self._looks += 1
            try:
                self._compare(self._clock())
                self._failure = None
            except BaseException as error:
                self._revision = None  # a server that takes over may count its revisions otherwise
                self._failure = error if isinstance(error, StoreUnavailable) else None
                raise

    def _compare(self, now: float) -> None:
        held = self._held
        if self._revision is None or self._store.revision() != self._revision:
            self._revision, keys = self._store.all()
            held = {key.key_id: _held_of(key) for key in keys if key.revoked_at is None}
        with self._state_lock:
            if held != self._held:
                self._held = held
                self._generation += 1
            self._good_until = now + self._good_for
            self._due = self._next_due(now)

    def _pass_due(self) -> None:
        with self._state_lock:
            now = self._clock()
            if now >= self._due:  # no other thread was faster
                self._generation += 1
                self._due = self._next_due(now)

    def _next_due(self, now: float) -> float:
        """When something that is held next stops to be good by itself."""
        ends = [self._good_until, *(one.ends_at for one in self._held.values())]
        return min((end for end in ends if end > now), default=inf)


def _held_of(key: StoredKey) -> _Held:
    caller = Caller(
        kind="key",
        name=f"key {key.name}",
        identity=key.key_id,
        scopes=key.scopes,
        publishers=key.publishers,
        rate_limit=key.rate_limit,
    )
    return _Held(key.digest, key.expires_at.timestamp() if key.expires_at else inf, caller)

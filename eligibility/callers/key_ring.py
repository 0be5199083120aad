"""KeyRing: keep all API keys in memory, so that finding a key's caller needs no I/O.

A thread checks the store's revision twice a second. When the revision has changed, it reads all
keys again, so a revoked key stops working within a second on every node.
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
from eligibility.formats.lru_cache import LruCache
from groups.errors import GroupsError, StoreUnavailable

_log = logging.getLogger("eligibility.keys")

ASK_AGAIN_SECONDS = 1.0
"""After a key id was not in the store, the store is not queried about it for this long."""
_MOST_UNKNOWN = 10_000
_MINUTE = 60.0


class _CachedKey(NamedTuple):
    """A key in memory. digest: compared with a sent key's. ends_at: seconds since the epoch."""

    digest: bytes
    ends_at: float
    caller: Caller


_NOBODY = _CachedKey(
    bytes(32), inf, Caller(kind="key", name="", scopes=frozenset(), publishers=None)
)
"""An unknown key is compared with this one, to take as long as a known key with a wrong secret."""


class KeyRing:
    """Finds the caller of an API key. Safe to use from many threads.

    clock: returns seconds since the epoch. poll_seconds: the time between two checks of the store.
    max_staleness_seconds: how long keys in memory stay valid while the store is unreachable; at
    least four times poll_seconds, so that a few failed checks do not invalidate the keys.
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
        self._keys: dict[str, _CachedKey] = {}
        self._revision: int | None = None  # None: the next check reads the keys again
        self.generation = 0
        """The result of `current_generation`, valid until `due`."""
        self._good_until = -inf
        self.due = inf
        """When the generation grows next without a write to the store, in seconds of `clock`."""
        self._state_lock = threading.Lock()
        self._check_lock = threading.Lock()
        self._checks = 0
        self._failure: StoreUnavailable | None = None  # why the last check failed
        self._unknown = LruCache[str, float](_MOST_UNKNOWN)
        self._uses = KeyUses(store)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read the keys, and start the thread that updates them. Raises: StoreUnavailable."""
        self._check()
        self._thread = threading.Thread(target=self._run, name="api-keys", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and store the last uses, if possible. May be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None
            self._uses.write()

    def current_generation(self) -> int:
        """Return a number that grows when keys change, expire, or are too old to stay valid.

        While it is the same, callers may reuse earlier results of `known` and `caller`. They should
        still call one of the two once a minute, because these calls record a key's last use.
        """
        now = self._clock()
        if now >= self.due:
            with self._state_lock:
                if now >= self.due:  # another thread may have updated it while this one waited
                    self.generation += 1
                    self.due = self._next_due(now)
        return self.generation

    def known(self, text: str) -> Caller | None:
        """Return the caller of a key in memory; None: call `caller`, which may read the store."""
        now = self._clock()
        key_id = text[api_keys.ID_PART]
        key = self._keys.get(key_id, _NOBODY)
        same = hmac.compare_digest(key.digest, api_keys.digest(text))
        if not same or now >= key.ends_at or now >= self._good_until:
            return None
        self._uses.last[key_id] = now
        return key.caller

    def caller(self, text: str) -> Caller:
        """Return the caller of a key. May read the store, so do not call it in an event loop.

        Raises: Unauthenticated CREDENTIALS_UNREADABLE, KEY_UNKNOWN (or wrong secret, or revoked),
            KEY_EXPIRED; StoreUnavailable if the store has to be read and is unreachable.
        """
        key_id = api_keys.key_id_of(text)
        caller = self.known(text)
        if caller is None and self._has_to_check(key_id):
            self._check()
            caller = self.known(text)
        if caller is not None:
            return caller
        key = self._keys.get(key_id, _NOBODY)
        if hmac.compare_digest(key.digest, api_keys.digest(text)):
            raise Unauthenticated("KEY_EXPIRED", "the API key has expired")
        if key is _NOBODY and not self._recently_unknown(key_id):
            self._unknown.put(key_id, time.monotonic() + ASK_AGAIN_SECONDS)
        raise Unauthenticated("KEY_UNKNOWN", "this API key does not exist or was revoked")

    def _has_to_check(self, key_id: str) -> bool:
        if self._clock() >= self._good_until:
            return True
        return key_id not in self._keys and not self._recently_unknown(key_id)

    def _recently_unknown(self, key_id: str) -> bool:
        until = self._unknown.get(key_id)
        return until is not None and time.monotonic() <= until

    def _run(self) -> None:
        away = False
        while not self._stop.wait(self._poll_seconds):
            try:
                self._check()
                if away:
                    _log.warning("API keys are read from the store again")
                away = False
                self._uses.write_once_a_minute(self._clock())
            except Exception as error:  # noqa: BLE001 - without the thread, revoked keys would work
                if not away:
                    known = isinstance(error, GroupsError)
                    _log.warning("using the API keys in memory: %s", error, exc_info=not known)
                away = True

    def _check(self) -> None:
        """Read the keys again if the store's revision has changed. Raises: StoreUnavailable.

        All threads that call this during a check share one next check. So many requests with forged
        keys cause few reads of the store.
        """
        before = self._checks
        with self._check_lock:
            if self._checks > before:  # another thread's check began after this call
                if self._failure is not None:
                    raise StoreUnavailable(self._failure.reason)
                return
            self._checks += 1
            try:
                self._compare(self._clock())
                self._failure = None
            except BaseException as error:
                self._revision = None  # read all keys: a restarted store may count anew
                self._failure = error if isinstance(error, StoreUnavailable) else None
                raise

    def _compare(self, now: float) -> None:
        keys = self._keys
        if self._revision is None or self._store.revision() != self._revision:
            self._revision, stored = self._store.all()
            keys = {key.key_id: _cached(key) for key in stored if key.revoked_at is None}
        with self._state_lock:
            if keys != self._keys:
                self._keys = keys
                self.generation += 1
            self._good_until = now + self._good_for
            self.due = self._next_due(now)

    def _next_due(self, now: float) -> float:
        """Return when the next key expires, or all keys in memory become too old."""
        ends = [self._good_until, *(key.ends_at for key in self._keys.values())]
        return min((end for end in ends if end > now), default=inf)


def _cached(key: StoredKey) -> _CachedKey:
    caller = Caller(
        kind="key",
        name=f"key {key.name}",
        identity=key.key_id,
        scopes=key.scopes,
        publishers=key.publishers,
        rate_limit=key.rate_limit,
    )
    return _CachedKey(key.digest, key.expires_at.timestamp() if key.expires_at else inf, caller)


class KeyUses:
    """Times when keys were last used in this process. last: key id -> seconds since the epoch."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self.last: dict[str, float] = {}
        self._written: dict[str, float] = {}
        self._due = -inf

    def write_once_a_minute(self, now: float) -> None:
        """Store new uses, at most once a minute. Args: now = seconds since the epoch."""
        if now >= self._due and self.write():
            self._due = _minute(now) + _MINUTE

    def write(self) -> bool:
        """Store new uses; return whether there were any. If the store is unreachable, log that."""
        minutes = {key_id: _minute(at) for key_id, at in self.last.copy().items()}
        new = {key_id: at for key_id, at in minutes.items() if at > self._written.get(key_id, -inf)}
        if not new:
            return False
        try:
            used = {key_id: datetime.fromtimestamp(at, UTC) for key_id, at in new.items()}
            self._store.note_use(used)
        except StoreUnavailable as error:
            _log.warning("could not store when API keys were last used: %s", error)
        else:
            self._written |= new
        return True


def _minute(seconds: float) -> float:
    return seconds - seconds % _MINUTE

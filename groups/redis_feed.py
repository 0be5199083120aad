"""Whether anything of a publisher may have changed in Redis, cheap enough to ask on every query.

A thread listens to the messages of writes, and once a second looks at the last writes of every
publisher that was asked for, in case a message was lost. While it cannot reach the server, asking
raises StoreUnavailable at once, and so does every other use of the server.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from redis.exceptions import NoPermissionError

from groups.errors import GroupsError, StoreUnavailable
from groups.keys import Keys
from groups.redis_errors import translated

POLL_INTERVAL_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 1.0
HEAD_FIELDS = ("groups", "catalog")

_log = logging.getLogger("groups.redis")
_unpack = msgspec.msgpack.Decoder(tuple[str, str, bytes]).decode


class ChangeFeed:
    """A token a publisher that differs after every write; see GroupStore.change_token."""

    def __init__(
        self,
        client: Any,  # redis.Redis or redis.RedisCluster, which share no typed base
        keys: Keys,
        where: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._client, self._keys, self._where, self._clock = client, keys, where, clock
        self._lock = threading.Lock()
        self._tokens: dict[str, int] = {}
        self._heads: dict[tuple[str, str], bytes | None] = {}
        self._looked_at = clock()
        self._away: str | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def change_token(self, publisher: str) -> int:
        """See GroupStore. Raises: StoreUnavailable while the server is away."""
        if self._away is not None:
            raise StoreUnavailable(self._away)
        token = self._tokens.get(publisher)
        return self._watched(publisher) if token is None else token

    def last_look(self, publisher: str) -> tuple[int, datetime]:
        """See GroupStore."""
        with self._lock:
            return self._tokens.get(publisher, -1), self._looked_at

    def catch_up(self, publisher: str) -> None:
        """Look at the publisher's last writes now. Raises: StoreUnavailable."""
        self.check()
        self._watched(publisher)
        self._look([publisher])

    def check(self) -> None:
        """Raise StoreUnavailable if the server is known to be away."""
        if self._away is not None:
            raise StoreUnavailable(self._away)

    def note(self, publisher: str, field: str, value: bytes) -> None:
        """Take notice of a write; one that was noted before is no news."""
        with self._lock:
            if publisher in self._tokens and self._heads.get((publisher, field)) != value:
                self._heads[publisher, field] = value
                self._tokens[publisher] += 1

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._away = f"{self._where} was closed"
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _watched(self, publisher: str) -> int:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="store-changes", daemon=True)
                self._thread.start()
            return self._tokens.setdefault(publisher, 0)

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._follow()
            except Exception as error:  # noqa: BLE001 - without this thread every answer would go stale
                self._lost(error)
            failures = failures + 1 if self._away else 0
            longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**failures)
            self._stop.wait(random.uniform(longest / 2, longest))  # noqa: S311 - spreads the load

    def _follow(self) -> None:
        """Listen and look until something fails. Raises: StoreUnavailable."""
        with translated(self._where):
            listener = self._client.pubsub(ignore_subscribe_messages=True)
        try:
            heard = self._subscribed(listener)
            self._look()  # whatever happened while nobody listened
            self._back()
            while not self._stop.is_set():
                self._listen(listener if heard else None)
                self._look()
        finally:
            listener.close()

    def _subscribed(self, listener: Any) -> bool:
        """Subscribe; without the right to, looking once a second has to do."""
        try:
            with translated(self._where):
                listener.subscribe(self._keys.changes)
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, NoPermissionError):
                raise
            _log.warning("no push of changes, they take up to 1.5 s to be seen: %s", error)
            return False
        return True

    def _listen(self, listener: Any) -> None:
        """Take notice of messages until it is time for the next look."""
        until = time.monotonic() + POLL_INTERVAL_S
        while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
            if listener is None:
                self._stop.wait(left)
                continue
            with translated(self._where):
                message = listener.get_message(timeout=min(left, 0.2))
            if message is not None and message["type"] == "message":
                self.note(*_unpack(message["data"]))

    def _look(self, publishers: list[str] | None = None) -> None:
        """Compare the last writes of publishers, by default all watched, with those known."""
        looked_at = self._clock()
        with self._lock:
            asked = list(self._tokens) if publishers is None else publishers
        for publisher, head in zip(asked, self._heads_of(asked), strict=True):
            for field, value in zip(HEAD_FIELDS, head, strict=True):
                self._compare(publisher, field, value)
        if publishers is None:
            self._looked_at = looked_at

    def _heads_of(self, publishers: list[str]) -> list[list[bytes | None]]:
        if not publishers:
            with translated(self._where):
                self._client.ping()
            return []
        with translated(self._where):
            pipeline = self._client.pipeline(transaction=False)
            for publisher in publishers:
                pipeline.hmget(self._keys.head(publisher), *HEAD_FIELDS)
            found: list[list[bytes | None]] = pipeline.execute()
        return found

    def _compare(self, publisher: str, field: str, value: bytes | None) -> None:
        with self._lock:
            key = (publisher, field)
            if key not in self._heads or self._heads[key] != value:
                self._heads[key] = value
                self._tokens[publisher] = self._tokens.get(publisher, 0) + 1

    def _lost(self, error: Exception) -> None:
        if self._stop.is_set():
            return
        if self._away is None:
            _log.warning(
                "the store is away: %s", error, exc_info=not isinstance(error, GroupsError)
            )
        self._away = error.reason if isinstance(error, StoreUnavailable) else str(error)

    def _back(self) -> None:
        if self._away is not None:
            _log.warning("the store is back: %s", self._where)
        self._away = None

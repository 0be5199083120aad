"""Detects whether data of a publisher may have changed in Redis, fast enough to check in every query.

A thread listens to the messages that writes publish. Once a second it also reads the heads of all
watched publishers, in case a message was lost. While the thread cannot reach the server, every use of
the server raises StoreUnavailable at once. If a node of a cluster is lost, only the publishers on that
node are unavailable.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from redis import RedisCluster
from redis.exceptions import NoPermissionError, RedisClusterException

from groups.errors import GroupsError, StoreUnavailable
from groups.storage.redis_errors import translated
from groups.storage.redis_keys import Keys

POLL_INTERVAL_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 1.0

_log = logging.getLogger("groups.redis")
_unpack = msgspec.msgpack.Decoder(tuple[str, str, bytes]).decode


class ChangeFeed:
    """Keeps one change token for each publisher; every write changes it. See GroupFeed."""

    def __init__(
        self,
        client: Any,  # redis.Redis or redis.RedisCluster, which have no common typed base class
        keys: Keys,
        where: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._client, self._keys, self._where, self._clock = client, keys, where, clock
        self._lock = threading.Lock()
        self._tokens: dict[str, int] = {}
        self._heads: dict[str, dict[bytes, bytes]] = {}
        self._looked_at = clock()
        self._away: str | None = None
        self._away_parts: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def change_token(self, publisher: str) -> int:
        """See GroupFeed. Raises: StoreUnavailable while the server is unreachable."""
        if self._away is not None or publisher in self._away_parts:
            raise StoreUnavailable(self._away or self._away_parts[publisher])
        token = self._tokens.get(publisher)
        return self._watched(publisher) if token is None else token

    def last_look(self, publisher: str) -> tuple[int, datetime]:
        """See GroupFeed."""
        with self._lock:
            return self._tokens.get(publisher, -1), self._looked_at

    def catch_up(self, publisher: str) -> None:
        """Read the publisher's head now. Raises: StoreUnavailable."""
        self.check()
        self._watched(publisher)
        self._compare([publisher], self._heads_of([publisher]))

    def check(self) -> None:
        """Raise StoreUnavailable if the thread found the server unreachable."""
        if self._away is not None:
            raise StoreUnavailable(self._away)

    def note(self, publisher: str, field: str, value: bytes) -> None:
        """Record a write, which changes the token, unless the same write was recorded before."""
        with self._lock:
            if publisher not in self._tokens:
                return
            head, name = self._heads.setdefault(publisher, {}), field.encode()
            if head.get(name) != value:
                head[name] = value
                self._tokens[publisher] += 1

    def close(self) -> None:
        """Stop the thread. Later calls raise StoreUnavailable."""
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
            except Exception as error:  # noqa: BLE001 - if this thread ended, every answer would become stale
                self._lost(error)
            failures = failures + 1 if self._away else 0
            longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**failures)
            self._stop.wait(random.uniform(longest / 2, longest))  # noqa: S311 - spreads the load

    def _follow(self) -> None:
        """Listen to messages and read heads until something fails. Raises: StoreUnavailable."""
        listener = self._listener()
        try:
            self._look()  # finds the writes made before the subscription
            self._back()
            while not self._stop.is_set():
                self._listen(listener)
                self._look()
        finally:
            if listener is not None:
                listener.close()

    def _listener(self) -> Any:
        """Subscribe on any node of a cluster. Return None, which means polling, without that right."""
        for node in self._nodes():
            try:
                with translated(self._where):
                    listener = self._client.pubsub(ignore_subscribe_messages=True, **node)
                    listener.subscribe(self._keys.changes)
                    listener.get_message(
                        timeout=LONGEST_WAIT_S
                    )  # waits until the server confirms or refuses
                    return listener
            except StoreUnavailable as error:
                if isinstance(error.__cause__, NoPermissionError):
                    _log.warning(
                        "the server pushes no changes, so this program sees them up to 1.5 s later: %s",
                        error,
                    )
                    return None
                failure = error
        raise failure

    def _nodes(self) -> list[dict[str, Any]]:
        """Return the pubsub arguments for each cluster node, in random order; `[{}]` for one server."""
        if not isinstance(self._client, RedisCluster):
            return [{}]
        nodes = [{"node": node} for node in self._client.get_primaries()]
        random.shuffle(nodes)
        return nodes or [{}]

    def _listen(self, listener: Any) -> None:
        """Record the writes that messages report, until it is time to read the heads again."""
        until = time.monotonic() + POLL_INTERVAL_S
        while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
            if listener is None:
                self._stop.wait(left)
                continue
            with translated(self._where):
                message = listener.get_message(timeout=min(left, 0.2))
            if message is not None and message["type"] == "message":
                self.note(*_unpack(message["data"]))

    def _look(self) -> None:
        """Compare the heads of all watched publishers. Raises: StoreUnavailable if none is read."""
        looked_at = self._clock()
        with self._lock:
            watched = list(self._tokens)
        failures: dict[str, str] = {}
        for publishers in self._by_node(watched):
            try:
                self._compare(publishers, self._heads_of(publishers))
            except StoreUnavailable as error:
                failures.update(dict.fromkeys(publishers, error.reason))
                last = error
        if failures and len(failures) == len(watched):
            raise last
        self._away_parts = failures
        self._looked_at = looked_at

    def _by_node(self, publishers: list[str]) -> list[list[str]]:
        """Group publishers by their cluster node. For a single server, return one list of all."""
        if not isinstance(self._client, RedisCluster) or not publishers:
            return [publishers]
        by_node: dict[str, list[str]] = {}
        for publisher in publishers:
            try:
                node = self._client.get_node_from_key(self._keys.head(publisher))
            except RedisClusterException:  # at present no node serves its slot
                node = None
            by_node.setdefault(str(node and node.name), []).append(publisher)
        return list(by_node.values())

    def _heads_of(self, publishers: list[str]) -> list[dict[bytes, bytes]]:
        with translated(self._where):
            if not publishers:
                self._client.ping()
                return []
            pipeline = self._client.pipeline(transaction=False)
            for publisher in publishers:
                pipeline.hgetall(self._keys.head(publisher))
            heads: list[dict[bytes, bytes]] = pipeline.execute()
        return heads

    def _compare(self, publishers: list[str], heads: list[dict[bytes, bytes]]) -> None:
        with self._lock:
            for publisher, head in zip(publishers, heads, strict=True):
                if self._heads.get(publisher) != head:
                    self._heads[publisher] = head
                    self._tokens[publisher] = self._tokens.get(publisher, 0) + 1

    def _lost(self, error: Exception) -> None:
        if self._stop.is_set():
            return
        if self._away is None:
            _log.warning(
                "the store is unavailable: %s", error, exc_info=not isinstance(error, GroupsError)
            )
        self._away = error.reason if isinstance(error, StoreUnavailable) else str(error)

    def _back(self) -> None:
        if self._away is not None:
            _log.warning("the store is available again: %s", self._where)
        self._away = None

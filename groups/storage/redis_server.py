"""A connection to a Redis or Valkey server or cluster, which all stores of a deployment share.

A script (lua/) runs the commands on the keys of one publisher together, so reads are consistent and
writes are atomic. Any number of threads and processes may use one server.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import msgspec

from groups.errors import NewerDatabase, NotOurDatabase, StoreUnavailable, UnsupportedStore
from groups.model import storable
from groups.storage.redis_client import create_client
from groups.storage.redis_errors import translated
from groups.storage.redis_feed import ChangeFeed
from groups.storage.redis_keys import Keys
from groups.storage.redis_url import RedisUrl

Command = tuple[str | bytes, ...]
"""The name of a Redis command, the key that it uses, and its other arguments."""

LAYOUT = 1
"""Version of the layout of keys and values. Increase it if older programs would misread the layout."""

OLDEST_SERVER = 7

_scripts = resources.files("groups.storage") / "lua"
_READ = (_scripts / "read.lua").read_text("utf-8")
_COMMIT = (_scripts / "commit.lua").read_text("utf-8")
_VERSION = "return redis.REDIS_VERSION"  # defined since Redis 7
_pack = msgspec.msgpack.Encoder().encode


class RedisServer:
    """An open connection. keys: of the deployment. Args: clock = seconds since the epoch."""

    def __init__(self, url: RedisUrl, *, clock: Callable[[], float] = time.time) -> None:
        """Connect, and check the server's version and layout.

        Raises: StoreUnavailable, StoreForbidden, UnsupportedStore, NotOurDatabase, NewerDatabase.
        """
        self.keys = Keys(url.prefix)
        self._seconds = clock
        self.where = f"{url.kind} " + ",".join(f"{host}:{port}" for host, port in url.hosts)
        self._closed = False
        with translated(self.where):
            self._client: Any = create_client(
                url
            )  # Redis or RedisCluster: no common typed base class
        try:
            self._check_version()
            self._check_layout()
        except BaseException:
            self._client.close()
            raise
        self.feed = ChangeFeed(self._client, self.keys, self.where, self.clock)

    def clock(self) -> datetime:
        """Return the present time, UTC-aware; writes get it as their time."""
        return datetime.fromtimestamp(self._seconds(), UTC)

    def call(self, *command: str | bytes) -> Any:
        """Run one command. Raises: StoreUnavailable instead of any error of the server."""
        self._check_open()
        with translated(self.where):
            return self._client.execute_command(*command)

    def read(self, commands: Sequence[Command]) -> list[Any]:
        """Run read commands on keys of one publisher, atomically. Raises: StoreUnavailable."""
        keys = list(dict.fromkeys(command[1] for command in commands))
        self._check_open()
        with translated(self.where):
            answers: list[Any] = self._client.eval(_READ, len(keys), *keys, *_flat(commands))
        return answers

    def read_apart(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands on any keys in one round trip, not atomically."""
        self._check_open()
        with translated(self.where):
            pipeline = self._client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = pipeline.execute()
        return answers

    def ids_after(self, key: str, cursor: str | None, count: int) -> list[str]:
        """List at most `count` ids of a sorted set that come after a cursor."""
        begin = f"({storable(cursor)}" if cursor else "-"
        ids = self.call("ZRANGEBYLEX", key, begin, "+", "LIMIT", "0", str(count))
        return [member.decode() for member in ids]

    def publishers(self, key: str) -> tuple[str, ...]:
        """List the publishers in the set at `key`, sorted: every publisher that ever began to write."""
        return tuple(sorted(member.decode() for member in self.call("SMEMBERS", key)))

    def publishers_with(self, key: str, field: str) -> tuple[str, ...]:
        """List the publishers in a set that ever finished a write, so that their head has `field`."""
        known = self.publishers(key)
        heads = self.read_apart([("HGET", self.keys.head(publisher), field) for publisher in known])
        pairs = zip(known, heads, strict=True)
        return tuple(publisher for publisher, head in pairs if head is not None)

    def commit(
        self,
        owner: str,
        head: str,
        fields: Mapping[str, tuple[bytes | None, bytes]],
        commands: Sequence[Command],
    ) -> bool:
        """Save a write and publish it. Save nothing and return False if another write was saved first.

        Args: owner = the publisher or other owner of the keys; head = key of the owner's head; fields =
            old and new value of fields of the head, by name: the first must change, and is published;
            commands = the commands of the write, on keys in the slot of the head.
        Raises: StoreUnavailable; the write may then be saved or not.
        """
        keys = [head, *dict.fromkeys(command[1] for command in commands if command[1] != head)]
        arguments = [
            argument for name, (was, now) in fields.items() for argument in (name, was or b"", now)
        ]
        name, (_, value) = next(iter(fields.items()))
        self._check_open()
        with translated(self.where):
            saved = self._client.eval(
                _COMMIT,
                len(keys),
                *keys,
                self.keys.changes,
                _pack((owner, name, value)),
                str(len(fields)),
                *arguments,
                *_flat(commands),
            )
        for field, (_, value) in fields.items():
            self.feed.note(owner, field, value)
        return bool(saved)

    def close(self) -> None:
        """Close the connection and stop the feed. May be called twice."""
        self._closed = True
        self.feed.close()
        self._client.close()

    def _check_open(self) -> None:
        """Raise StoreUnavailable if this is closed or the feed found the server unreachable."""
        if self._closed:
            raise StoreUnavailable(f"{self.where} was closed")
        self.feed.check()

    def _check_version(self) -> None:
        with translated(self.where):
            version = self._client.eval(_VERSION, 1, self.keys.layout)
        if version is None or int(version.partition(b".")[0]) < OLDEST_SERVER:
            known = version.decode() if version else f"before {OLDEST_SERVER}"
            raise UnsupportedStore(
                f"{self.where} has version {known}: Redis {OLDEST_SERVER} or later, or Valkey, is needed"
            )

    def _check_layout(self) -> None:
        with translated(f"{self.where} {self.keys.layout}"):
            self._client.set(self.keys.layout, LAYOUT, nx=True)
            layout = self._client.get(self.keys.layout)
        if not isinstance(layout, bytes) or not layout.isdigit():
            raise NotOurDatabase(f"{self.where} {self.keys.layout}")
        if int(layout) > LAYOUT:
            raise NewerDatabase(f"{self.where} {self.keys.layout}", int(layout), LAYOUT)


def _flat(commands: Iterable[Command]) -> Iterator[str | bytes]:
    """Flatten commands for the scripts: for each command, the number of its parts, then its parts."""
    for command in commands:
        yield str(len(command))
        yield from command

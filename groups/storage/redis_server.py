"""A Redis or Valkey server, or a cluster of them, that several parts of the program keep data in.

Reading and writing go by lists of commands on the keys of one publisher: a read is of one moment, a
write is one step (lua/). Any number of threads and processes may use one server.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any

import msgspec

from groups.errors import NewerDatabase, NotOurDatabase, StoreUnavailable, UnsupportedStore
from groups.storage.redis_errors import translated
from groups.storage.redis_feed import ChangeFeed
from groups.storage.redis_keys import Keys
from groups.storage.redis_url import RedisUrl
from groups.storage.sqlite_database import utc_now

Command = tuple[str | bytes, ...]
"""A command's name, its key, and its other arguments."""

LAYOUT = 1
"""Of keys.py and packed.py; grows when an older program would misread them."""

OLDEST_SERVER = 7

_scripts = resources.files("groups.storage") / "lua"
_READ = (_scripts / "read.lua").read_text("utf-8")
_COMMIT = (_scripts / "commit.lua").read_text("utf-8")
_VERSION = "return redis.REDIS_VERSION"  # scripts know it from version 7 on
_pack = msgspec.msgpack.Encoder().encode


class RedisServer:
    """An open connection to the server of a URL; `keys` are those of the deployment.

    clock: the UTC time that writes are stamped with.
    """

    def __init__(self, url: RedisUrl, *, clock: Callable[[], datetime] = utc_now) -> None:
        """Connect, and see that the server is one to work with.

        Raises: StoreUnavailable, StoreForbidden, UnsupportedStore, NotOurDatabase, NewerDatabase.
        """
        self.keys = Keys(url.prefix)
        self.clock = clock
        self.where = f"{url.kind} " + ",".join(f"{host}:{port}" for host, port in url.hosts)
        self._closed = False
        with translated(self.where):
            self._client: Any = url.client()  # of a server or a cluster, which share no typed base
        try:
            self._check_version()
            self._check_layout()
        except BaseException:
            self._client.close()
            raise
        self.feed = ChangeFeed(self._client, self.keys, self.where, clock)

    def call(self, *command: str | bytes) -> Any:
        """Run one command. Raises: StoreUnavailable in place of any error of the server."""
        self._check_open()
        with translated(self.where):
            return self._client.execute_command(*command)

    def read(self, commands: Sequence[Command]) -> list[Any]:
        """Answer commands on keys of one publisher, as of one moment. Raises: StoreUnavailable."""
        keys = list(dict.fromkeys(command[1] for command in commands))
        self._check_open()
        with translated(self.where):
            answers: list[Any] = self._client.eval(_READ, len(keys), *keys, *_flat(commands))
        return answers

    def read_apart(self, commands: Sequence[Command]) -> list[Any]:
        """Answer commands on any keys, together but each as of its own moment."""
        self._check_open()
        with translated(self.where):
            pipeline = self._client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = pipeline.execute()
        return answers

    def commit(
        self,
        publisher: str,
        before: Mapping[str, bytes | None],
        after: Mapping[str, bytes],
        commands: Sequence[Command],
        *,
        head: str | None = None,
    ) -> bool:
        """Save a write and tell everyone; False when another one came first and nothing was saved.

        Args: before, after = fields of the publisher's head as the write found and leaves them;
            the first of them is one that changes, and everyone is told of it; head = key of the
            head of something else that is in one slot, `publisher` then names it.
        Raises: StoreUnavailable; it may then have been saved or not.
        """
        head = head or self.keys.head(publisher)
        keys = [head, *dict.fromkeys(command[1] for command in commands if command[1] != head)]
        fields = [word for name in after for word in (name, before[name] or b"", after[name])]
        message = _pack((publisher, *next(iter(after.items()))))
        self._check_open()
        with translated(self.where):
            saved = self._client.eval(
                _COMMIT,
                len(keys),
                *keys,
                self.keys.changes,
                message,
                str(len(after)),
                *fields,
                *_flat(commands),
            )
        for field, value in after.items():
            self.feed.note(publisher, field, value)
        return bool(saved)

    def close(self) -> None:
        """Let go of the server. Twice is fine."""
        self._closed = True
        self.feed.close()
        self._client.close()

    def _check_open(self) -> None:
        """Refuse at once what cannot work: the feed knows that the server is away."""
        if self._closed:
            raise StoreUnavailable(f"{self.where} was closed")
        self.feed.check()

    def _check_version(self) -> None:
        with translated(self.where):
            version = self._client.eval(_VERSION, 1, self.keys.layout)
        if version is None or int(version.partition(b".")[0]) < OLDEST_SERVER:
            known = version.decode() if version else f"before {OLDEST_SERVER}"
            raise UnsupportedStore(
                f"{self.where} is version {known}; needed is Redis {OLDEST_SERVER} or later, or Valkey"
            )

    def _check_layout(self) -> None:
        with translated(f"{self.where} {self.keys.layout}"):
            self._client.set(self.keys.layout, LAYOUT, nx=True)
            found = self._client.get(self.keys.layout)
        if not isinstance(found, bytes) or not found.isdigit():
            raise NotOurDatabase(f"{self.where} {self.keys.layout}")
        if int(found) > LAYOUT:
            raise NewerDatabase(f"{self.where} {self.keys.layout}", int(found), LAYOUT)


def _flat(commands: Iterable[Command]) -> Iterator[str | bytes]:
    """Commands as the scripts take them: each as the number of its words, and the words."""
    for command in commands:
        yield str(len(command))
        yield from command

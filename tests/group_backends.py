"""The group stores under test, by name. A new backend adds one function and one line here."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import valkey_servers as servers

from groups.open import open_store
from groups.sqlite import Database
from groups.sqlite_store import SqliteGroupStore
from groups.store import GroupStore


@dataclass
class Clock:
    """A clock that stands still until moved; every store of a test is stamped by one."""

    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@dataclass
class PollClock:
    """Seconds that pass only as they are asked for: each look is later than any interval."""

    seconds: float = 0.0

    def __call__(self) -> float:
        self.seconds += 1.0
        return self.seconds


@dataclass
class Deployment:
    """Stores over the same data. `connect` opens one more, as another process would."""

    clock: Clock
    connect: Callable[[], GroupStore]
    opened: list[GroupStore] = field(default_factory=list)

    def open(self) -> GroupStore:
        self.opened.append(self.connect())
        return self.opened[-1]


@contextmanager
def sqlite_groups() -> Iterator[Deployment]:
    with TemporaryDirectory() as directory:
        clock, path = Clock(), Path(directory, "groups.db")

        def connect() -> GroupStore:
            return SqliteGroupStore(Database(path, clock=clock, monotonic=PollClock()))

        deployment = Deployment(clock, connect)
        try:
            yield deployment
        finally:
            for store in deployment.opened:
                store.close()


@contextmanager
def on_server(kind: str) -> Iterator[Deployment]:
    """Stores on a server that this process has started, under a prefix that no other test has."""
    clock, url = Clock(), servers.url(kind)

    prefix = f"t{secrets.token_hex(6)}"
    deployment = Deployment(clock, lambda: open_store(f"{url}?prefix={prefix}", clock=clock))
    try:
        yield deployment
    finally:
        for store in deployment.opened:
            store.close()


Deploy = Callable[[], AbstractContextManager[Deployment]]
BACKENDS: dict[str, Deploy] = {
    "sqlite": sqlite_groups,
    **{kind: partial(on_server, kind) for kind in servers.KINDS},
}

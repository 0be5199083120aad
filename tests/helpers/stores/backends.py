"""The group stores under test, by name. A new backend adds one function and one line here."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eligibility.service.stores import Stores, open_stores, stores_of
from groups.storage.sqlite_database import Database
from groups.store import GroupStore
from tests.helpers.stores import redis_servers as servers


@dataclass
class Clock:
    """A clock that stands still until moved; every store of a test is stamped by one."""

    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        """The moment as seconds since the epoch."""
        return self.now.timestamp()

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
    """Stores over the same data. `connect` opens them once more, as another process would.

    connect: takes the clock that what the stores write is stamped by.
    """

    clock: Clock
    connect: Callable[[Clock], Stores]
    opened: list[GroupStore] = field(default_factory=list)

    def open(self, clock: Clock | None = None) -> GroupStore:
        return self.open_both(clock).groups

    def open_both(self, clock: Clock | None = None) -> Stores:
        """The groups, and the catalogue that is kept with them; args: clock = one that goes wrong."""
        stores = self.connect(clock or self.clock)
        self.opened.append(stores.groups)
        return stores


@contextmanager
def sqlite_groups() -> Iterator[Deployment]:
    with TemporaryDirectory() as directory:
        path = Path(directory, "groups.db")

        def connect(clock: Clock) -> Stores:
            database = Database(path, clock=clock.seconds, monotonic=PollClock())
            return stores_of(database)

        deployment = Deployment(Clock(), connect)
        try:
            yield deployment
        finally:
            for store in deployment.opened:
                store.close()


@contextmanager
def on_server(kind: str) -> Iterator[Deployment]:
    """Stores on a server that this process has started, under a prefix that no other test has."""
    url = f"{servers.url(kind)}?prefix=t{secrets.token_hex(6)}"
    deployment = Deployment(Clock(), lambda clock: open_stores(url, clock=clock.seconds))
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


def open_store(url: str, **options: Any) -> GroupStore:
    """The groups at a store URL. Closing them closes all that was opened with them."""
    return open_stores(url, **options).groups

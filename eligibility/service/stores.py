"""Opens all stores at a store URL: groups, catalogue, API keys, audit log and activity."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eligibility.activity.sqlite_store import SqliteActivityStore, path_beside
from eligibility.activity.store import ActivityStore
from eligibility.audit.log import AuditLog
from eligibility.audit.sqlite_log import SqliteAuditLog
from eligibility.audit.trail import Chain, chains
from eligibility.callers.sqlite_store import SqliteKeyStore
from eligibility.callers.store import KeyStore
from eligibility.catalog.sqlite_store import SqliteCatalogStore
from eligibility.catalog.store import CatalogStore
from groups.open import open_backend
from groups.sqlite.store import SqliteGroupStore
from groups.storage.sqlite_database import Database
from groups.store import GroupStore

if TYPE_CHECKING:
    from groups.storage.redis_server import RedisServer


@dataclass(frozen=True, slots=True)
class Stores:
    """All stores of one backend. close: closes all of them."""

    groups: GroupStore
    catalog: CatalogStore
    keys: KeyStore
    audit: AuditLog
    activity: ActivityStore
    close: Callable[[], None]

    def chains(self, publisher: str | None = None) -> list[Chain]:
        """List every audit chain, or those of one publisher, in a fixed order."""
        return chains(self.groups, self.catalog, self.audit, publisher)


def open_stores(
    url: str, *, password: str | None = None, clock: Callable[[], float] = time.time
) -> Stores:
    """Open all stores. groups.open.open_backend has the same arguments and errors."""
    backend = open_backend(url, password=password, clock=clock)
    try:
        return stores_of(backend)
    except BaseException:
        backend.close()
        raise


def stores_of(backend: "Database | RedisServer") -> Stores:
    """Open all stores of an open backend. Raises: StoreUnavailable, NewerDatabase."""
    if isinstance(backend, Database):
        return _sqlite_stores(backend)
    return _redis_stores(backend)


def _redis_stores(server: "RedisServer") -> Stores:
    # Imported here: a command on SQLite starts a quarter of a second sooner without this library.
    from eligibility.activity.redis_store import RedisActivityStore
    from eligibility.audit.redis_log import RedisAuditLog
    from eligibility.callers.redis_store import RedisKeyStore
    from eligibility.catalog.redis_store import RedisCatalogStore
    from groups.redis.store import RedisGroupStore

    groups = RedisGroupStore(server)
    return Stores(
        groups,
        RedisCatalogStore(server, groups.chain_digester),
        RedisKeyStore(server),
        RedisAuditLog(server, groups.chain_digester),
        RedisActivityStore(server),
        server.close,
    )


def _sqlite_stores(database: Database) -> Stores:
    groups = SqliteGroupStore(database)
    activity = SqliteActivityStore(path_beside(database.path), database.seconds)

    def close() -> None:
        activity.close()
        database.close()

    return Stores(
        groups,
        SqliteCatalogStore(database, groups.chain_digester),
        SqliteKeyStore(database),
        SqliteAuditLog(database, groups.chain_digester),
        activity,
        close,
    )

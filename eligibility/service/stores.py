"""Opens all stores at a store URL: groups, catalogue, API keys, audit log and activity."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from eligibility.activity.redis_store import RedisActivityStore
from eligibility.activity.sqlite_store import SqliteActivityStore, path_beside
from eligibility.activity.store import ActivityStore
from eligibility.audit.log import AuditLog
from eligibility.audit.redis_log import RedisAuditLog
from eligibility.audit.sqlite_log import SqliteAuditLog
from eligibility.audit.trail import Chain, chains
from eligibility.callers.redis_store import RedisKeyStore
from eligibility.callers.sqlite_store import SqliteKeyStore
from eligibility.callers.store import KeyStore
from eligibility.catalog.redis_store import RedisCatalogStore
from eligibility.catalog.sqlite_store import SqliteCatalogStore
from eligibility.catalog.store import CatalogStore
from groups.open import open_backend
from groups.redis.store import RedisGroupStore
from groups.sqlite.store import SqliteGroupStore
from groups.storage.redis_server import RedisServer
from groups.storage.sqlite_database import Database
from groups.store import GroupStore


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


def stores_of(backend: Database | RedisServer) -> Stores:
    """Open all stores of an open backend. Raises: StoreUnavailable, NewerDatabase."""
    if isinstance(backend, RedisServer):
        in_redis = RedisGroupStore(backend)
        return Stores(
            in_redis,
            RedisCatalogStore(backend, in_redis.chain_digester),
            RedisKeyStore(backend),
            RedisAuditLog(backend, in_redis.chain_digester),
            RedisActivityStore(backend),
            backend.close,
        )
    groups = SqliteGroupStore(backend)
    activity = SqliteActivityStore(path_beside(backend.path), backend.seconds)

    def close() -> None:
        activity.close()
        backend.close()

    return Stores(
        groups,
        SqliteCatalogStore(backend, groups.chain_digester),
        SqliteKeyStore(backend),
        SqliteAuditLog(backend, groups.chain_digester),
        activity,
        close,
    )

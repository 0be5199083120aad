"""Opening what a store URL leads to: groups, catalogue and API keys, which are kept in one place."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from eligibility.callers.redis_store import RedisKeyStore
from eligibility.callers.sqlite_store import SqliteKeyStore
from eligibility.callers.store import KeyStore
from eligibility.catalog.redis_store import RedisCatalogStore
from eligibility.catalog.sqlite_store import SqliteCatalogStore
from eligibility.catalog.store import CatalogStore
from groups.open import groups_of, open_backend
from groups.redis_server import RedisServer
from groups.sqlite import utc_now
from groups.store import GroupStore


@dataclass(frozen=True, slots=True)
class Stores:
    """Groups, catalogue and API keys of one backend; `close` lets go of all."""

    groups: GroupStore
    catalog: CatalogStore
    keys: KeyStore
    close: Callable[[], None]


def open_stores(
    url: str, *, password: str | None = None, clock: Callable[[], datetime] = utc_now
) -> Stores:
    """Open all stores. Args and errors: as groups.open.open_backend."""
    backend = open_backend(url, password=password, clock=clock)
    try:
        groups = groups_of(backend)
        catalog: CatalogStore
        keys: KeyStore
        if isinstance(backend, RedisServer):
            catalog, keys = RedisCatalogStore(backend), RedisKeyStore(backend)
        else:
            catalog, keys = SqliteCatalogStore(backend), SqliteKeyStore(backend)
    except BaseException:
        backend.close()
        raise
    return Stores(groups, catalog, keys, backend.close)

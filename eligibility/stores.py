"""Opening what a store URL leads to: the groups and the catalogue, which are kept in one place."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from eligibility.catalog.redis_store import RedisCatalogStore
from eligibility.catalog.sqlite_store import SqliteCatalogStore
from eligibility.catalog.store import CatalogStore
from groups.open import groups_of, open_backend
from groups.redis_server import RedisServer
from groups.sqlite import utc_now
from groups.store import GroupStore


@dataclass(frozen=True, slots=True)
class Stores:
    """Groups and catalogue of one backend; `close` lets go of both."""

    groups: GroupStore
    catalog: CatalogStore
    close: Callable[[], None]


def open_stores(
    url: str, *, password: str | None = None, clock: Callable[[], datetime] = utc_now
) -> Stores:
    """Open both stores. Args and errors: as groups.open.open_backend."""
    backend = open_backend(url, password=password, clock=clock)
    try:
        groups = groups_of(backend)
        catalog: CatalogStore = (
            RedisCatalogStore(backend)
            if isinstance(backend, RedisServer)
            else SqliteCatalogStore(backend)
        )
    except BaseException:
        backend.close()
        raise
    return Stores(groups, catalog, backend.close)

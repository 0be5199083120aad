"""The audit trail of a publisher's catalogue in a Redis server."""

from collections.abc import Callable, Iterator

from eligibility.catalog import packed
from eligibility.catalog.chain import link
from eligibility.catalog.keys import CatalogKeys
from eligibility.catalog.store import CatalogWrite
from groups.chain import UNREADABLE, ChainDigester, ChainExtent, Damage
from groups.redis.trail import kept, saved_entries
from groups.storage.redis_server import RedisServer


class RedisCatalogTrail:
    """See groups.chain.Trail for what the methods promise."""

    def __init__(
        self,
        server: RedisServer,
        keys: CatalogKeys,
        publisher: str,
        links: Callable[[], ChainDigester],
    ) -> None:
        self._server, self._keys = server, keys
        self._publisher, self._links = publisher, links

    def kept(self) -> ChainExtent:
        """See Trail."""
        keys, publisher = self._keys, self._publisher
        return kept(self._server, keys.head(publisher), "catalog", keys.versions(publisher))

    def entries(self, first: int, last: int) -> Iterator[CatalogWrite | Damage]:
        """See Trail."""
        key = self._keys.versions(self._publisher)
        for revision, saved in saved_entries(self._server, key, first, last):
            yield self._entry(revision, saved)

    def _entry(self, revision: int, saved: bytes | None) -> CatalogWrite | Damage:
        if saved is None:
            return "missing"
        try:
            versions = tuple(packed.read_write(saved).versions(self._publisher, revision))
        except UNREADABLE:
            return "unreadable"
        return CatalogWrite(versions=versions) if versions else "unreadable"

    def expected(self, before: str, entry: CatalogWrite) -> str:
        """See Trail."""
        return link(self._links(), before, entry.versions)

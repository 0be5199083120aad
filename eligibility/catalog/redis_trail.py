"""The audit trail of a publisher's catalogue in a Redis server."""

from collections.abc import Callable, Iterator

from eligibility.catalog import packed
from eligibility.catalog.chain import link
from eligibility.catalog.store import CatalogWrite
from groups.chain import UNREADABLE, ChainDigester, ChainExtent, Damage
from groups.storage.redis_chain import RedisChain


class RedisCatalogTrail:
    """See groups.chain.Trail for what the methods promise."""

    def __init__(
        self, chain: RedisChain, publisher: str, digester: Callable[[], ChainDigester]
    ) -> None:
        self._chain, self._publisher, self._digester = chain, publisher, digester

    def kept(self) -> ChainExtent:
        """See Trail."""
        return self._chain.extent()

    def entries(self, first: int, last: int) -> Iterator[CatalogWrite | Damage]:
        """See Trail."""
        for revision, saved in self._chain.entries(range(first, last + 1)):
            yield self._entry(revision, saved)

    def expected(self, before: str, entry: CatalogWrite) -> str:
        """See Trail."""
        return link(self._digester(), before, entry.versions)

    def _entry(self, revision: int, saved: bytes | None) -> CatalogWrite | Damage:
        if saved is None:
            return "missing"
        try:
            versions = tuple(packed.read_write(saved).versions(self._publisher, revision))
        except UNREADABLE:
            return "unreadable"
        return CatalogWrite(versions=versions) if versions else "unreadable"

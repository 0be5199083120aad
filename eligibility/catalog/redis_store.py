"""CatalogStore in the Redis or Valkey server that also has the groups.

Product ids are unique across publishers, but keys of publishers are in different cluster slots. So a
write first assigns new product ids to the publisher, then saves the versions in a second step. If it
fails in between, the publisher keeps the ids and nothing else is saved.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from eligibility.catalog import packed
from eligibility.catalog.chain import link
from eligibility.catalog.errors import CatalogRevisionMismatch, ProductTaken
from eligibility.catalog.model import Product
from eligibility.catalog.redis_keys import CatalogKeys
from eligibility.catalog.store import (
    CatalogEntry,
    CatalogStore,
    CatalogWrite,
    ProductVersion,
    next_versions,
)
from eligibility.errors import UnknownProduct
from groups.chain import ChainDigester, Trail
from groups.errors import NotEmpty, StoreUnavailable
from groups.model import Page, revision_before, storable
from groups.moments import to_us
from groups.storage.redis_chain import (
    HeadField,
    RedisChain,
    RedisTrail,
    head_of,
    until_saved,
)
from groups.storage.redis_server import Command, RedisServer

_FIELD = "catalog"


class RedisCatalogStore(CatalogStore):
    """Implements CatalogStore, which documents the methods."""

    def __init__(self, server: RedisServer, digester: Callable[[], ChainDigester]) -> None:
        """Args: server = open; digester = returns the digester of the deployment's audit trail."""
        self._server, self._digester = server, digester
        self._keys = CatalogKeys(server.keys)

    def get(self, product_id: str) -> tuple[CatalogEntry, int] | None:
        publisher = self.owner(product_id)
        if publisher is None:
            return None
        body, head = self._server.read(
            [
                ("HGET", self._keys.products(publisher), storable(product_id)),
                ("HGET", self._keys.head(publisher), _FIELD),
            ]
        )
        if body is None:
            return None
        return packed.entry(publisher, product_id, body), head_of(head).revision

    def list_products(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[CatalogEntry]:
        ids = self._server.ids_after(self._keys.product_ids(publisher), cursor, limit + 1)
        bodies = self._server.call("HMGET", self._keys.products(publisher), *ids) if ids else []
        entries = [
            packed.entry(publisher, product_id, body)
            for product_id, body in zip(ids, bodies, strict=True)
            if body is not None  # deleted between the two reads
        ]
        return Page(
            items=tuple(entries[:limit]),
            next_cursor=ids[limit - 1] if len(ids) > limit else None,
        )

    def revision(self, publisher: str) -> int:
        return self._chain(publisher).head().revision

    def publishers(self) -> tuple[str, ...]:
        return self._server.publishers_with(self._keys.publishers, _FIELD)

    def apply(
        self,
        publisher: str,
        puts: Mapping[str, Product],
        deletes: Collection[str] = (),
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> int:
        def attempt() -> int | None:
            head = self._chain(publisher).head()
            if if_revision is not None and if_revision != head.revision:
                raise CatalogRevisionMismatch(publisher, if_revision, head.revision)
            if not puts and not deletes:
                return head.revision
            self._check_present(publisher, deletes)
            at = max(self._server.clock(), head.at)
            versions = next_versions(publisher, head.revision, at, actor, puts, deletes)
            chain = link(self._digester(), head.chain.hex(), versions)
            return head.revision + 1 if self._save(publisher, head, versions, chain) else None

        return until_saved(attempt, f"`{publisher}`")

    def history(
        self, product_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[ProductVersion]:
        before = revision_before(cursor)
        publisher = self.owner(product_id)
        known = [] if publisher is None else self._revisions_of(publisher, product_id)
        older = [revision for revision in reversed(known) if revision < before]
        versions = tuple(self._versions(publisher or "", older[:limit], product_id))
        more = len(older) > limit
        return Page(items=versions, next_cursor=str(versions[-1].revision) if more else None)

    def as_of(self, product_id: str, at: datetime) -> tuple[ProductVersion, int] | None:
        publisher = self.owner(product_id)
        if publisher is None:
            return None
        chain = self._chain(publisher)
        then = chain.revision_at(to_us(at), chain.head().revision)
        known = [
            revision for revision in self._revisions_of(publisher, product_id) if revision <= then
        ]
        if not known:
            return None
        (version,) = self._versions(publisher, known[-1:], product_id)
        return version, then

    def owner(self, product_id: str) -> str | None:
        publisher = self._server.call("GET", self._keys.owner(storable(product_id)))
        return None if publisher is None else publisher.decode()

    def changes_since(self, publisher: str, revision: int) -> tuple[ProductVersion, ...]:
        last = self._chain(publisher).head().revision
        return tuple(self._versions(publisher, range(revision + 1, last + 1)))

    def record(self, publisher: str, versions: Sequence[ProductVersion]) -> None:
        for revision, together in groupby(versions, attrgetter("revision")):
            head, taken = self._chain(publisher).head(), list(together)
            NotEmpty.unless_next(f"publisher `{publisher}`", head.revision, revision)
            if not self._save(publisher, head, taken, taken[0].chain):
                raise NotEmpty(
                    f"another program writes to publisher `{publisher}` at the same time"
                )

    def trails(self) -> tuple[str, ...]:
        return self._server.publishers(self._keys.publishers)

    def trail(self, publisher: str) -> Trail[CatalogWrite]:
        def read(revision: int, saved: bytes) -> CatalogWrite:
            versions = tuple(packed.read_write(saved).versions(publisher, revision))
            if not versions:
                raise ValueError(f"revision {revision} wrote nothing")
            return CatalogWrite(versions=versions)

        def expected(before: str, entry: CatalogWrite) -> str:
            return link(self._digester(), before, entry.versions)

        return RedisTrail(self._chain(publisher), read, expected)

    def _chain(self, publisher: str) -> RedisChain:
        head, entries = self._keys.head(publisher), self._keys.versions(publisher)
        return RedisChain(self._server, publisher, _FIELD, head=head, entries=entries)

    def _check_present(self, publisher: str, product_ids: Collection[str]) -> None:
        fields = list(map(storable, product_ids))
        key = self._keys.products(publisher)
        bodies = self._server.call("HMGET", key, *fields) if fields else []
        for product_id, body in zip(product_ids, bodies, strict=True):
            if body is None:
                raise UnknownProduct(product_id)

    def _save(
        self, publisher: str, head: HeadField, versions: Sequence[ProductVersion], chain: str
    ) -> bool:
        """Save the versions of the next revision. Return False if another write was saved first."""
        first = versions[0]
        after = HeadField.of(first.revision, first.at, chain)
        self._claim(publisher, versions)
        if head.revision == 0:
            self._server.call("SADD", self._keys.publishers, publisher)
        commands = list(self._commands(publisher, after, first.actor, versions))
        return self._chain(publisher).save(head, after, commands)

    def _claim(self, publisher: str, versions: Iterable[ProductVersion]) -> None:
        """Assign the product ids to the publisher. Raises: ProductTaken if another owns an id."""
        for version in versions:
            key = self._keys.owner(storable(version.product_id))
            self._server.call("SET", key, publisher, "NX")
            if self.owner(version.product_id) != publisher:
                raise ProductTaken(version.product_id)

    def _commands(
        self, publisher: str, after: HeadField, actor: str, versions: Sequence[ProductVersion]
    ) -> Iterator[Command]:
        keys, revision = self._keys, str(after.revision)
        for version in versions:
            product_id = version.product_id
            yield "RPUSH", keys.versions_of(publisher, product_id), revision
            if version.product is None:
                yield "HDEL", keys.products(publisher), product_id
                yield "ZREM", keys.product_ids(publisher), product_id
            else:
                yield "HSET", keys.products(publisher), product_id, packed.present(version)
                yield "ZADD", keys.product_ids(publisher), "0", product_id
        body = packed.write(after, actor, versions)
        yield "HSET", keys.versions(publisher), revision, body

    def _revisions_of(self, publisher: str, product_id: str) -> list[int]:
        key = self._keys.versions_of(publisher, storable(product_id))
        return list(map(int, self._server.call("LRANGE", key, "0", "-1")))

    def _versions(
        self, publisher: str, revisions: Sequence[int], product_id: str | None = None
    ) -> Iterator[ProductVersion]:
        """Read the versions that these revisions wrote, of one product or of all (None)."""
        for revision, saved in self._chain(publisher).entries(revisions):
            if saved is None:
                raise StoreUnavailable.lost(f"catalogue revision {revision} of `{publisher}`")
            for version in packed.read_write(saved).versions(publisher, revision):
                if product_id in (None, version.product_id):
                    yield version

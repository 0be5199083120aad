"""CatalogStore in the Redis or Valkey server that also holds the groups.

A product id belongs to its publisher before the first version is saved: ids are unique across
publishers, whose keys are in different slots. A write that fails in between leaves its publisher
the id, and nothing else.
"""

import random
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import attrgetter

from eligibility.catalog import packed as catalog_packed
from eligibility.catalog.chain import link
from eligibility.catalog.errors import CatalogRevisionMismatch, ProductTaken
from eligibility.catalog.keys import CatalogKeys
from eligibility.catalog.model import Product
from eligibility.catalog.packed import PackedWrite
from eligibility.catalog.redis_trail import RedisCatalogTrail
from eligibility.catalog.store import CatalogEntry, CatalogWrite, ProductVersion
from eligibility.errors import UnknownProduct
from groups.chain import ChainDigester, Trail
from groups.errors import NotEmpty, StoreUnavailable
from groups.model import Page, storable
from groups.moments import to_us
from groups.redis import packed
from groups.redis.packed import HeadField
from groups.storage.redis_server import Command, RedisServer

_TRIES = 100
_AT_ONCE = 100
"""Versions read in one step."""


class RedisCatalogStore:
    """See CatalogStore for what the methods promise."""

    def __init__(self, server: RedisServer, digest_key: Callable[[], bytes]) -> None:
        """Take an open server; digest_key = GroupStore.digest_key of the same one."""
        self._server, self._digest_key = server, digest_key
        self._keys = CatalogKeys(server.keys)

    def get(self, product_id: str) -> tuple[CatalogEntry, int] | None:
        """See CatalogStore."""
        publisher = self.owner(product_id)
        if publisher is None:
            return None
        found, head = self._server.read(
            [
                ("HGET", self._keys.products(publisher), storable(product_id)),
                ("HGET", self._keys.head(publisher), "catalog"),
            ]
        )
        if found is None:
            return None
        return catalog_packed.entry(publisher, product_id, found), packed.head(head).revision

    def list_products(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[CatalogEntry]:
        """See CatalogStore."""
        begin = f"({storable(cursor)}" if cursor else "-"
        key = self._keys.product_ids(publisher)
        call = self._server.call
        ids = call("ZRANGEBYLEX", key, begin, "+", "LIMIT", "0", str(limit + 1))
        found = call("HMGET", self._keys.products(publisher), *ids) if ids else []
        entries = [
            catalog_packed.entry(publisher, one.decode(), saved)
            for one, saved in zip(ids, found, strict=True)
            if saved is not None  # deleted between the two looks
        ]
        more = len(ids) > limit
        last = ids[limit - 1].decode() if more else None
        return Page(items=tuple(entries[:limit]), next_cursor=last)

    def revision(self, publisher: str) -> int:
        """See CatalogStore."""
        return self._head(publisher).revision

    def publishers(self) -> tuple[str, ...]:
        """See CatalogStore."""
        known = self.trails()
        asked: list[Command] = [("HGET", self._keys.head(one), "catalog") for one in known]
        heads = self._server.read_apart(asked)
        return tuple(one for one, head in zip(known, heads, strict=True) if head is not None)

    def apply(
        self,
        publisher: str,
        puts: Mapping[str, Product],
        deletes: Collection[str] = (),
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> int:
        """See CatalogStore."""
        for _ in range(_TRIES):
            head = self._head(publisher)
            if if_revision is not None and if_revision != head.revision:
                raise CatalogRevisionMismatch(publisher, if_revision, head.revision)
            if not puts and not deletes:
                return head.revision
            self._check_present(publisher, deletes)
            at = max(self._server.clock(), head.at)
            products = {**puts, **dict.fromkeys(deletes)}
            versions = [
                ProductVersion(
                    publisher=publisher,
                    product_id=product_id,
                    revision=head.revision + 1,
                    at=at,
                    actor=actor,
                    product=product,
                )
                for product_id, product in products.items()
            ]
            chain = bytes.fromhex(link(self._links, head.chain.hex(), versions))
            after = HeadField(head.revision + 1, secrets.token_hex(4), to_us(at), chain)
            if self._save(publisher, head, after, actor, versions):
                return after.revision
            time.sleep(random.uniform(0.0, 0.01))  # noqa: S311 - so that writers do not meet again
        raise StoreUnavailable(f"too many others write to `{publisher}` just now: try again")

    def history(
        self, product_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[ProductVersion]:
        """See CatalogStore."""
        before = int(cursor) if cursor else 2**62
        publisher = self.owner(product_id)
        known = [] if publisher is None else self._revisions_of(publisher, product_id)
        older = [one for one in reversed(known) if one < before]
        versions = tuple(self._versions(publisher or "", older[:limit], product_id))
        more = len(older) > limit
        return Page(items=versions, next_cursor=str(versions[-1].revision) if more else None)

    def as_of(self, product_id: str, at: datetime) -> tuple[ProductVersion, int] | None:
        """See CatalogStore."""
        publisher = self.owner(product_id)
        if publisher is None:
            return None
        revision = self._revision_at(publisher, to_us(at))
        known = [one for one in self._revisions_of(publisher, product_id) if one <= revision]
        if not known:
            return None
        (version,) = self._versions(publisher, known[-1:], product_id)
        return version, revision

    def owner(self, product_id: str) -> str | None:
        """See CatalogStore."""
        found = self._server.call("GET", self._keys.owner(storable(product_id)))
        return None if found is None else found.decode()

    def changes_since(self, publisher: str, revision: int) -> tuple[ProductVersion, ...]:
        """See CatalogStore."""
        last = self._head(publisher).revision
        return tuple(self._versions(publisher, range(revision + 1, last + 1)))

    def record(self, publisher: str, versions: Sequence[ProductVersion]) -> None:
        """See CatalogStore."""
        for revision, together in groupby(versions, attrgetter("revision")):
            head = self._head(publisher)
            taken = list(together)
            chain = bytes.fromhex(taken[0].chain)
            after = HeadField(revision, secrets.token_hex(4), to_us(taken[0].at), chain)
            if revision != head.revision + 1 or not self._save(
                publisher, head, after, taken[0].actor, taken
            ):
                detail = f"publisher `{publisher}` is at revision {head.revision}"
                raise NotEmpty(f"{detail}: {revision} is not next")

    def trails(self) -> tuple[str, ...]:
        """See CatalogStore."""
        return tuple(
            sorted(one.decode() for one in self._server.call("SMEMBERS", self._keys.publishers))
        )

    def trail(self, publisher: str) -> Trail[CatalogWrite]:
        """See CatalogStore."""
        return RedisCatalogTrail(self._server, self._keys, publisher, lambda: self._links)

    @cached_property
    def _links(self) -> ChainDigester:
        return ChainDigester(self._digest_key())

    def _head(self, publisher: str) -> HeadField:
        return packed.head(self._server.call("HGET", self._keys.head(publisher), "catalog"))

    def _check_present(self, publisher: str, product_ids: Collection[str]) -> None:
        wanted = list(product_ids)
        asked = list(map(storable, wanted))
        found = self._server.call("HMGET", self._keys.products(publisher), *asked) if asked else []
        for product_id, saved in zip(wanted, found, strict=True):
            if saved is None:
                raise UnknownProduct(product_id)

    def _save(
        self,
        publisher: str,
        head: HeadField,
        after: HeadField,
        actor: str,
        versions: Sequence[ProductVersion],
    ) -> bool:
        """Save the versions of the next revision; False when another write came first."""
        self._claim(publisher, versions)
        if head.revision == 0:
            self._server.call("SADD", self._keys.publishers, publisher)
        saved = self._server.commit(
            publisher,
            {"catalog": packed.packed_head(head) if head.revision else None},
            {"catalog": packed.packed_head(after)},
            list(self._commands(publisher, after, actor, versions)),
        )
        return saved or self._was_saved(publisher, after)

    def _was_saved(self, publisher: str, after: HeadField) -> bool:
        """Whether history has the write: saved, its answer lost, and others written since."""
        key = self._keys.versions(publisher)
        found = self._server.call("HGET", key, str(after.revision))
        return found is not None and catalog_packed.read_write(found).write_id == after.write_id

    def _claim(self, publisher: str, versions: Iterable[ProductVersion]) -> None:
        """Make the product ids the publisher's. Raises: ProductTaken."""
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
                kept = catalog_packed.present(version)
                yield "HSET", keys.products(publisher), product_id, kept
                yield "ZADD", keys.product_ids(publisher), "0", product_id
        made = catalog_packed.write(after, actor, versions)
        yield "HSET", keys.versions(publisher), revision, made

    def _revisions_of(self, publisher: str, product_id: str) -> list[int]:
        key = self._keys.versions_of(publisher, storable(product_id))
        return list(map(int, self._server.call("LRANGE", key, "0", "-1")))

    def _revision_at(self, publisher: str, until_us: int) -> int:
        """The highest revision that was written at or before a moment."""
        low, high = 0, self._head(publisher).revision
        while low < high:
            middle = (low + high + 1) // 2
            (made,) = self._writes(publisher, [middle])
            if made.at_us <= until_us:
                low = middle
            else:
                high = middle - 1
        return low

    def _versions(
        self, publisher: str, revisions: Sequence[int], product_id: str | None = None
    ) -> Iterator[ProductVersion]:
        """What some revisions wrote, of one product or of all by product id."""
        for revision, made in zip(revisions, self._writes(publisher, revisions), strict=True):
            for version in made.versions(publisher, revision):
                if product_id in (None, version.product_id):
                    yield version

    def _writes(self, publisher: str, revisions: Sequence[int]) -> Iterator[PackedWrite]:
        key = self._keys.versions(publisher)
        for begin in range(0, len(revisions), _AT_ONCE):
            asked = revisions[begin : begin + _AT_ONCE]
            found = self._server.call("HMGET", key, *map(str, asked))
            for revision, saved in zip(asked, found, strict=True):
                if saved is None:
                    raise packed.missing(f"catalogue revision {revision} of `{publisher}`")
                yield catalog_packed.read_write(saved)

"""Whether what is in force is what the entries of a trail come to: nobody wrote past it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Protocol

from eligibility.catalog.store import CatalogStore, CatalogWrite, ProductVersion
from groups.errors import StoreUnavailable, UnknownGroup
from groups.member_set import Digester
from groups.model import MAX_MEMBERS, GroupChange, each
from groups.store import GroupStore

_TRIES = 20
"""How often something is read again that somebody writes to meanwhile."""


class Replay(Protocol):
    """What the entries of one chain come to, taken one after another."""

    def take(self, entry: Any) -> None:
        """Take the next entry. Raises: one of groups.chain.UNREADABLE."""

    def differences(self, revision: int) -> Iterator[str]:
        """Say what is otherwise in force. Args: revision = of the last entry taken."""


class GroupReplay:
    """Who is in the groups of a publisher, by digest, so that it holds for people forgotten too."""

    def __init__(self, store: GroupStore, publisher: str) -> None:
        self._store, self._publisher = store, publisher
        self._digester = Digester(store.digest_key())
        self._members: defaultdict[str, set[int]] = defaultdict(set)

    def take(self, entry: GroupChange) -> None:
        """See Replay."""
        members, digest = self._members[entry.group_id], self._digester.of_recorded
        members.update(map(digest, entry.added))
        members.difference_update(map(digest, entry.removed))

    def differences(self, revision: int) -> Iterator[str]:
        """See Replay."""
        for group_id in sorted(self._store.group_ids(self._publisher).union(self._members)):
            try:
                revision, held, listed = self._in_force(group_id, revision)
            except UnknownGroup:
                yield f"is not what is in force: group `{group_id}` is not there"
                continue
            said = self._members[group_id]
            if said != held or said != listed:
                more = max(len(held - said), len(listed - said))
                less = max(len(said - held), len(said - listed))
                yield (
                    f"is not what is in force: group `{group_id}` has {more} too many"
                    f" and {less} too few, who never joined or left"
                )

    def _in_force(self, group_id: str, revision: int) -> tuple[int, set[int], set[int]]:
        """The digests that evaluators hold, and those of the addresses that are listed."""
        store, publisher = self._store, self._publisher
        for _ in range(_TRIES):
            head, held = store.member_set(publisher, group_id)
            listed = store.members(publisher, group_id, limit=2 * MAX_MEMBERS).items
            for change in store.changes_since(publisher, revision):
                self.take(change)
                revision = change.revision
            if revision == head.revision:
                return revision, set(held.digests), set(map(self._digester.of, listed))
        raise _contended(publisher)


class CatalogReplay:
    """The products of a publisher."""

    def __init__(self, store: CatalogStore, publisher: str) -> None:
        self._store, self._publisher = store, publisher
        self._products: dict[str, ProductVersion] = {}

    def take(self, entry: CatalogWrite) -> None:
        """See Replay."""
        for version in entry.versions:
            self._products.pop(version.product_id, None)
            if version.product is not None:
                self._products[version.product_id] = version

    def differences(self, revision: int) -> Iterator[str]:
        """See Replay."""
        found, said = self._in_force(revision), self._products
        for product_id in sorted(found.keys() | said.keys()):
            present, version = found.get(product_id), said.get(product_id)
            if present != (version and (version.product, version.revision)):
                yield f"is not what is in force: product `{product_id}` is another"

    def _in_force(self, revision: int) -> dict[str, tuple[Any, int]]:
        store, publisher = self._store, self._publisher
        for _ in range(_TRIES):
            entries = list(each(lambda cursor: store.list_products(publisher, cursor=cursor)))
            later = store.changes_since(publisher, revision)
            if not later:
                return {one.product_id: (one.product, one.revision) for one in entries}
            self.take(CatalogWrite(versions=later))
            revision = later[-1].revision
        raise _contended(publisher)


def _contended(publisher: str) -> StoreUnavailable:
    return StoreUnavailable(f"too many write to `{publisher}` just now to look at it: try again")

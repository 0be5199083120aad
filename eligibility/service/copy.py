"""Copies everything from one store to another: groups, catalogue, API keys, audit log, digest key.

Writes are copied one after another, unchanged, so an interrupted copy continues after the last write
of the target. At the end both stores are read completely and compared by counts and a digest.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

import msgspec

from eligibility.audit.log import AuditLog, LogEntry
from eligibility.callers.store import KeyStore
from eligibility.catalog.store import ProductVersion
from eligibility.errors import EligibilityError
from eligibility.service.stores import Stores
from groups.errors import NotEmpty, StoreUnavailable
from groups.model import MAX_MEMBERS, GroupChange, all_items

_CHUNK = 50
"""Number of writes copied in one step; they have at most 500,000 addresses."""

CopyProgress = Callable[[str, int], None]
"""Called with a description of the present step, and the number of writes copied in the last step."""

_encode = msgspec.msgpack.Encoder().encode


class CopyDiffers(EligibilityError):
    """The target differs from the source, although every write was copied."""

    code = "COPY_DIFFERS"

    def __init__(self, publisher: str) -> None:
        super().__init__(
            f"publisher `{publisher}` differs in the two stores: since the copy began, somebody wrote"
            " to the target, or a person was forgotten in the source; copy into an empty store again"
        )
        self.publisher = publisher


@dataclass(frozen=True, slots=True)
class StoreContents:
    """Counts of a publisher's data in a store, and a digest of all of that data."""

    groups: int
    memberships: int
    writes: int
    products: int
    versions: int
    digest: str


@dataclass(frozen=True, slots=True)
class CopyReport:
    """The result of a successful copy.

    publishers: contents of both stores by publisher. taken_over: number of writes that this run copied.
    keys: number of API keys that both stores have.
    """

    publishers: dict[str, StoreContents]
    taken_over: int
    keys: int


def writes_of(stores: Stores) -> int:
    """Count the writes of all publishers in a store, which is the number of writes to copy."""
    return sum(
        stores.groups.revision(publisher) + stores.catalog.revision(publisher)
        for publisher in publishers_of(stores)
    )


def publishers_of(stores: Stores) -> list[str]:
    """List every publisher with a group or a product, sorted."""
    return sorted({*stores.groups.publishers(), *stores.catalog.publishers()})


def copy(
    source: Stores, target: Stores, step: CopyProgress = lambda _what, _number: None
) -> CopyReport:
    """Copy everything that the target does not have yet, then compare both stores.

    Raises: NotEmpty if the target has writes that the source does not have; CopyDiffers.
    """
    target.groups.adopt_digest_key(source.groups.digest_key())
    taken_over = 0
    for publisher in publishers_of(source):
        _check_resumable(source, target, publisher)
        for number in chain(
            _copy_groups(source, target, publisher), _copy_catalog(source, target, publisher)
        ):
            taken_over += number
            step(f"copying {publisher}", number)
    keys = _copy_keys(source.keys, target.keys)
    _copy_log(source.audit, target.audit)
    copied = {}
    for publisher in publishers_of(source):
        step(f"comparing {publisher}", 0)
        copied[publisher] = _verified(source, target, publisher)
    return CopyReport(copied, taken_over, keys)


def contents(stores: Stores, publisher: str) -> StoreContents:
    """Read all data of a publisher in a store, and compute its counts and digest."""
    digest, counts = blake2b(digest_size=16), Counter[str]()
    for kind, count, facts in _facts(stores, publisher):
        counts[kind] += count
        digest.update(_encode(facts))
    return StoreContents(
        groups=counts["groups"],
        memberships=counts["memberships"],
        writes=counts["writes"],
        products=counts["products"],
        versions=counts["versions"],
        digest=digest.hexdigest(),
    )


def _facts(stores: Stores, publisher: str) -> Iterator[tuple[str, int, Any]]:
    """Iterate over a publisher's data in a fixed order: the kind, the number of items, the items."""
    groups, catalog = stores.groups, stores.catalog
    for group in all_items(lambda cursor: groups.list_groups(publisher, cursor=cursor)):
        yield "groups", 1, asdict(group)
        members = groups.members(publisher, group.group_id, limit=MAX_MEMBERS).items
        yield "memberships", len(members), members
    for change in _changes(stores, publisher, 0):
        yield "writes", 1, {**asdict(change), "write_id": ""}  # the id differs between stores
    for entry in all_items(lambda cursor: catalog.list_products(publisher, cursor=cursor)):
        yield "products", 1, (entry.product_id, entry.revision, entry.updated_at)
    for version in catalog.changes_since(publisher, 0):
        yield "versions", 1, _written(version)


def _written(version: ProductVersion) -> tuple[Any, ...]:
    body = None if version.product is None else version.product.model_dump_json()
    return version.product_id, version.revision, version.at, version.actor, body, version.chain


def _changes(stores: Stores, publisher: str, revision: int) -> Iterator[GroupChange]:
    while changes := stores.groups.changes_since(publisher, revision, limit=_CHUNK):
        yield from changes
        revision = changes[-1].revision


def _check_resumable(source: Stores, target: Stores, publisher: str) -> None:
    """Check that the target's last write is also in the source. Raises: NotEmpty."""
    reached = target.groups.revision(publisher)
    if reached == 0:
        return
    pair = [
        stores.groups.changes_since(publisher, reached - 1, limit=1) for stores in (source, target)
    ]
    chains = [[change.chain for change in changes] for changes in pair]
    if pair[0] != pair[1] or chains[0] != chains[1]:
        raise NotEmpty(
            f"the target has writes of `{publisher}` that the source does not have:"
            " copy into an empty store, or into one that an earlier copy filled"
        )


def _copy_keys(source: KeyStore, target: KeyStore) -> int:
    """Copy the API keys of callers with their ends and last uses. Return the number of keys."""
    _, keys = source.all()
    for key in keys:
        target.add(key)
    there = {key.key_id: key for key in target.all()[1]}
    for key in keys:  # keys of an earlier copy may have ended since then
        ends_at, new_id = key.expires_at, key.replaced_by
        if new_id and ends_at and there[key.key_id].replaced_by != new_id:
            replacement = next(key for key in keys if key.key_id == new_id)
            target.replace(key.key_id, replacement, expires_at=ends_at)
        target.end(key.key_id, revoked_at=key.revoked_at, expires_at=ends_at)
    target.note_use({key.key_id: key.last_used_at for key in keys if key.last_used_at is not None})
    return len(keys)


def _copy_log(source: AuditLog, target: AuditLog) -> None:
    """Copy missing audit entries. Raises: NotEmpty for another log; StoreUnavailable for damage."""
    reached, last = target.head(), source.head().revision
    if reached.revision:
        same = next(source.entries(reached.revision, reached.revision))
        if not isinstance(same, LogEntry) or same.chain != reached.chain:
            raise NotEmpty("the target has an audit log of its own: copy into an empty store")
    for revision, entry in enumerate(
        source.entries(reached.revision + 1, last), reached.revision + 1
    ):
        if not isinstance(entry, LogEntry):
            raise StoreUnavailable.lost(f"revision {revision} of the audit log")
        target.record([entry])


def _copy_groups(source: Stores, target: Stores, publisher: str) -> Iterator[int]:
    revision = target.groups.revision(publisher)
    while changes := source.groups.changes_since(publisher, revision, limit=_CHUNK):
        names = {
            group_id: source.groups.get(publisher, group_id).name
            for group_id in {change.group_id for change in changes}
        }
        target.groups.record(publisher, names, changes)
        revision = changes[-1].revision
        yield len(changes)


def _copy_catalog(source: Stores, target: Stores, publisher: str) -> Iterator[int]:
    versions = source.catalog.changes_since(publisher, target.catalog.revision(publisher))
    for _, together in groupby(versions, attrgetter("revision")):
        target.catalog.record(publisher, list(together))
        yield 1


def _verified(source: Stores, target: Stores, publisher: str) -> StoreContents:
    """Compare the contents of both stores and return them. Raises: CopyDiffers."""
    copied = contents(source, publisher)
    if contents(target, publisher) != copied:
        raise CopyDiffers(publisher)
    return copied

"""What RedisGroupStore reads of the past: writes by revision, and memberships as they were then.

A write never changes once it is saved, but for the address of somebody who is forgotten; so what is
read in several steps is as of the revision that the first step gave.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from groups.errors import HistoryLost
from groups.model import GroupChange, MembershipChange, PastMemberships
from groups.moments import to_us
from groups.redis import packed
from groups.redis.packed import HeadField
from groups.storage.redis_server import RedisServer

_AT_ONCE = 200
"""Writes read in one step: at most 10,000 addresses each, at 6 bytes."""


def head(server: RedisServer, publisher: str) -> HeadField:
    """Give the publisher's last write to groups."""
    return packed.head(server.call("HGET", server.keys.head(publisher), "groups"))


def changes(server: RedisServer, publisher: str, revisions: Sequence[int]) -> Iterator[GroupChange]:
    """Give the writes of some revisions, in the order asked for. Raises: StoreUnavailable."""
    key = server.keys.edits(publisher)
    for begin in range(0, len(revisions), _AT_ONCE):
        asked = revisions[begin : begin + _AT_ONCE]
        found = server.call("HMGET", key, *map(str, asked))
        for revision, saved in zip(asked, found, strict=True):
            yield packed.change(publisher, revision, saved)


def changes_after(
    server: RedisServer, publisher: str, revision: int, write_id: str, limit: int | None
) -> tuple[GroupChange, ...]:
    """See GroupStore.changes_since."""
    last = head(server, publisher).revision
    if write_id:
        saved = server.call("HGET", server.keys.edits(publisher), str(revision))
        if saved is None or packed.change(publisher, revision, saved).write_id != write_id:
            raise HistoryLost(publisher, revision)
    return tuple(changes(server, publisher, range(max(revision, 0) + 1, last + 1)[:limit]))


def revision_at(server: RedisServer, publisher: str, until_us: int, last: int) -> int:
    """Give the highest revision, up to `last`, whose write happened at or before a moment."""
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        (change,) = changes(server, publisher, [middle])
        if to_us(change.at) <= until_us:
            low = middle
        else:
            high = middle - 1
    return low


def changes_from(server: RedisServer, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
    """See GroupStore.recent_changes."""
    last = head(server, publisher)
    if last.at_us < to_us(since):
        return ()
    before = revision_at(server, publisher, to_us(since) - 1, last.revision)
    return tuple(changes(server, publisher, range(before + 1, last.revision + 1)))


def revisions_of(server: RedisServer, publisher: str, group_id: str) -> list[int]:
    """Give the revisions of a group's writes, rising."""
    return list(
        map(int, server.call("LRANGE", server.keys.edits_of(publisher, group_id), "0", "-1"))
    )


def newest_first(
    server: RedisServer, publisher: str, group_id: str | None, before: int
) -> Iterator[GroupChange]:
    """Give the writes before a revision, of one group or all, the newest first."""
    last = head(server, publisher).revision
    known: Sequence[int] = (
        range(1, last + 1) if group_id is None else revisions_of(server, publisher, group_id)
    )
    return changes(server, publisher, [one for one in reversed(known) if one < before])


def members_at(
    server: RedisServer,
    publisher: str,
    group_id: str,
    at: datetime,
    present: Collection[str],
    last: int,
) -> list[str]:
    """Give a group's members of a moment, sorted, from those present at revision `last`."""
    then = revision_at(server, publisher, to_us(at), last)
    members = set(present)
    later = [one for one in revisions_of(server, publisher, group_id) if then < one <= last]
    for change in changes(server, publisher, later[::-1]):
        members.difference_update(change.added)
        members.update(change.removed)
    return sorted(members)


def memberships_at(
    server: RedisServer,
    publisher: str,
    group_ids: Collection[str],
    addresses: Collection[str],
    at: datetime,
) -> PastMemberships:
    """See GroupStore."""
    revision = revision_at(server, publisher, to_us(at), head(server, publisher).revision)
    last = [
        one
        for group_id in sorted(set(group_ids))
        for one in _last(server, publisher, group_id, set(addresses), revision)
    ]
    last.sort(key=lambda one: (one.address, one.group_id))
    return PastMemberships(revision=revision, last=tuple(last))


def _last(
    server: RedisServer, publisher: str, group_id: str, wanted: set[str], revision: int
) -> Iterator[MembershipChange]:
    """The last change of each wanted address in a group, up to a revision."""
    known = [one for one in revisions_of(server, publisher, group_id) if one <= revision]
    for change in changes(server, publisher, known[::-1]):
        for address in wanted.intersection((*change.added, *change.removed)):
            wanted.discard(address)
            yield MembershipChange(
                address=address,
                group_id=group_id,
                at=change.at,
                change="added" if address in change.added else "removed",
            )
        if not wanted:
            return


def about(changes: Iterable[GroupChange], address: str) -> Iterator[GroupChange]:
    """Give those of some writes that change the memberships of an address, each naming it alone."""
    for one in changes:
        if address in one.added or address in one.removed:
            added, removed = (
                (address,) * (address in one.added),
                (address,) * (address in one.removed),
            )
            yield replace(one, added=added, removed=removed)

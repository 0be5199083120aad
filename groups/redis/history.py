"""Reads the history for RedisGroupStore: writes by revision, and memberships at a past time.

A saved write never changes, except that forgetting a person replaces an address. So data that is read
in several steps is consistent: it describes the revision that the first step read.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from groups.errors import HistoryLost
from groups.model import GroupChange, MembershipChange, PastMemberships
from groups.moments import to_us
from groups.redis import packed
from groups.redis.writes import GroupState
from groups.storage.redis_chain import RedisChain
from groups.storage.redis_server import RedisServer


def chain(server: RedisServer, publisher: str) -> RedisChain:
    """Return the chain of a publisher's writes to groups. It is not read until it is used."""
    keys = server.keys
    return RedisChain(
        server, publisher, "groups", head=keys.head(publisher), entries=keys.edits(publisher)
    )


def changes(server: RedisServer, publisher: str, revisions: Sequence[int]) -> Iterator[GroupChange]:
    """Read the writes with these revisions, in the order given. Raises: StoreUnavailable."""
    for revision, saved in chain(server, publisher).entries(revisions):
        yield packed.change(publisher, revision, saved)


def changes_after(
    server: RedisServer, publisher: str, revision: int, write_id: str, limit: int | None
) -> tuple[GroupChange, ...]:
    """See GroupStore.changes_since."""
    last = chain(server, publisher).head().revision
    if write_id:
        ((_, saved),) = chain(server, publisher).entries([revision])
        if saved is None or packed.change(publisher, revision, saved).write_id != write_id:
            raise HistoryLost(publisher, revision)
    return tuple(changes(server, publisher, range(max(revision, 0) + 1, last + 1)[:limit]))


def changes_from(server: RedisServer, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
    """See GroupStore.recent_changes."""
    log = chain(server, publisher)
    last = log.head()
    if last.at_us < to_us(since):
        return ()
    before = log.revision_at(to_us(since) - 1, last.revision)
    return tuple(changes(server, publisher, range(before + 1, last.revision + 1)))


def revisions_of(server: RedisServer, publisher: str, group_id: str) -> list[int]:
    """List the revisions of a group's writes, in rising order."""
    return list(
        map(int, server.call("LRANGE", server.keys.edits_of(publisher, group_id), "0", "-1"))
    )


def newest_first(
    server: RedisServer, publisher: str, group_id: str | None, before: int
) -> Iterator[GroupChange]:
    """Read the writes before a revision, newest first, of one group or of all (None)."""
    known: Sequence[int]
    if group_id is None:
        known = range(1, chain(server, publisher).head().revision + 1)
    else:
        known = revisions_of(server, publisher, group_id)
    return changes(
        server, publisher, [revision for revision in reversed(known) if revision < before]
    )


def members_at(server: RedisServer, present: GroupState, at: datetime, last: int) -> list[str]:
    """List members at a past time, sorted: undo later writes. present, last: read together."""
    publisher, group_id = present.group.publisher, present.group.group_id
    then, members = chain(server, publisher).revision_at(to_us(at), last), set(present.members)
    revisions = revisions_of(server, publisher, group_id)
    later = [revision for revision in reversed(revisions) if then < revision <= last]
    for change in changes(server, publisher, later):
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
    log = chain(server, publisher)
    revision = log.revision_at(to_us(at), log.head().revision)
    last = [
        change
        for group_id in sorted(set(group_ids))
        for change in _last_changes(server, publisher, group_id, set(addresses), revision)
    ]
    last.sort(key=lambda change: (change.address, change.group_id))
    return PastMemberships(revision=revision, last=tuple(last))


def _last_changes(
    server: RedisServer, publisher: str, group_id: str, remaining: set[str], until: int
) -> Iterator[MembershipChange]:
    """Find the last change of each remaining address in a group, up to revision `until`."""
    known = [
        revision for revision in revisions_of(server, publisher, group_id) if revision <= until
    ]
    for change in changes(server, publisher, known[::-1]):
        for address in remaining.intersection((*change.added, *change.removed)):
            remaining.discard(address)
            yield MembershipChange(
                address=address,
                group_id=group_id,
                at=change.at,
                change="added" if address in change.added else "removed",
            )
        if not remaining:
            return


def about(changes: Iterable[GroupChange], address: str) -> Iterator[GroupChange]:
    """Select the writes that change memberships of an address; list only that address in each."""
    for change in changes:
        added, removed = (
            (address,) * (address in addresses) for addresses in (change.added, change.removed)
        )
        if added or removed:
            yield replace(change, added=added, removed=removed)

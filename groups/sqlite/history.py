"""Reads the history for SqliteGroupStore. Each function reads in its caller's transaction."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from json import dumps
from operator import itemgetter
from typing import Any

from groups.backend import MemberQuery
from groups.chain import UNREADABLE, Damage
from groups.model import MAX_REVISION, GroupChange, MembershipChange, PastMemberships
from groups.model import storable as text
from groups.moments import from_us, to_us
from groups.sqlite.edits import ADDED, REMOVED
from groups.sqlite.rows import AFTER_ANY, consent

_CHANGES = (
    "SELECT revision, group_id, at_us, actor, consent, lower(hex(chain)), change, address FROM"
    " (SELECT * FROM edit WHERE publisher = ? AND {} ORDER BY revision LIMIT ?)"
    " LEFT JOIN edit_member USING (edit_key) ORDER BY revision, address"
)
_PAGE = """
    SELECT revision, group_id, at_us, actor, consent, lower(hex(chain)), change, address
    FROM (
        SELECT * FROM edit e
        WHERE publisher = :publisher AND revision < :before
            AND (:group_id IS NULL OR group_id = :group_id)
            AND (:address IS NULL OR EXISTS (
                SELECT 1 FROM edit_member m WHERE m.edit_key = e.edit_key AND m.address = :address))
        ORDER BY revision DESC LIMIT :count
    ) LEFT JOIN edit_member USING (edit_key)
    WHERE :address IS NULL OR address = :address
    ORDER BY revision DESC, address
"""
# In a query with max(), SQLite takes the other columns from the row that has the maximum.
_LAST = (
    "SELECT m.address, e.group_id, e.at_us, m.change, max(e.revision)"
    " FROM edit_member m JOIN edit e USING (edit_key)"
    " WHERE m.address IN (SELECT value FROM json_each(?)) AND e.publisher = ? AND e.at_us <= ?"
    " AND e.group_id IN (SELECT value FROM json_each(?))"
    " GROUP BY m.address, e.group_id"
)
_MEMBERS = """
    SELECT address FROM (
        SELECT m.address AS address, m.change AS change, max(e.revision)
        FROM edit e JOIN edit_member m USING (edit_key)
        WHERE e.publisher = ? AND e.group_id = ? AND e.at_us <= ?
            AND m.address > ? AND m.address >= ? AND m.address < ?
        GROUP BY m.address
    ) WHERE change = 1 ORDER BY address LIMIT ?
"""

EXTENT = (
    "SELECT revision, lower(hex(chain)), (SELECT count(*) FROM edit WHERE publisher = :publisher)"
    " FROM (SELECT 1) LEFT JOIN group_revision ON publisher = :publisher"
)
"""Query for SqliteTrail: the last revision of a publisher, its digest, and the number of writes."""

HistoryRow = tuple[int, str, int, str, str | None, str, int | None, str | None]


def changes_after(
    connection: sqlite3.Connection, publisher: str, revision: int, limit: int | None
) -> tuple[GroupChange, ...]:
    """List the writes after a revision, oldest first."""
    after = min(max(revision, 0), MAX_REVISION)
    return _changes(connection, publisher, "revision > ?", after, limit)


def changes_from(
    connection: sqlite3.Connection, publisher: str, since: datetime
) -> tuple[GroupChange, ...]:
    """List the writes at or after a date and time, oldest first."""
    return _changes(connection, publisher, "at_us >= ?", to_us(since))


def page(
    connection: sqlite3.Connection,
    publisher: str,
    group_id: str | None,
    address: str | None,
    before: int,
    count: int,
) -> list[GroupChange]:
    """List at most `count` writes before a revision, newest first; see GroupArchive.history."""
    values = {
        "publisher": text(publisher),
        "group_id": group_id,
        "address": address,
        "before": before,
        "count": count,
    }
    return list(_read(publisher, connection.execute(_PAGE, values)))


def memberships_at(
    connection: sqlite3.Connection,
    publisher: str,
    group_ids: Collection[str],
    addresses: Collection[str],
    at: datetime,
) -> PastMemberships:
    """See GroupStore."""
    name, until = text(publisher), to_us(at)
    (revision,) = connection.execute(
        "SELECT coalesce(max(revision), 0) FROM edit WHERE publisher = ? AND at_us <= ?",
        (name, until),
    ).fetchone()
    listed = dumps(list(map(text, addresses)))
    groups = dumps(list(map(text, group_ids)))
    rows = connection.execute(_LAST, (listed, name, until, groups))
    return PastMemberships(
        revision=revision,
        last=tuple(
            MembershipChange(
                address=address,
                group_id=group_id,
                at=from_us(at_us),
                change="added" if change == ADDED else "removed",
            )
            for address, group_id, at_us, change, _ in sorted(rows)
        ),
    )


def members_at(connection: sqlite3.Connection, query: MemberQuery, at: datetime) -> list[str]:
    """List the members that match a query, as they were at the time `at`."""
    start = text(query.prefix)
    names = query.publisher, query.group_id
    bounds = to_us(at), text(query.cursor), start, start + AFTER_ANY, query.count
    return list(map(itemgetter(0), connection.execute(_MEMBERS, (*names, *bounds))))


def mentions(connection: sqlite3.Connection, publisher: str, address: str) -> int:
    """Count the entries of history that list a canonical address."""
    (count,) = connection.execute(
        "SELECT count(*) FROM edit_member m JOIN edit e USING (edit_key)"
        " WHERE m.address = ? AND e.publisher = ?",
        (address, text(publisher)),
    ).fetchone()
    return int(count)


def kept_between(
    publisher: str, connection: sqlite3.Connection, first: int, last: int
) -> dict[int, GroupChange | Damage]:
    """Read the writes from revision `first` to `last` for the audit trail; omit missing ones."""
    rows = connection.execute(
        _CHANGES.format("revision >= ?"), (text(publisher), first, last - first + 1)
    )
    kept: dict[int, GroupChange | Damage] = {}
    for of_edit, members in groupby(rows, itemgetter(slice(0, 6))):
        try:
            kept[of_edit[0]] = _change(publisher, of_edit, members)
        except UNREADABLE:
            kept[of_edit[0]] = "unreadable"
    return kept


def _changes(
    connection: sqlite3.Connection,
    publisher: str,
    condition: str,
    bound: int,
    limit: int | None = None,
) -> tuple[GroupChange, ...]:
    most = -1 if limit is None else limit  # in SQLite, LIMIT -1 means no limit
    rows = connection.execute(_CHANGES.format(condition), (text(publisher), bound, most))
    return tuple(_read(publisher, rows))


def _read(publisher: str, rows: Iterable[HistoryRow]) -> Iterator[GroupChange]:
    for of_edit, members in groupby(rows, itemgetter(slice(0, 6))):
        yield _change(publisher, of_edit, members)


def _change(publisher: str, of_edit: Sequence[Any], members: Iterable[HistoryRow]) -> GroupChange:
    revision, group_id, at_us, actor, noted, chain = of_edit
    changed = [(change, address) for *_, change, address in members]
    return GroupChange(
        publisher=publisher,
        revision=revision,
        group_id=group_id,
        at=from_us(at_us),
        actor=actor,
        added=tuple(address for change, address in changed if change == ADDED and address),
        removed=tuple(address for change, address in changed if change == REMOVED and address),
        consent=consent(noted),
        chain=chain,
    )

"""Reads the present data for SqliteGroupStore. Each function reads in its caller's transaction."""

import sqlite3
from array import array
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from json import dumps, loads
from operator import itemgetter

from groups.backend import MemberQuery
from groups.delta import check_revision
from groups.errors import UnknownGroup
from groups.member_set import MemberSet
from groups.model import Consent, Group, name_key
from groups.model import storable as text
from groups.moments import from_us

_MEMBERS = "SELECT address FROM member WHERE group_key = ?"
AFTER_ANY = "\U0010ffff"  # sorts after any character of an address: prefix + AFTER_ANY ends a range


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A group, the key of its row, and the connection that read it."""

    connection: sqlite3.Connection
    key: int
    group: Group


def group(
    connection: sqlite3.Connection, publisher: str, group_id: str, if_revision: int | None = None
) -> StoredGroup:
    """Read one group. Raises: UnknownGroup; RevisionMismatch if it is not at `if_revision`."""
    row = connection.execute(
        "SELECT group_key, publisher, group_id, name, member_count, revision, created_at_us,"
        " consent FROM known_group WHERE publisher = ? AND group_id = ?",
        (text(publisher), text(group_id)),
    ).fetchone()
    if row is None:
        raise UnknownGroup(publisher, group_id)
    stored = StoredGroup(connection, row[0], _group(row[1:]))
    check_revision(stored.group, if_revision)
    return stored


def groups_after(
    connection: sqlite3.Connection, publisher: str, cursor: str, count: int
) -> list[Group]:
    """List at most `count` groups whose ids come after the cursor."""
    rows = connection.execute(
        "SELECT publisher, group_id, name, member_count, revision, created_at_us, consent"
        " FROM known_group WHERE publisher = ? AND group_id > ? ORDER BY group_id LIMIT ?",
        (text(publisher), text(cursor), count),
    )
    return list(map(_group, rows))


def group_ids(connection: sqlite3.Connection, publisher: str) -> frozenset[str]:
    """Return all group ids of a publisher."""
    rows = connection.execute(
        "SELECT group_id FROM known_group WHERE publisher = ?", (text(publisher),)
    )
    return frozenset(map(itemgetter(0), rows))


def group_keys(
    connection: sqlite3.Connection, publisher: str, ids: Collection[str]
) -> dict[str, int]:
    """Return the row keys, by group id, of those groups that exist."""
    rows = connection.execute(
        "SELECT group_id, group_key FROM known_group WHERE publisher = ?"
        " AND group_id IN (SELECT value FROM json_each(?))",
        (text(publisher), dumps(list(map(text, ids)))),
    )
    return dict(rows.fetchall())


def publishers(connection: sqlite3.Connection) -> tuple[str, ...]:
    """List every publisher that has a group, sorted."""
    rows = connection.execute("SELECT publisher FROM group_revision ORDER BY publisher")
    return tuple(map(itemgetter(0), rows))


def with_anything(connection: sqlite3.Connection) -> tuple[str, ...]:
    """List every publisher with a stored write or revision, sorted: damage may have removed either."""
    rows = connection.execute(
        "SELECT publisher FROM group_revision UNION SELECT publisher FROM edit ORDER BY publisher"
    )
    return tuple(map(itemgetter(0), rows))


def revision(connection: sqlite3.Connection, publisher: str) -> int:
    """Return the publisher's groups revision; 0 before the first write."""
    row = connection.execute(
        "SELECT revision FROM group_revision WHERE publisher = ?", (text(publisher),)
    ).fetchone()
    return 0 if row is None else int(row[0])


def taken(connection: sqlite3.Connection, publisher: str, group_id: str, name: str) -> str | None:
    """Return the id or name that an existing group already has, preferably the id; else None."""
    row = connection.execute(
        "SELECT group_id, name FROM known_group"
        " WHERE publisher = ? AND (group_id = ? OR name_key = ?) ORDER BY group_id != ?",
        (publisher, group_id, name_key(name), group_id),
    ).fetchone()
    if row is None:
        return None
    return str(row[0] if row[0] == group_id else row[1])


def members_after(stored: StoredGroup, query: MemberQuery) -> list[str]:
    """List the present members that match a query."""
    start = text(query.prefix)
    rows = stored.connection.execute(
        _MEMBERS + " AND address > ? AND address >= ? AND address < ? ORDER BY address LIMIT ?",
        (stored.key, text(query.cursor), start, start + AFTER_ANY, query.count),
    )
    return list(map(itemgetter(0), rows))


def present(stored: StoredGroup, addresses: Collection[str] | None) -> frozenset[str]:
    """Return those addresses that are members; all members if `addresses` is None."""
    if addresses is None:
        rows = stored.connection.execute(_MEMBERS, (stored.key,))
    else:
        condition = " AND address IN (SELECT value FROM json_each(?))"
        rows = stored.connection.execute(_MEMBERS + condition, (stored.key, dumps(addresses)))
    return frozenset(map(itemgetter(0), rows))


def groups_with(connection: sqlite3.Connection, publisher: str, address: str) -> list[str]:
    """List the ids of a publisher's groups that list a canonical address, sorted."""
    rows = connection.execute(
        "SELECT group_id FROM known_group g WHERE publisher = ? AND EXISTS (SELECT 1 FROM member m"
        " WHERE m.group_key = g.group_key AND m.address = ?) ORDER BY group_id",
        (text(publisher), address),
    )
    return list(map(itemgetter(0), rows))


def member_set(connection: sqlite3.Connection, key: int) -> MemberSet:
    """Read the digests of a group's members."""
    rows = connection.execute("SELECT digest FROM member WHERE group_key = ?", (key,))
    signed = array("q", map(itemgetter(0), rows))
    return MemberSet(array("Q", sorted(array("Q", signed.tobytes()))))


def secret(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Read a secret; None if no secret with that name is stored yet."""
    row = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def consent_json(consent: Consent | None) -> str | None:
    """Convert a consent note to the JSON text that is stored."""
    if consent is None:
        return None
    return dumps(
        {
            "confirmed_by": text(consent.confirmed_by),
            "at": consent.at.isoformat(),
            "text": text(consent.text),
        },
        ensure_ascii=False,
    )


def consent(stored: str | None) -> Consent | None:
    """Read a consent note from JSON text of `consent_json`."""
    if stored is None:
        return None
    read = loads(stored)
    at = datetime.fromisoformat(read["at"])
    return Consent(confirmed_by=read["confirmed_by"], at=at, text=read["text"])


def _group(row: tuple[str, str, str, int, int, int, str | None]) -> Group:
    publisher, group_id, name, member_count, at_revision, created_at_us, noted = row
    return Group(
        publisher=publisher,
        group_id=group_id,
        name=name,
        member_count=member_count,
        revision=at_revision,
        created_at=from_us(created_at_us),
        consent=consent(noted),
    )

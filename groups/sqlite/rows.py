"""What SqliteGroupStore reads. Each function reads in the transaction of its caller."""

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
AFTER_ANY = "\U0010ffff"  # no address has it, so the range of a prefix ends at prefix + this


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A group, its row's key, and the connection it was read on."""

    connection: sqlite3.Connection
    key: int
    group: Group


def group(
    connection: sqlite3.Connection, publisher: str, group_id: str, if_revision: int | None = None
) -> StoredGroup:
    """Return one group. Raises: UnknownGroup; RevisionMismatch if it is at another revision."""
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
    """Return up to that many groups whose ids come after the cursor."""
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
    connection: sqlite3.Connection, publisher: str, wanted: Collection[str]
) -> dict[str, int]:
    """Return the row keys of those groups that exist."""
    rows = connection.execute(
        "SELECT group_id, group_key FROM known_group WHERE publisher = ?"
        " AND group_id IN (SELECT value FROM json_each(?))",
        (text(publisher), dumps(list(map(text, wanted)))),
    )
    return dict(rows.fetchall())


def publishers(connection: sqlite3.Connection) -> tuple[str, ...]:
    """List every publisher with a group, in order."""
    rows = connection.execute("SELECT publisher FROM group_revision ORDER BY publisher")
    return tuple(map(itemgetter(0), rows))


def with_anything(connection: sqlite3.Connection) -> tuple[str, ...]:
    """List every publisher of which a write or the last revision is kept, in order."""
    rows = connection.execute(
        "SELECT publisher FROM group_revision UNION SELECT publisher FROM edit ORDER BY publisher"
    )
    return tuple(map(itemgetter(0), rows))


def revision(connection: sqlite3.Connection, publisher: str) -> int:
    """Return the publisher's groups revision; 0 when there is none."""
    row = connection.execute(
        "SELECT revision FROM group_revision WHERE publisher = ?", (text(publisher),)
    ).fetchone()
    return 0 if row is None else int(row[0])


def taken(connection: sqlite3.Connection, publisher: str, group_id: str, name: str) -> str | None:
    """Return the id, or else the name, that a group has already; None when both are free."""
    row = connection.execute(
        "SELECT group_id, name FROM known_group"
        " WHERE publisher = ? AND (group_id = ? OR name_key = ?) ORDER BY group_id != ?",
        (publisher, group_id, name_key(name), group_id),
    ).fetchone()
    if row is None:
        return None
    return str(row[0] if row[0] == group_id else row[1])


def members_after(stored: StoredGroup, query: MemberQuery) -> list[str]:
    """Return the present members that a query asks for."""
    start = text(query.prefix)
    rows = stored.connection.execute(
        _MEMBERS + " AND address > ? AND address >= ? AND address < ? ORDER BY address LIMIT ?",
        (stored.key, text(query.cursor), start, start + AFTER_ANY, query.count),
    )
    return list(map(itemgetter(0), rows))


def present(stored: StoredGroup, wanted: Collection[str] | None) -> frozenset[str]:
    """Return those of the addresses that are members; all members for None."""
    if wanted is None:
        rows = stored.connection.execute(_MEMBERS, (stored.key,))
    else:
        condition = " AND address IN (SELECT value FROM json_each(?))"
        rows = stored.connection.execute(_MEMBERS + condition, (stored.key, dumps(wanted)))
    return frozenset(map(itemgetter(0), rows))


def groups_with(connection: sqlite3.Connection, publisher: str, address: str) -> list[str]:
    """Return the ids of a publisher's groups that list a canonical address, ordered."""
    rows = connection.execute(
        "SELECT group_id FROM known_group g WHERE publisher = ? AND EXISTS (SELECT 1 FROM member m"
        " WHERE m.group_key = g.group_key AND m.address = ?) ORDER BY group_id",
        (text(publisher), address),
    )
    return list(map(itemgetter(0), rows))


def member_set(connection: sqlite3.Connection, key: int) -> MemberSet:
    """Return the digests of a group's members."""
    rows = connection.execute("SELECT digest FROM member WHERE group_key = ?", (key,))
    signed = array("q", map(itemgetter(0), rows))
    return MemberSet(array("Q", sorted(array("Q", signed.tobytes()))))


def secret(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Return a secret; None when none was made yet."""
    row = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def consent_json(consent: Consent | None) -> str | None:
    """Return a consent note as it is stored."""
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
    """Read a note that `consent_json` made."""
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

"""What SqliteGroupStore writes. Runs in the transaction it is given."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from groups.delta import Delta, result
from groups.errors import NotEmpty, UnknownGroup
from groups.member_set import Digester
from groups.model import Change, Consent, EditResult, Group, name_key
from groups.model import storable as text
from groups.moments import from_us, to_us
from groups.sqlite_rows import StoredGroup, consent_json, group

REMOVED, ADDED = -1, 1
"""What edit_member.change says."""


def new_group(
    connection: sqlite3.Connection, publisher: str, group_id: str, name: str, at: datetime
) -> StoredGroup:
    """Put a group without members, which `apply` has to fill."""
    made = Group(
        publisher=publisher,
        group_id=group_id,
        name=name,
        member_count=0,
        revision=0,
        created_at=at,
    )
    key = connection.execute(
        "INSERT INTO known_group (publisher, group_id, name, name_key, created_at_us, revision,"
        " member_count) VALUES (?, ?, ?, ?, ?, 0, 0)",
        (publisher, group_id, name, name_key(name), to_us(at)),
    ).lastrowid
    return StoredGroup(connection, key or 0, made)


def moment(connection: sqlite3.Connection, publisher: str, clock: datetime) -> datetime:
    """When a write happens: now, or with the publisher's last one where a clock was ahead.

    So the moments of its revisions never go back, and a past moment means one revision.
    """
    (last_us,) = connection.execute(
        "SELECT max(at_us) FROM edit WHERE publisher = ?", (text(publisher),)
    ).fetchone()
    return clock if last_us is None else max(clock, from_us(last_us))


def apply(
    connection: sqlite3.Connection,
    stored: StoredGroup,
    delta: Delta,
    actor: str,
    at: datetime,
    digester: Digester,
) -> EditResult:
    """Save a delta as the publisher's next revision, with its history; nothing if it is empty.

    Raises: GroupSizeOutOfRange.
    """
    done = result(stored.group, delta)
    if not delta:
        return done
    done = replace(done, revision=_next_revision(connection, done.publisher))
    connection.execute(
        "UPDATE known_group SET revision = ?, member_count = ? WHERE group_key = ?",
        (done.revision, done.member_count, stored.key),
    )
    _save_members(connection, stored.key, delta, digester)
    _save_history(connection, done, delta, actor, at)
    return done


def note_consent(
    connection: sqlite3.Connection, stored: StoredGroup, consent: Consent, actor: str, at: datetime
) -> Group:
    """Save a consent note as the publisher's next revision; nothing if it is there already."""
    if stored.group.consent == consent:
        return stored.group
    revision = _next_revision(connection, stored.group.publisher)
    written = consent_json(consent)
    connection.execute(
        "UPDATE known_group SET revision = ?, consent = ? WHERE group_key = ?",
        (revision, written, stored.key),
    )
    noted = replace(stored.group, revision=revision, consent=consent)
    _save_edit(connection, noted, actor, at, written)
    return noted


def forget(connection: sqlite3.Connection, publisher: str, address: str, forgotten: str) -> int:
    """Put another text in place of an address, wherever history has it; give how often it stood."""
    publisher = text(publisher)
    replaced = connection.execute(
        "UPDATE edit_member SET address = ? WHERE address = ?"
        " AND edit_key IN (SELECT edit_key FROM edit WHERE publisher = ?)",
        (forgotten, address, publisher),
    ).rowcount
    for table in ("edit", "known_group"):
        connection.execute(
            f"UPDATE {table} SET consent = replace(consent, ?, ?) WHERE publisher = ?"  # noqa: S608
            " AND instr(consent, ?)",
            (address, forgotten, publisher, address),
        )
    return replaced


def record(
    connection: sqlite3.Connection,
    publisher: str,
    names: Mapping[str, str],
    change: Change,
    digester: Digester,
) -> None:
    """Save a write of another store, just as it was. Raises: NotEmpty unless it is the next."""
    revision = _next_revision(connection, publisher)
    if revision != change.revision:
        detail = (
            f"publisher `{publisher}` is at revision {revision - 1}: {change.revision} is not next"
        )
        raise NotEmpty(detail)
    try:
        stored = group(connection, publisher, change.group_id)
    except UnknownGroup:
        name = names[change.group_id]
        stored = new_group(connection, publisher, change.group_id, name, change.at)
    size = stored.group.member_count + len(change.added) - len(change.removed)
    written = None if change.consent is None else consent_json(change.consent)
    connection.execute(
        "UPDATE known_group SET revision = ?, member_count = ?, consent = coalesce(?, consent)"
        " WHERE group_key = ?",
        (revision, size, written, stored.key),
    )
    delta = Delta(change.added, change.removed)
    _save_members(connection, stored.key, delta, digester)
    key = _save_edit(connection, change, change.actor, change.at, written)
    _save_edit_members(connection, key, delta)


def kept_secret(connection: sqlite3.Connection, name: str, made: bytes) -> bytes:
    """Keep a secret unless one of the name is there; give the one that is kept."""
    connection.execute("INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, made))
    (kept,) = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
    return bytes(kept)


def _next_revision(connection: sqlite3.Connection, publisher: str) -> int:
    (made,) = connection.execute(
        "INSERT INTO group_revision VALUES (?, 1)"
        " ON CONFLICT (publisher) DO UPDATE SET revision = revision + 1 RETURNING revision",
        (publisher,),
    ).fetchone()
    return int(made)


def _save_members(
    connection: sqlite3.Connection, key: int, delta: Delta, digester: Digester
) -> None:
    connection.executemany(
        "INSERT INTO member VALUES (?, ?, ?)",
        ((key, one, _signed(digester.of_recorded(one))) for one in sorted(delta.added)),
    )
    connection.executemany(
        "DELETE FROM member WHERE group_key = ? AND address = ?",
        ((key, one) for one in delta.removed),
    )


def _save_history(
    connection: sqlite3.Connection, done: EditResult, delta: Delta, actor: str, at: datetime
) -> None:
    _save_edit_members(connection, _save_edit(connection, done, actor, at, None), delta)


def _save_edit_members(connection: sqlite3.Connection, key: int, delta: Delta) -> None:
    changes = [(key, one, ADDED) for one in delta.added]
    changes += [(key, one, REMOVED) for one in delta.removed]
    connection.executemany("INSERT INTO edit_member VALUES (?, ?, ?)", sorted(changes))


def _save_edit(
    connection: sqlite3.Connection,
    done: EditResult | Group | Change,
    actor: str,
    at: datetime,
    consent: str | None,
) -> int:
    return (
        connection.execute(
            "INSERT INTO edit (publisher, revision, group_id, at_us, actor, consent)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (done.publisher, done.revision, done.group_id, to_us(at), text(actor), consent),
        ).lastrowid
        or 0
    )


def _signed(digest: int) -> int:
    """Give a 64-bit digest as SQLite keeps integers."""
    return digest - (1 << 64) if digest >> 63 else digest

"""What SqliteGroupStore writes. Runs in the transaction it is given."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from groups.chain import ChainDigester
from groups.delta import Delta, result
from groups.errors import NotEmpty, UnknownGroup
from groups.model import Consent, EditResult, Group, GroupChange, name_key
from groups.model import storable as text
from groups.moments import from_us, to_us
from groups.sqlite.rows import StoredGroup, consent_json, group

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
    digester: ChainDigester,
) -> EditResult:
    """Save a delta as the publisher's next revision, with its history; nothing if it is empty.

    Raises: GroupSizeOutOfRange.
    """
    done = result(stored.group, delta)
    if not delta:
        return done
    revision, before = _next_revision(connection, done.publisher)
    done = replace(done, revision=revision)
    connection.execute(
        "UPDATE known_group SET revision = ?, member_count = ? WHERE group_key = ?",
        (done.revision, done.member_count, stored.key),
    )
    change = GroupChange(
        publisher=done.publisher,
        revision=revision,
        group_id=done.group_id,
        at=at,
        actor=actor,
        added=done.joined,
        removed=done.left,
    )
    joined, left = (
        list(map(digester.digester.of_recorded, some)) for some in (change.added, change.removed)
    )
    _save_members(connection, stored.key, change, joined)
    _save_change(
        connection, replace(change, chain=digester.of_change(before, change, joined, left))
    )
    return done


def note_consent(
    connection: sqlite3.Connection,
    stored: StoredGroup,
    consent: Consent,
    actor: str,
    at: datetime,
    digester: ChainDigester,
) -> Group:
    """Save a consent note as the publisher's next revision; nothing if it is there already."""
    if stored.group.consent == consent:
        return stored.group
    revision, before = _next_revision(connection, stored.group.publisher)
    connection.execute(
        "UPDATE known_group SET revision = ?, consent = ? WHERE group_key = ?",
        (revision, consent_json(consent), stored.key),
    )
    noted = replace(stored.group, revision=revision, consent=consent)
    change = GroupChange(
        publisher=noted.publisher,
        revision=revision,
        group_id=noted.group_id,
        at=at,
        actor=actor,
        added=(),
        removed=(),
        consent=consent,
    )
    _save_change(connection, replace(change, chain=digester.of_change(before, change)))
    return noted


def forget(
    connection: sqlite3.Connection, publisher: str, address: str, forgotten: str
) -> tuple[int, bool]:
    """Put another text in place of an address, wherever history or a consent note has it.

    Returns: in how many entries of history it stood, and whether a consent note named it.
    """
    publisher, noted = text(publisher), 0
    replaced = connection.execute(
        "UPDATE edit_member SET address = ? WHERE address = ?"
        " AND edit_key IN (SELECT edit_key FROM edit WHERE publisher = ?)",
        (forgotten, address, publisher),
    ).rowcount
    for table in ("edit", "known_group"):
        noted += connection.execute(
            f"UPDATE {table} SET consent = replace(consent, ?, ?) WHERE publisher = ?"  # noqa: S608
            " AND instr(consent, ?)",
            (address, forgotten, publisher, address),
        ).rowcount
    return replaced, noted > 0


def record(
    connection: sqlite3.Connection,
    publisher: str,
    names: Mapping[str, str],
    change: GroupChange,
    digester: ChainDigester,
) -> None:
    """Save a write of another store, just as it was. Raises: NotEmpty unless it is the next."""
    revision, _ = _next_revision(connection, publisher)
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
    _save_members(connection, stored.key, change, map(digester.digester.of_recorded, change.added))
    _save_change(connection, replace(change, publisher=publisher))


def kept_secret(connection: sqlite3.Connection, name: str, made: bytes) -> bytes:
    """Keep a secret unless one of the name is there; give the one that is kept."""
    connection.execute("INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, made))
    (kept,) = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
    return bytes(kept)


def _next_revision(connection: sqlite3.Connection, publisher: str) -> tuple[int, str]:
    """Count one on; give the new revision, and the digest of the write before."""
    revision, before = connection.execute(
        "INSERT INTO group_revision (publisher, revision) VALUES (?, 1)"
        " ON CONFLICT (publisher) DO UPDATE SET revision = revision + 1"
        " RETURNING revision, lower(hex(chain))",
        (publisher,),
    ).fetchone()
    return int(revision), str(before)


def _save_members(
    connection: sqlite3.Connection, key: int, change: GroupChange, joined: Iterable[int]
) -> None:
    """Put the members of a group as a write leaves them; joined = digests of those added."""
    rows = zip(change.added, joined, strict=True)
    connection.executemany(
        "INSERT INTO member VALUES (?, ?, ?)",
        ((key, address, _signed(digest)) for address, digest in rows),
    )
    connection.executemany(
        "DELETE FROM member WHERE group_key = ? AND address = ?",
        ((key, one) for one in change.removed),
    )


def _save_change(connection: sqlite3.Connection, change: GroupChange) -> None:
    """Put a write into history, as the publisher's last one."""
    chain = bytes.fromhex(change.chain) or None
    consent = None if change.consent is None else consent_json(change.consent)
    connection.execute(
        "UPDATE group_revision SET chain = ? WHERE publisher = ?", (chain, change.publisher)
    )
    key = connection.execute(
        "INSERT INTO edit (publisher, revision, group_id, at_us, actor, consent, chain)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            change.publisher,
            change.revision,
            change.group_id,
            to_us(change.at),
            text(change.actor),
            consent,
            chain,
        ),
    ).lastrowid
    members = [(key, one, ADDED) for one in change.added]
    members += [(key, one, REMOVED) for one in change.removed]
    connection.executemany("INSERT INTO edit_member VALUES (?, ?, ?)", sorted(members))


def _signed(digest: int) -> int:
    """Give a 64-bit digest as SQLite keeps integers."""
    return digest - (1 << 64) if digest >> 63 else digest

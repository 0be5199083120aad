"""What SqliteGroupStore writes, and its history. Runs in the transaction it is given."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from groups.errors import GroupSizeOutOfRange
from groups.member_set import Digester
from groups.model import MAX_MEMBERS, MIN_MEMBERS, Change, EditResult, Group, name_key
from groups.sqlite_rows import StoredGroup, from_us, text, to_us

_REMOVED, _ADDED = -1, 1
_LARGEST_INTEGER = 2**63 - 1
_CHANGES = (
    "SELECT revision, group_id, at_us, actor, change, address FROM edit"
    " LEFT JOIN edit_member USING (edit_key) WHERE publisher = ? AND {} ORDER BY revision, address"
)


@dataclass(frozen=True, slots=True)
class Delta:
    """Addresses that come and go, and how many were asked for in vain (see EditResult)."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    unknown: int = 0


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
    if not delta.added and not delta.removed:
        return done
    done = replace(done, revision=_next_revision(connection, done.publisher))
    connection.execute(
        "UPDATE known_group SET revision = ?, member_count = ? WHERE group_key = ?",
        (done.revision, done.member_count, stored.key),
    )
    _save_members(connection, stored.key, delta, digester)
    _save_history(connection, done, delta, actor, at)
    return done


def result(before: Group, delta: Delta) -> EditResult:
    """Say what a delta does to a group, without doing it. Raises: GroupSizeOutOfRange."""
    size = before.member_count + len(delta.added) - len(delta.removed)
    if not MIN_MEMBERS <= size <= MAX_MEMBERS:
        raise GroupSizeOutOfRange(before.group_id, size)
    return EditResult(
        publisher=before.publisher,
        group_id=before.group_id,
        revision=before.revision,
        added=len(delta.added),
        removed=len(delta.removed),
        unchanged=delta.unchanged,
        unknown=delta.unknown,
        member_count=size,
    )


def changes_after(
    connection: sqlite3.Connection, publisher: str, revision: int
) -> tuple[Change, ...]:
    """Give the writes after a revision, oldest first."""
    after = min(max(revision, 0), _LARGEST_INTEGER)
    return _changes(connection, publisher, "revision > ?", after)


def changes_from(
    connection: sqlite3.Connection, publisher: str, since: datetime
) -> tuple[Change, ...]:
    """Give the writes at or after a moment, oldest first."""
    return _changes(connection, publisher, "at_us >= ?", to_us(since))


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
        ((key, one, _signed(digester.of(one))) for one in sorted(delta.added)),
    )
    connection.executemany(
        "DELETE FROM member WHERE group_key = ? AND address = ?",
        ((key, one) for one in delta.removed),
    )


def _save_history(
    connection: sqlite3.Connection, done: EditResult, delta: Delta, actor: str, at: datetime
) -> None:
    key = connection.execute(
        "INSERT INTO edit (publisher, revision, group_id, at_us, actor) VALUES (?, ?, ?, ?, ?)",
        (done.publisher, done.revision, done.group_id, to_us(at), text(actor)),
    ).lastrowid
    changes = [(key, one, _ADDED) for one in delta.added]
    changes += [(key, one, _REMOVED) for one in delta.removed]
    connection.executemany("INSERT INTO edit_member VALUES (?, ?, ?)", sorted(changes))


def _changes(
    connection: sqlite3.Connection, publisher: str, condition: str, bound: int
) -> tuple[Change, ...]:
    found = connection.execute(_CHANGES.format(condition), (text(publisher), bound))
    return tuple(
        Change(
            publisher=publisher,
            revision=revision,
            group_id=group_id,
            at=from_us(at_us),
            actor=actor,
            added=tuple(address for change, address in members if change == _ADDED),
            removed=tuple(address for change, address in members if change == _REMOVED),
        )
        for (revision, group_id, at_us, actor), members in _by_edit(found)
    )


def _by_edit(
    found: Iterator[tuple[int, str, int, str, int, str]],
) -> Iterator[tuple[tuple[int, str, int, str], list[tuple[int, str]]]]:
    for head, same in groupby(found, itemgetter(0, 1, 2, 3)):
        yield head, [(change, address) for *_, change, address in same]


def _signed(digest: int) -> int:
    """Give a 64-bit digest as SQLite keeps integers."""
    return digest - (1 << 64) if digest >> 63 else digest

"""Writes groups for SqliteGroupStore, in the transaction of one write."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from groups.chain import ChainDigester
from groups.delta import Delta, new_group, result
from groups.errors import NotEmpty, UnknownGroup
from groups.model import Consent, EditResult, Group, GroupChange, name_key
from groups.model import storable as text
from groups.moments import from_us, to_us
from groups.sqlite.rows import StoredGroup, consent_json, group

REMOVED, ADDED = -1, 1
"""Values of the column edit_member.change."""


@dataclass(slots=True)
class GroupTransaction:
    """An open transaction on a publisher's groups. clock: now. digester: of the audit trail."""

    connection: sqlite3.Connection
    publisher: str
    clock: datetime
    digester: ChainDigester

    def create(self, group_id: str, name: str, at: datetime) -> StoredGroup:
        """Insert a group without members; the caller must add members with `apply`."""
        new = new_group(self.publisher, group_id, name, at)
        key = self.connection.execute(
            "INSERT INTO known_group (publisher, group_id, name, name_key, created_at_us, revision,"
            " member_count) VALUES (?, ?, ?, ?, ?, 0, 0)",
            (self.publisher, group_id, name, name_key(name), to_us(at)),
        ).lastrowid
        return StoredGroup(self.connection, key or 0, new)

    def moment(self) -> datetime:
        """Return the time of a write: now, or that of the publisher's last write if it is later.

        So a later revision never has an earlier time, and each past time belongs to one revision.
        """
        (last_us,) = self.connection.execute(
            "SELECT max(at_us) FROM edit WHERE publisher = ?", (text(self.publisher),)
        ).fetchone()
        return self.clock if last_us is None else max(self.clock, from_us(last_us))

    def apply(self, stored: StoredGroup, delta: Delta, actor: str) -> EditResult:
        """Save a delta as the next revision, unless it is empty. Raises: GroupSizeOutOfRange."""
        edited = result(stored.group, delta)
        if not delta:
            return edited
        change, before = self._next(edited.group_id, actor, edited.joined, edited.left)
        self.connection.execute(
            "UPDATE known_group SET revision = ?, member_count = ? WHERE group_key = ?",
            (change.revision, edited.member_count, stored.key),
        )
        digest = self.digester.digester.of_recorded
        joined, left = list(map(digest, change.added)), list(map(digest, change.removed))
        self._save_members(stored.key, change, joined)
        chain = self.digester.of_change(before, change, (joined, left))
        self._save_change(replace(change, chain=chain))
        return replace(edited, revision=change.revision)

    def note_consent(self, stored: StoredGroup, consent: Consent, actor: str) -> Group:
        """Save a consent note as the next revision; do nothing if the group has the same note."""
        if stored.group.consent == consent:
            return stored.group
        change, before = self._next(stored.group.group_id, actor, consent=consent)
        self.connection.execute(
            "UPDATE known_group SET revision = ?, consent = ? WHERE group_key = ?",
            (change.revision, consent_json(consent), stored.key),
        )
        self._save_change(replace(change, chain=self.digester.of_change(before, change)))
        return replace(stored.group, revision=change.revision, consent=consent)

    def forget(self, address: str, forgotten: str) -> tuple[int, bool]:
        """Replace an address in history and notes. Returns: entries with it, if a note had it."""
        publisher, noted = text(self.publisher), 0
        replaced = self.connection.execute(
            "UPDATE edit_member SET address = ? WHERE address = ?"
            " AND edit_key IN (SELECT edit_key FROM edit WHERE publisher = ?)",
            (forgotten, address, publisher),
        ).rowcount
        for table in ("edit", "known_group"):
            noted += self.connection.execute(
                f"UPDATE {table} SET consent = replace(consent, ?, ?) WHERE publisher = ?"  # noqa: S608
                " AND instr(consent, ?)",
                (address, forgotten, publisher, address),
            ).rowcount
        return replaced, noted > 0

    def record(self, names: Mapping[str, str], change: GroupChange) -> None:
        """Copy a write of another store unchanged. Raises: NotEmpty unless it has the next revision."""
        publisher = self.publisher
        revision, _ = self._next_revision()
        NotEmpty.unless_next(f"publisher `{publisher}`", revision - 1, change.revision)
        try:
            stored = group(self.connection, publisher, change.group_id)
        except UnknownGroup:
            stored = self.create(change.group_id, names[change.group_id], change.at)
        size = stored.group.member_count + len(change.added) - len(change.removed)
        self.connection.execute(
            "UPDATE known_group SET revision = ?, member_count = ?, consent = coalesce(?, consent)"
            " WHERE group_key = ?",
            (revision, size, consent_json(change.consent), stored.key),
        )
        joined = map(self.digester.digester.of_recorded, change.added)
        self._save_members(stored.key, change, joined)
        self._save_change(replace(change, publisher=publisher))

    def _next(
        self,
        group_id: str,
        actor: str,
        added: tuple[str, ...] = (),
        removed: tuple[str, ...] = (),
        consent: Consent | None = None,
    ) -> tuple[GroupChange, str]:
        """Build the publisher's next write. Return it and the digest of the previous write."""
        at = self.moment()
        revision, before = self._next_revision()
        change = GroupChange(
            publisher=self.publisher,
            revision=revision,
            group_id=group_id,
            at=at,
            actor=actor,
            added=added,
            removed=removed,
            consent=consent,
        )
        return change, before

    def _next_revision(self) -> tuple[int, str]:
        """Increase the revision by one. Return it and the digest of the previous write."""
        revision, before = self.connection.execute(
            "INSERT INTO group_revision (publisher, revision) VALUES (?, 1)"
            " ON CONFLICT (publisher) DO UPDATE SET revision = revision + 1"
            " RETURNING revision, lower(hex(chain))",
            (self.publisher,),
        ).fetchone()
        return int(revision), str(before)

    def _save_members(self, key: int, change: GroupChange, joined: Iterable[int]) -> None:
        """Update the members of a group. Args: joined = digests of the addresses in change.added."""
        rows = zip(change.added, joined, strict=True)
        self.connection.executemany(
            "INSERT INTO member VALUES (?, ?, ?)",
            ((key, address, _signed(digest)) for address, digest in rows),
        )
        self.connection.executemany(
            "DELETE FROM member WHERE group_key = ? AND address = ?",
            ((key, address) for address in change.removed),
        )

    def _save_change(self, change: GroupChange) -> None:
        """Append a write to history, as the publisher's last write."""
        chain = bytes.fromhex(change.chain) or None
        self.connection.execute(
            "UPDATE group_revision SET chain = ? WHERE publisher = ?", (chain, change.publisher)
        )
        key = self.connection.execute(
            "INSERT INTO edit (publisher, revision, group_id, at_us, actor, consent, chain)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                change.publisher,
                change.revision,
                change.group_id,
                to_us(change.at),
                text(change.actor),
                consent_json(change.consent),
                chain,
            ),
        ).lastrowid
        members = [(key, address, ADDED) for address in change.added]
        members += [(key, address, REMOVED) for address in change.removed]
        self.connection.executemany("INSERT INTO edit_member VALUES (?, ?, ?)", sorted(members))


def kept_secret(connection: sqlite3.Connection, name: str, new: bytes) -> bytes:
    """Store `new` unless a secret with that name is stored. Return the stored secret."""
    connection.execute("INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, new))
    (kept,) = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
    return bytes(kept)


def _signed(digest: int) -> int:
    """Convert a 64-bit digest to a signed integer, because SQLite has no unsigned integers."""
    return digest - (1 << 64) if digest >> 63 else digest

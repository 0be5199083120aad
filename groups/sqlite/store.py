"""GroupStore in a SQLite file, the default, which needs no server. Tables: schema.py."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial

from groups.backend import GroupBackend, MemberQuery, WriteTarget
from groups.chain import Trail
from groups.delta import Delta, EditRequest, Forgetting, ReplaceRequest, result
from groups.errors import GroupExists, UnknownGroup
from groups.member_set import MemberSet
from groups.model import (
    Consent,
    EditResult,
    ForgetResult,
    Group,
    GroupChange,
    Head,
    PastMemberships,
    check_limit,
    storable,
)
from groups.sqlite import history as past
from groups.sqlite import rows
from groups.sqlite.edits import GroupTransaction, kept_secret
from groups.sqlite.schema import GROUPS_PART
from groups.storage.sqlite_database import Database
from groups.storage.sqlite_trail import SqliteTrail


class SqliteGroupStore(GroupBackend):
    """Implements GroupStore, which documents the methods. Other stores may use the same database."""

    def __init__(self, database: Database) -> None:
        """Create the tables or migrate them to the newest layout. Args: database = open."""
        super().__init__()
        self._database = database
        database.migrate(GROUPS_PART)

    def get(self, publisher: str, group_id: str) -> Group:
        with self._database.read() as connection:
            return rows.group(connection, publisher, group_id).group

    def group_ids(self, publisher: str) -> frozenset[str]:
        with self._database.read() as connection:
            return rows.group_ids(connection, publisher)

    def publishers(self) -> tuple[str, ...]:
        with self._database.read() as connection:
            return rows.publishers(connection)

    def member_sets(
        self, publisher: str, group_ids: Collection[str]
    ) -> tuple[Head, dict[str, MemberSet]]:
        with self._database.read() as connection:
            keys = rows.group_keys(connection, publisher, group_ids)
            for group_id in sorted(set(group_ids).difference(keys)):
                raise UnknownGroup(publisher, group_id)
            sets = {name: rows.member_set(connection, key) for name, key in keys.items()}
            return Head(rows.revision(connection, publisher)), sets

    def revision(self, publisher: str) -> int:
        with self._database.read() as connection:
            return rows.revision(connection, publisher)

    def memberships_at(
        self, publisher: str, group_ids: Collection[str], addresses: Collection[str], at: datetime
    ) -> PastMemberships:
        with self._database.read() as connection:
            return past.memberships_at(connection, publisher, group_ids, addresses, at)

    def changes_since(
        self,
        publisher: str,
        revision: int,
        write_id: str = "",  # noqa: ARG002 - not needed: a file loses no writes
        *,
        limit: int | None = None,
    ) -> tuple[GroupChange, ...]:
        check_limit(limit)
        with self._database.read() as connection:
            return past.changes_after(connection, publisher, revision, limit)

    def recent_changes(self, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
        with self._database.read() as connection:
            return past.changes_from(connection, publisher, since)

    def change_token(self, publisher: str) -> int:  # noqa: ARG002 - one token for all
        return self._database.change_token()

    def last_look(self, publisher: str) -> tuple[int, datetime]:  # noqa: ARG002
        return self._database.last_look()

    def catch_up(self, publisher: str) -> None:  # noqa: ARG002
        self._database.catch_up()

    def record(
        self, publisher: str, names: Mapping[str, str], changes: Sequence[GroupChange]
    ) -> None:
        with self._write(publisher) as write:
            for change in changes:
                write.record(names, change)

    def trails(self) -> tuple[str, ...]:
        with self._database.read() as connection:
            return rows.with_anything(connection)

    def trail(self, publisher: str) -> Trail[GroupChange]:
        extent = past.EXTENT, {"publisher": storable(publisher)}
        read = partial(past.kept_between, publisher)
        return SqliteTrail(self._database, extent, read, self._expected)

    def close(self) -> None:
        """Close the database, also for the other stores that use it."""
        self._database.close()

    def _create(self, target: WriteTarget, name: str, delta: Delta) -> EditResult:
        with self._write(target.publisher) as write:
            taken = rows.taken(write.connection, target.publisher, target.group_id, name)
            if taken is not None:
                raise GroupExists(target.publisher, taken)
            group = write.create(target.group_id, name, write.moment())
            return write.apply(group, delta, target.actor)

    def _groups_after(self, publisher: str, cursor: str, count: int) -> list[Group]:
        with self._database.read() as connection:
            return rows.groups_after(connection, publisher, cursor, count)

    def _members_after(self, query: MemberQuery) -> list[str]:
        with self._database.read() as connection:
            stored = rows.group(connection, query.publisher, query.group_id)
            if query.at is None:
                return rows.members_after(stored, query)
            return past.members_at(connection, query, query.at)

    def _change(self, target: WriteTarget, request: EditRequest | ReplaceRequest) -> EditResult:
        def read(connection: sqlite3.Connection) -> tuple[rows.StoredGroup, Delta]:
            stored = _stored(connection, target)
            return stored, request.delta(rows.present(stored, request.concerned))

        if target.dry_run:
            with self._database.read() as connection:
                stored, delta = read(connection)
            return result(stored.group, delta)
        with self._write(target.publisher) as write:
            return write.apply(*read(write.connection), target.actor)

    def _note_consent(self, target: WriteTarget, consent: Consent) -> Group:
        with self._write(target.publisher) as write:
            return write.note_consent(_stored(write.connection, target), consent, target.actor)

    def _changes_before(
        self, publisher: str, revision: int, group_id: str | None, about: str | None, count: int
    ) -> list[GroupChange]:
        with self._database.read() as connection:
            if group_id is not None:
                rows.group(connection, publisher, group_id)
            return past.page(connection, publisher, group_id, about, revision, count)

    def _forget(self, request: Forgetting, actor: str, dry_run: bool) -> ForgetResult:
        if dry_run:
            with self._database.read() as connection:
                return _uses(connection, request)[1]
        with self._write(request.publisher) as write:
            stored, planned = _uses(write.connection, request)
            for row in stored:
                joining = request.joining(row.group.group_id, planned.emptied)
                write.apply(row, Delta(joining, (request.address,)), actor)
            entries, noted = write.forget(request.address, request.digest)
            concerned = noted or past.mentions(write.connection, request.publisher, request.digest)
        if concerned:  # or if an earlier forgetting was interrupted before it wiped the file
            self._database.wipe()
        return replace(planned, history=entries)

    def _secret(self) -> bytes | None:
        with self._database.read() as connection:
            return rows.secret(connection, "digest_key")

    def _kept_secret(self, new: bytes) -> bytes:
        with self._database.write() as connection:
            return kept_secret(connection, "digest_key", new)

    @contextmanager
    def _write(self, publisher: str) -> Iterator[GroupTransaction]:
        """Yield a transaction for a publisher's groups; save it at the end unless the block raises."""
        digester = self.chain_digester()  # may write a new secret: needs its own transaction
        with self._database.write() as connection:
            yield GroupTransaction(connection, publisher, self._database.clock(), digester)


def _stored(connection: sqlite3.Connection, target: WriteTarget) -> rows.StoredGroup:
    return rows.group(connection, target.publisher, target.group_id, target.if_revision)


def _uses(
    connection: sqlite3.Connection, request: Forgetting
) -> tuple[list[rows.StoredGroup], ForgetResult]:
    """Find the groups that list a person. Return them and what forgetting the person would do."""
    publisher, address = request.publisher, request.address
    group_ids = rows.groups_with(connection, publisher, address)
    stored = [rows.group(connection, publisher, group_id) for group_id in group_ids]
    planned = ForgetResult(
        publisher=publisher,
        groups=tuple(group_ids),
        emptied=tuple(row.group.group_id for row in stored if row.group.member_count == 1),
        history=past.mentions(connection, publisher, address),
    )
    return stored, planned

"""GroupStore in a SQLite file: the embedded default. Tables: schema.py."""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from operator import attrgetter

from groups import emails as addresses
from groups.chain import ChainDigester, Trail
from groups.delta import Delta, EditRequest, forgetting, replacing, result
from groups.errors import (
    GroupExists,
    NotEmpty,
    UnknownGroup,
    WouldBeEmpty,
)
from groups.member_set import MemberSet
from groups.model import (
    Consent,
    EditResult,
    ForgetResult,
    Group,
    GroupChange,
    Head,
    MembershipEdit,
    Page,
    PastMemberships,
    check_consent,
    check_group_id,
    check_limit,
    check_name,
    check_publisher,
    page_of,
    revision_before,
    slug,
    storable,
)
from groups.sqlite import history as past
from groups.sqlite import rows
from groups.sqlite.edits import GroupTransaction, kept_secret
from groups.sqlite.rows import StoredGroup
from groups.sqlite.schema import GROUPS_PART
from groups.storage.sqlite_database import Database
from groups.storage.sqlite_trail import SqliteTrail
from groups.store import GroupStore

DIGEST_KEY_BYTES = 32


class SqliteGroupStore(GroupStore):
    """See GroupStore for what the methods promise. The database may hold other parts as well."""

    def __init__(self, database: Database) -> None:
        """Take an open database; the tables are made or brought up to date."""
        self._database = database
        self.chain_digester = cache(lambda: ChainDigester(self.digest_key()))
        database.migrate(GROUPS_PART)

    def create(
        self,
        publisher: str,
        name: str,
        emails: Iterable[str],
        *,
        group_id: str | None = None,
        actor: str,
    ) -> EditResult:
        check_publisher(publisher)
        name = check_name(name)
        new_id = slug(name) if group_id is None else check_group_id(group_id)
        delta = Delta(added=addresses.parse(emails, loc="emails"))
        digester = self.chain_digester()
        with self._database.write() as connection:
            taken = rows.taken(connection, publisher, new_id, name)
            if taken is not None:
                raise GroupExists(publisher, taken)
            write = GroupTransaction(connection, publisher, self._database.clock(), digester)
            group = write.create(new_id, name, write.moment())
            return write.apply(group, delta, actor)

    def get(self, publisher: str, group_id: str) -> Group:
        with self._database.read() as connection:
            return rows.group(connection, publisher, group_id).group

    def list_groups(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Group]:
        check_limit(limit)
        with self._database.read() as connection:
            groups = rows.groups_after(connection, publisher, cursor or "", limit + 1)
        return page_of(groups, limit, attrgetter("group_id"))

    def group_ids(self, publisher: str) -> frozenset[str]:
        with self._database.read() as connection:
            return rows.group_ids(connection, publisher)

    def publishers(self) -> tuple[str, ...]:
        with self._database.read() as connection:
            return rows.publishers(connection)

    def members(
        self,
        publisher: str,
        group_id: str,
        *,
        cursor: str | None = None,
        prefix: str = "",
        at: datetime | None = None,
        limit: int = 1000,
    ) -> Page[str]:
        check_limit(limit)
        after = cursor or ""
        with self._database.read() as connection:
            key = rows.group(connection, publisher, group_id).key
            if at is None:
                members = rows.members_after(connection, key, after, prefix, limit + 1)
            else:
                members = past.members_at(
                    connection, publisher, group_id, at, after, prefix, limit + 1
                )
        return page_of(members, limit, str)

    def edit(
        self,
        publisher: str,
        group_id: str,
        edit: MembershipEdit,
        *,
        actor: str,
        if_revision: int | None = None,
        dry_run: bool = False,
    ) -> EditResult:
        wanted = EditRequest.read(edit)

        def delta(stored: StoredGroup) -> Delta:
            return wanted.delta(rows.present(stored, (*wanted.add, *wanted.remove)))

        return self._change(publisher, group_id, delta, actor, if_revision, dry_run)

    def replace(
        self,
        publisher: str,
        group_id: str,
        emails: Iterable[str],
        *,
        actor: str,
        if_revision: int | None = None,
        dry_run: bool = False,
    ) -> EditResult:
        wanted = addresses.parse(emails, loc="emails")

        def delta(stored: StoredGroup) -> Delta:
            return replacing(wanted, rows.all_members(stored))

        return self._change(publisher, group_id, delta, actor, if_revision, dry_run)

    def set_consent(
        self,
        publisher: str,
        group_id: str,
        consent: Consent,
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> Group:
        consent, digester = check_consent(consent), self.chain_digester()
        with self._database.write() as connection:
            stored = rows.group(connection, publisher, group_id, if_revision)
            write = GroupTransaction(connection, publisher, self._database.clock(), digester)
            return write.note_consent(stored, consent, actor)

    def history(
        self,
        publisher: str,
        *,
        group_id: str | None = None,
        address: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Page[GroupChange]:
        check_limit(limit)
        about = None if address is None else addresses.canonical(address)
        before = revision_before(cursor)
        with self._database.read() as connection:
            if group_id is not None:
                rows.group(connection, publisher, group_id)
            changes = past.page(connection, publisher, group_id, about, before, limit + 1)
        return page_of(changes, limit, lambda change: str(change.revision))

    def memberships_at(
        self, publisher: str, group_ids: Collection[str], addresses: Collection[str], at: datetime
    ) -> PastMemberships:
        with self._database.read() as connection:
            return past.memberships_at(connection, publisher, group_ids, addresses, at)

    def forget(
        self,
        publisher: str,
        address: str,
        *,
        actor: str,
        replacement: str | None = None,
        dry_run: bool = False,
    ) -> ForgetResult:
        gone, instead = forgetting(address, replacement)
        digester = self.chain_digester()
        with self._database.read() if dry_run else self._database.write() as connection:
            listed = rows.groups_with(connection, publisher, gone)
            stored = [rows.group(connection, publisher, group_id) for group_id in listed]
            emptied = [row.group.group_id for row in stored if row.group.member_count == 1]
            planned = ForgetResult(
                publisher=publisher,
                groups=tuple(listed),
                emptied=tuple(emptied),
                history=past.mentions(connection, publisher, gone),
            )
            if dry_run:
                return planned
            if emptied and not instead:
                raise WouldBeEmpty([f"{publisher}/{group_id}" for group_id in emptied])
            write = GroupTransaction(connection, publisher, self._database.clock(), digester)
            for row in stored:
                joining = instead if row.group.group_id in emptied else ()
                write.apply(row, Delta(joining, (gone,)), actor)
            forgotten = digester.digester.forgotten(gone)
            entries, noted = write.forget(gone, forgotten)
            concerned = noted or past.mentions(connection, publisher, forgotten)
        if concerned:  # also where an earlier forgetting was cut off before it could wipe
            self._database.wipe()
        return replace(planned, history=entries)

    def revision(self, publisher: str) -> int:
        with self._database.read() as connection:
            return rows.revision(connection, publisher)

    def member_set(self, publisher: str, group_id: str) -> tuple[Head, MemberSet]:
        head, sets = self.member_sets(publisher, (group_id,))
        return head, sets[group_id]

    def member_sets(
        self, publisher: str, group_ids: Collection[str]
    ) -> tuple[Head, dict[str, MemberSet]]:
        with self._database.read() as connection:
            keys = rows.group_keys(connection, publisher, group_ids)
            for group_id in sorted(set(group_ids).difference(keys)):
                raise UnknownGroup(publisher, group_id)
            sets = {name: rows.member_set(connection, key) for name, key in keys.items()}
            return Head(rows.revision(connection, publisher)), sets

    def changes_since(
        self,
        publisher: str,
        revision: int,
        write_id: str = "",  # noqa: ARG002 - a file loses no write
        *,
        limit: int | None = None,
    ) -> tuple[GroupChange, ...]:
        if limit is not None:
            check_limit(limit)
        with self._database.read() as connection:
            return past.changes_after(connection, publisher, revision, limit)

    def recent_changes(self, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
        with self._database.read() as connection:
            return past.changes_from(connection, publisher, since)

    def digest_key(self) -> bytes:
        with self._database.read() as connection:
            key = rows.secret(connection, "digest_key")
        if key is None:
            with self._database.write() as connection:
                new = secrets.token_bytes(DIGEST_KEY_BYTES)
                key = kept_secret(connection, "digest_key", new)
        return key

    def change_token(self, publisher: str) -> int:  # noqa: ARG002 - one file, one token
        return self._database.change_token()

    def last_look(self, publisher: str) -> tuple[int, datetime]:  # noqa: ARG002
        return self._database.last_look()

    def catch_up(self, publisher: str) -> None:  # noqa: ARG002
        self._database.catch_up()

    def adopt_digest_key(self, key: bytes) -> None:
        with self._database.write() as connection:
            if kept_secret(connection, "digest_key", key) != key:
                raise NotEmpty("the store has a secret of its own already: copy into an empty one")

    def record(
        self, publisher: str, names: Mapping[str, str], changes: Sequence[GroupChange]
    ) -> None:
        digester = self.chain_digester()
        with self._database.write() as connection:
            write = GroupTransaction(connection, publisher, self._database.clock(), digester)
            for change in changes:
                write.record(names, change)

    def close(self) -> None:
        """Close the database, also for its other parts."""
        self._database.close()

    def trails(self) -> tuple[str, ...]:
        with self._database.read() as connection:
            return rows.with_anything(connection)

    def trail(self, publisher: str) -> Trail[GroupChange]:
        def expected(before: str, entry: GroupChange) -> str:
            return self.chain_digester().of_recorded(before, entry)

        extent = past.EXTENT, {"publisher": storable(publisher)}
        read = partial(past.kept_between, publisher)
        return SqliteTrail(self._database, extent, read, expected)

    def _change(
        self,
        publisher: str,
        group_id: str,
        delta: Callable[[StoredGroup], Delta],
        actor: str,
        if_revision: int | None,
        dry_run: bool,
    ) -> EditResult:
        digester = self.chain_digester()
        with self._database.read() if dry_run else self._database.write() as connection:
            stored = rows.group(connection, publisher, group_id, if_revision)
            wanted = delta(stored)
            if dry_run:
                return result(stored.group, wanted)
            write = GroupTransaction(connection, publisher, self._database.clock(), digester)
            return write.apply(stored, wanted, actor)

"""GroupStore on Redis, Valkey and their clusters. Keys: redis_keys.py; bytes: packed.py."""

import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from itertools import islice
from operator import attrgetter
from typing import TypeVar

from groups import emails as addresses
from groups.chain import ChainDigester, Trail
from groups.delta import Delta, EditRequest, replacing, result
from groups.errors import GroupExists, NotEmpty
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
from groups.redis import forget as forgetting
from groups.redis import history as past
from groups.redis import packed, reads
from groups.redis.writes import CommandBatch
from groups.storage.redis_chain import RedisTrail, until_saved
from groups.storage.redis_server import RedisServer
from groups.store import GroupStore

DIGEST_KEY_BYTES = 32
T = TypeVar("T")


class RedisGroupStore(GroupStore):
    """See GroupStore for what the methods promise. The server may hold other parts as well."""

    def __init__(self, server: RedisServer) -> None:
        """Take an open server."""
        self._server = server
        self.chain_digester = cache(lambda: ChainDigester(self.digest_key()))

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

        def create(batch: CommandBatch) -> EditResult:
            taken = reads.taken(self._server, publisher, new_id, name)
            if taken is not None:
                raise GroupExists(publisher, taken)
            return batch.create(new_id, name, delta, actor)

        return self._write(publisher, create)

    def get(self, publisher: str, group_id: str) -> Group:
        return reads.group(self._server, publisher, group_id)

    def list_groups(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Group]:
        check_limit(limit)
        groups = reads.groups_after(self._server, publisher, cursor or "", limit + 1)
        return page_of(groups, limit, attrgetter("group_id"))

    def group_ids(self, publisher: str) -> frozenset[str]:
        return frozenset(reads.group_ids(self._server, publisher))

    def publishers(self) -> tuple[str, ...]:
        return self._server.publishers_with(self._server.keys.publishers, "groups")

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
        head, state = reads.state(self._server, publisher, group_id)
        members = list(state.members)
        if at is not None:
            members = past.members_at(self._server, publisher, group_id, at, members, head.revision)
        start = prefix.lower()
        first = max(bisect_right(members, storable(cursor or "")), bisect_left(members, start))
        end = first + limit
        more = len(members) > end and members[end].startswith(start)
        items = tuple(address for address in members[first:end] if address.startswith(start))
        return Page(items=items, next_cursor=items[-1] if more else None)

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
        return self._change(publisher, group_id, wanted.delta, actor, if_revision, dry_run)

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

        def delta(present: frozenset[str]) -> Delta:
            return replacing(wanted, present)

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
        consent = check_consent(consent)

        def note(batch: CommandBatch) -> Group:
            _, state = reads.state(self._server, publisher, group_id, if_revision)
            return batch.note_consent(state, consent, actor)

        return self._write(publisher, note)

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
        if group_id is not None:
            reads.group(self._server, publisher, group_id)
        changes = past.newest_first(self._server, publisher, group_id, before)
        if about is not None:
            changes = past.about(changes, about)
        read = tuple(islice(changes, limit + 1))
        return page_of(read, limit, lambda change: str(change.revision))

    def memberships_at(
        self, publisher: str, group_ids: Collection[str], addresses: Collection[str], at: datetime
    ) -> PastMemberships:
        return past.memberships_at(self._server, publisher, group_ids, addresses, at)

    def forget(
        self,
        publisher: str,
        address: str,
        *,
        actor: str,
        replacement: str | None = None,
        dry_run: bool = False,
    ) -> ForgetResult:
        digester = self.chain_digester()
        request = forgetting.ForgetRequestData.read(
            publisher, address, replacement, digester.digester
        )

        def attempt() -> ForgetResult | None:
            uses = forgetting.find(self._server, request)
            if dry_run:
                return uses.result
            batch = forgetting.write(self._server, request, uses, actor, digester)
            if batch.commands and not forgetting.commit(self._server, uses, batch):
                return None
            return forgetting.done(request, uses, batch)

        return until_saved(attempt, f"`{publisher}`")

    def revision(self, publisher: str) -> int:
        return past.chain(self._server, publisher).head().revision

    def member_set(self, publisher: str, group_id: str) -> tuple[Head, MemberSet]:
        head, sets = self.member_sets(publisher, (group_id,))
        return head, sets[group_id]

    def member_sets(
        self, publisher: str, group_ids: Collection[str]
    ) -> tuple[Head, dict[str, MemberSet]]:
        head, members = reads.members_of(self._server, publisher, sorted(set(group_ids)))
        digests = self.chain_digester().digester.of_all
        sets = {group_id: MemberSet.of(digests(some)) for group_id, some in members.items()}
        return Head(head.revision, head.write_id), sets

    def change_token(self, publisher: str) -> int:
        return self._server.feed.change_token(publisher)

    def last_look(self, publisher: str) -> tuple[int, datetime]:
        return self._server.feed.last_look(publisher)

    def catch_up(self, publisher: str) -> None:
        self._server.feed.catch_up(publisher)

    def changes_since(
        self, publisher: str, revision: int, write_id: str = "", *, limit: int | None = None
    ) -> tuple[GroupChange, ...]:
        if limit is not None:
            check_limit(limit)
        return past.changes_after(self._server, publisher, revision, write_id, limit)

    def recent_changes(self, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
        return past.changes_from(self._server, publisher, since)

    def digest_key(self) -> bytes:
        server = self._server
        key = server.call("GET", server.keys.secret)
        if key is None:
            server.call("SET", server.keys.secret, secrets.token_bytes(DIGEST_KEY_BYTES), "NX")
            key = server.call("GET", server.keys.secret)
        return bytes(key)

    def adopt_digest_key(self, key: bytes) -> None:
        if not self.publishers():
            self._server.call("SET", self._server.keys.secret, key, "NX")
        if self.digest_key() != key:
            raise NotEmpty("the store has a secret of its own already: copy into an empty one")

    def record(
        self, publisher: str, names: Mapping[str, str], changes: Sequence[GroupChange]
    ) -> None:
        def record(batch: CommandBatch) -> bool:
            concerned = {change.group_id for change in changes}
            _, known = reads.states(self._server, publisher, sorted(concerned))
            for change in changes:
                batch.record(known, names, change)
            return True

        self._write(publisher, record)

    def close(self) -> None:
        """Let go of the server, also for its other parts."""
        self._server.close()

    def trails(self) -> tuple[str, ...]:
        return self._server.publishers(self._server.keys.publishers)

    def trail(self, publisher: str) -> Trail[GroupChange]:
        def expected(before: str, entry: GroupChange) -> str:
            return self.chain_digester().of_recorded(before, entry)

        chain = past.chain(self._server, publisher)
        return RedisTrail(chain, partial(packed.change, publisher), expected)

    def _change(
        self,
        publisher: str,
        group_id: str,
        delta: Callable[[frozenset[str]], Delta],
        actor: str,
        if_revision: int | None,
        dry_run: bool,
    ) -> EditResult:
        def change(batch: CommandBatch) -> EditResult:
            _, state = reads.state(self._server, publisher, group_id, if_revision)
            wanted = delta(frozenset(state.members))
            if dry_run:
                return result(state.group, wanted)
            return batch.edit(state, wanted, actor)

        return self._write(publisher, change)

    def _write(self, publisher: str, work_out: Callable[[CommandBatch], T]) -> T:
        """Work a write out and save it; again as long as others come first.

        The head is read before anything else, so that the write is refused if anything changed since.
        """
        server, digester = self._server, self.chain_digester()

        def attempt() -> T | None:
            before = past.chain(server, publisher).head()
            batch = CommandBatch(server.keys, publisher, before, server.clock(), digester)
            answer = work_out(batch)
            return answer if not batch.commands or reads.saved(server, batch) else None

        return until_saved(attempt, f"`{publisher}`")

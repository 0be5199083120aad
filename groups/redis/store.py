"""GroupStore on Redis, Valkey and their clusters. Keys: redis_keys.py; bytes: packed.py."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeVar

from groups.backend import GroupBackend, MemberQuery, WriteTarget
from groups.chain import Trail
from groups.delta import Delta, EditRequest, Forgetting, ReplaceRequest, result
from groups.errors import GroupExists
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
from groups.redis import forget as forgetting
from groups.redis import history as past
from groups.redis import packed, reads
from groups.redis.writes import CommandBatch, GroupState
from groups.storage.redis_chain import RedisTrail, until_saved
from groups.storage.redis_server import RedisServer

T = TypeVar("T")


class RedisGroupStore(GroupBackend):
    """Implements GroupStore, which documents the methods. Other stores may use the same server."""

    def __init__(self, server: RedisServer) -> None:
        """Args: server = open; `close` closes it."""
        super().__init__()
        self._server = server

    def get(self, publisher: str, group_id: str) -> Group:
        return reads.group(self._server, publisher, group_id)

    def group_ids(self, publisher: str) -> frozenset[str]:
        return frozenset(reads.group_ids(self._server, publisher))

    def publishers(self) -> tuple[str, ...]:
        return self._server.publishers_with(self._server.keys.publishers, "groups")

    def member_sets(
        self, publisher: str, group_ids: Collection[str]
    ) -> tuple[Head, dict[str, MemberSet]]:
        head, known = reads.existing(self._server, publisher, sorted(set(group_ids)))
        digests = self.chain_digester().digester.of_all
        sets = {name: MemberSet.of(digests(state.members)) for name, state in known.items()}
        return Head(head.revision, head.write_id), sets

    def revision(self, publisher: str) -> int:
        return past.chain(self._server, publisher).head().revision

    def memberships_at(
        self, publisher: str, group_ids: Collection[str], addresses: Collection[str], at: datetime
    ) -> PastMemberships:
        return past.memberships_at(self._server, publisher, group_ids, addresses, at)

    def changes_since(
        self, publisher: str, revision: int, write_id: str = "", *, limit: int | None = None
    ) -> tuple[GroupChange, ...]:
        check_limit(limit)
        return past.changes_after(self._server, publisher, revision, write_id, limit)

    def recent_changes(self, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
        return past.changes_from(self._server, publisher, since)

    def change_token(self, publisher: str) -> int:
        return self._server.feed.change_token(publisher)

    def last_look(self, publisher: str) -> tuple[int, datetime]:
        return self._server.feed.last_look(publisher)

    def catch_up(self, publisher: str) -> None:
        self._server.feed.catch_up(publisher)

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

    def trails(self) -> tuple[str, ...]:
        return self._server.publishers(self._server.keys.publishers)

    def trail(self, publisher: str) -> Trail[GroupChange]:
        chain = past.chain(self._server, publisher)
        return RedisTrail(chain, partial(packed.change, publisher), self._expected)

    def close(self) -> None:
        """Close the server, also for the other stores that use it."""
        self._server.close()

    def _create(self, target: WriteTarget, name: str, delta: Delta) -> EditResult:
        def create(batch: CommandBatch) -> EditResult:
            taken = reads.taken(self._server, target.publisher, target.group_id, name)
            if taken is not None:
                raise GroupExists(target.publisher, taken)
            return batch.create(target.group_id, name, delta, target.actor)

        return self._write(target.publisher, create)

    def _groups_after(self, publisher: str, cursor: str, count: int) -> list[Group]:
        return reads.groups_after(self._server, publisher, cursor, count)

    def _members_after(self, query: MemberQuery) -> list[str]:
        head, state = reads.state(self._server, query.publisher, query.group_id)
        members = list(state.members)
        if query.at is not None:
            members = past.members_at(self._server, state, query.at, head.revision)
        cursor, prefix = storable(query.cursor), query.prefix
        first = max(bisect_right(members, cursor), bisect_left(members, prefix))
        some = members[first : first + query.count]
        return [address for address in some if address.startswith(prefix)]

    def _change(self, target: WriteTarget, request: EditRequest | ReplaceRequest) -> EditResult:
        def change(batch: CommandBatch) -> EditResult:
            state = self._state(target)
            delta = request.delta(frozenset(state.members))
            if target.dry_run:
                return result(state.group, delta)
            return batch.edit(state, delta, target.actor)

        return self._write(target.publisher, change)

    def _note_consent(self, target: WriteTarget, consent: Consent) -> Group:
        def note(batch: CommandBatch) -> Group:
            return batch.note_consent(self._state(target), consent, target.actor)

        return self._write(target.publisher, note)

    def _changes_before(
        self, publisher: str, revision: int, group_id: str | None, about: str | None, count: int
    ) -> list[GroupChange]:
        if group_id is not None:
            reads.group(self._server, publisher, group_id)
        changes = past.newest_first(self._server, publisher, group_id, revision)
        if about is not None:
            changes = past.about(changes, about)
        return list(islice(changes, count))

    def _forget(self, request: Forgetting, actor: str, dry_run: bool) -> ForgetResult:
        server, digester = self._server, self.chain_digester()

        def attempt() -> ForgetResult | None:
            uses = forgetting.find(server, request)
            if dry_run:
                return uses.result
            return forgetting.forgotten(server, request, uses, actor, digester)

        return until_saved(attempt, f"`{request.publisher}`")

    def _secret(self) -> bytes | None:
        key: bytes | None = self._server.call("GET", self._server.keys.secret)
        return key

    def _kept_secret(self, new: bytes) -> bytes:
        self._server.call("SET", self._server.keys.secret, new, "NX")
        return bytes(self._server.call("GET", self._server.keys.secret))

    def _state(self, target: WriteTarget) -> GroupState:
        return reads.state(self._server, target.publisher, target.group_id, target.if_revision)[1]

    def _write(self, publisher: str, work_out: Callable[[CommandBatch], T]) -> T:
        """Compute a write and save it. If another write was saved first, compute it again.

        The head is read before anything else, so that saving fails if anything changed since then.
        """
        server, digester = self._server, self.chain_digester()
        chain = past.chain(server, publisher)

        def attempt() -> T | None:
            before = chain.head()
            batch = CommandBatch(server.keys, publisher, before, server.clock(), digester)
            answer = work_out(batch)
            if not batch.commands:
                return answer
            if before.revision == 0:  # listed before the first write, so no group is overlooked
                server.call("SADD", server.keys.publishers, publisher)
            return answer if chain.save(before, batch.head, batch.commands) else None

        return until_saved(attempt, f"`{publisher}`")

"""GroupStore on Redis, Valkey and their clusters. What is kept where: keys.py; in what form: packed.py."""

import random
import secrets
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import TypeVar

from groups import emails as addresses
from groups.chain import ChainDigester, Trail
from groups.delta import Delta, EditRequest, replacing, result
from groups.errors import GroupExists, NotEmpty, StoreUnavailable
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
    slug,
    storable,
)
from groups.redis import forget as forgetting
from groups.redis import history as past
from groups.redis import reads as reads
from groups.redis.trail import RedisTrail
from groups.redis.writes import CommandBatch
from groups.storage.redis_server import RedisServer

DIGEST_KEY_BYTES = 32
_TRIES = 100
"""How often a write that others came before is worked out again; each time one of them was saved."""

_Answer = TypeVar("_Answer")


class RedisGroupStore:
    """See GroupStore for what the methods promise. The server may hold other parts as well."""

    def __init__(self, server: RedisServer) -> None:
        """Take an open server."""
        self._server = server
        self.change_token = server.feed.change_token
        self.last_look = server.feed.last_look
        self.catch_up = server.feed.catch_up

    def create(
        self,
        publisher: str,
        name: str,
        emails: Iterable[str],
        *,
        group_id: str | None = None,
        actor: str,
    ) -> EditResult:
        """See GroupStore."""
        check_publisher(publisher)
        name = check_name(name)
        made_id = slug(name) if group_id is None else check_group_id(group_id)
        delta = Delta(added=addresses.parse(emails, loc="emails"))

        def made(write: CommandBatch) -> EditResult:
            taken = reads.taken(self._server, publisher, made_id, name)
            if taken is not None:
                raise GroupExists(publisher, taken)
            return write.create(made_id, name, delta, actor)

        return self._written(publisher, made)

    def get(self, publisher: str, group_id: str) -> Group:
        """See GroupStore."""
        return reads.group(self._server, publisher, group_id)

    def list_groups(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Group]:
        """See GroupStore."""
        check_limit(limit)
        found = reads.groups_after(self._server, publisher, cursor or "", limit + 1)
        items = tuple(found[:limit])
        return Page(items=items, next_cursor=items[-1].group_id if len(found) > limit else None)

    def group_ids(self, publisher: str) -> frozenset[str]:
        """See GroupStore."""
        return frozenset(reads.group_ids(self._server, publisher))

    def publishers(self) -> tuple[str, ...]:
        """See GroupStore."""
        return reads.publishers(self._server)

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
        """See GroupStore."""
        check_limit(limit)
        head, stored = reads.stored(self._server, publisher, group_id)
        found = list(stored.members)
        if at is not None:
            found = past.members_at(self._server, publisher, group_id, at, found, head.revision)
        begins = prefix.lower()
        first = max(bisect_right(found, storable(cursor or "")), bisect_left(found, begins))
        items = tuple(found[first : first + limit])
        more = len(found) > first + limit and found[first + limit].startswith(begins)
        items = tuple(one for one in items if one.startswith(begins))
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
        """See GroupStore."""
        wanted = EditRequest.read(edit)
        return self._change(publisher, group_id, wanted.given, actor, if_revision, dry_run)

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
        """See GroupStore."""
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
        """See GroupStore."""
        consent = check_consent(consent)

        def made(write: CommandBatch) -> Group:
            _, stored = reads.stored(self._server, publisher, group_id, if_revision)
            return write.note_consent(stored, consent, actor)

        return self._written(publisher, made)

    def history(
        self,
        publisher: str,
        *,
        group_id: str | None = None,
        address: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Page[GroupChange]:
        """See GroupStore."""
        check_limit(limit)
        about = None if address is None else addresses.canonical(address)
        before = int(cursor) if cursor and cursor.isdecimal() else 2**63 - 1
        if group_id is not None:
            reads.group(self._server, publisher, group_id)
        changes = past.newest_first(self._server, publisher, group_id, before)
        if about is not None:
            changes = past.about(changes, about)
        found = tuple(islice(changes, limit + 1))
        items = found[:limit]
        return Page(
            items=items, next_cursor=str(items[-1].revision) if len(found) > limit else None
        )

    def memberships_at(
        self, publisher: str, group_ids: Collection[str], addresses: Collection[str], at: datetime
    ) -> PastMemberships:
        """See GroupStore."""
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
        """See GroupStore."""
        asked = forgetting.ForgetRequestData.read(
            publisher, address, replacement, self._links.digester
        )
        for _ in range(_TRIES):
            found = forgetting.find(self._server, asked)
            if dry_run:
                return found.told
            write = forgetting.write(self._server, asked, found, actor, self._links)
            if not write.commands or forgetting.commit(self._server, found, write):
                return forgetting.done(asked, found, write)
            _pause()
        raise _contended(publisher)

    def revision(self, publisher: str) -> int:
        """See GroupStore."""
        return past.head(self._server, publisher).revision

    def member_set(self, publisher: str, group_id: str) -> tuple[Head, MemberSet]:
        """See GroupStore."""
        head, sets = self.member_sets(publisher, (group_id,))
        return head, sets[group_id]

    def member_sets(
        self, publisher: str, group_ids: Collection[str]
    ) -> tuple[Head, dict[str, MemberSet]]:
        """See GroupStore."""
        head, members = reads.members_of(self._server, publisher, sorted(set(group_ids)))
        digester = self._links.digester
        sets = {one: MemberSet.of(digester.of_all(found)) for one, found in members.items()}
        return Head(head.revision, head.write_id), sets

    def changes_since(
        self, publisher: str, revision: int, write_id: str = "", *, limit: int | None = None
    ) -> tuple[GroupChange, ...]:
        """See GroupStore."""
        if limit is not None:
            check_limit(limit)
        return past.changes_after(self._server, publisher, revision, write_id, limit)

    def recent_changes(self, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
        """See GroupStore."""
        return past.changes_from(self._server, publisher, since)

    def digest_key(self) -> bytes:
        """See GroupStore."""
        server = self._server
        key = server.call("GET", server.keys.secret)
        if key is None:
            server.call("SET", server.keys.secret, secrets.token_bytes(DIGEST_KEY_BYTES), "NX")
            key = server.call("GET", server.keys.secret)
        return bytes(key)

    def adopt_digest_key(self, key: bytes) -> None:
        """See GroupStore."""
        if not self.publishers():
            self._server.call("SET", self._server.keys.secret, key, "NX")
        if self.digest_key() != key:
            raise NotEmpty("the store has a secret of its own already: copy into an empty one")

    def record(
        self, publisher: str, names: Mapping[str, str], changes: Sequence[GroupChange]
    ) -> None:
        """See GroupStore."""

        def made(write: CommandBatch) -> None:
            named = {change.group_id for change in changes}
            known = reads.stored_of(self._server, publisher, sorted(named))
            for change in changes:
                write.record(known, names, change)

        self._written(publisher, made)

    def close(self) -> None:
        """Let go of the server, also for its other parts."""
        self._server.close()

    def trails(self) -> tuple[str, ...]:
        """See GroupStore."""
        return reads.ever_written(self._server)

    def trail(self, publisher: str) -> Trail[GroupChange]:
        """See GroupStore."""
        return RedisTrail(self._server, publisher, lambda: self._links)

    @cached_property
    def _links(self) -> ChainDigester:
        return ChainDigester(self.digest_key())

    def _change(
        self,
        publisher: str,
        group_id: str,
        delta: Callable[[frozenset[str]], Delta],
        actor: str,
        if_revision: int | None,
        dry_run: bool,
    ) -> EditResult:
        def made(write: CommandBatch) -> EditResult:
            _, stored = reads.stored(self._server, publisher, group_id, if_revision)
            wanted = delta(frozenset(stored.members))
            if dry_run:
                return result(stored.group, wanted)
            return write.edit(stored, wanted, actor)

        return self._written(publisher, made)

    def _written(self, publisher: str, made: Callable[[CommandBatch], _Answer]) -> _Answer:
        """Work a write out and save it; again as long as others come first.

        The head is read before anything else, so what is read after it is what the write is saved on.
        """
        server = self._server
        for _ in range(_TRIES):
            before = past.head(server, publisher)
            write = CommandBatch(server.keys, publisher, before, server.clock(), self._links)
            answer = made(write)
            if not write.commands or reads.saved(server, write):
                return answer
            _pause()
        raise _contended(publisher)


def _pause() -> None:
    time.sleep(random.uniform(0.0, 0.01))  # noqa: S311 - so that writers do not meet again


def _contended(publisher: str) -> StoreUnavailable:
    return StoreUnavailable(f"too many others write to `{publisher}` just now: try again")

"""The part of GroupStore that every backend shares: checks of arguments, paging, digests."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Protocol

from groups import emails as addresses
from groups.chain import ChainDigester
from groups.delta import Delta, EditRequest, Forgetting, ReplaceRequest
from groups.errors import NotEmpty
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
    check_consent,
    check_group_id,
    check_limit,
    check_name,
    check_publisher,
    page_of,
    revision_before,
    slug,
)
from groups.store import GroupStore

DIGEST_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """The group to change, who changes it, and options of the write (see GroupEditor.edit)."""

    publisher: str
    group_id: str
    actor: str
    if_revision: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """At most `count` members after `cursor` that begin with `prefix`. at: None for now."""

    publisher: str
    group_id: str
    at: datetime | None
    cursor: str
    prefix: str
    count: int


class CheckedStore(Protocol):
    """The methods that each backend implements. GroupBackend calls them with checked arguments."""

    def _create(self, target: WriteTarget, name: str, delta: Delta) -> EditResult:
        """Create a group with the members that `delta` adds. Raises: GroupExists."""

    def _groups_after(self, publisher: str, cursor: str, count: int) -> Sequence[Group]:
        """List at most `count` groups whose ids come after the cursor."""

    def _members_after(self, query: MemberQuery) -> Sequence[str]:
        """List the members that match a query."""

    def _change(self, target: WriteTarget, request: EditRequest | ReplaceRequest) -> EditResult:
        """Change the members of a group as requested."""

    def _note_consent(self, target: WriteTarget, consent: Consent) -> Group:
        """Store a consent note that was checked."""

    def _changes_before(
        self, publisher: str, revision: int, group_id: str | None, about: str | None, count: int
    ) -> Sequence[GroupChange]:
        """List up to `count` writes before a revision, newest first. about: an address or None."""

    def _forget(self, request: Forgetting, actor: str, dry_run: bool) -> ForgetResult:
        """See GroupArchive.forget."""

    def _secret(self) -> bytes | None:
        """Return the deployment's secret; None if no secret is stored yet."""

    def _kept_secret(self, new: bytes) -> bytes:
        """Store `new` as the secret if no secret is stored yet. Return the stored secret."""


class GroupBackend(GroupStore, CheckedStore):
    """Checks arguments and builds pages. A backend adds CheckedStore and the rest of GroupStore."""

    def __init__(self) -> None:
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
        members = addresses.parse(emails, loc="emails")
        return self._create(WriteTarget(publisher, new_id, actor), name, Delta(added=members))

    def list_groups(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Group]:
        check_limit(limit)
        groups = self._groups_after(publisher, cursor or "", limit + 1)
        return page_of(groups, limit, attrgetter("group_id"))

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
        query = MemberQuery(publisher, group_id, at, cursor or "", prefix.lower(), limit + 1)
        return page_of(self._members_after(query), limit, str)

    def member_set(self, publisher: str, group_id: str) -> tuple[Head, MemberSet]:
        head, sets = self.member_sets(publisher, (group_id,))
        return head, sets[group_id]

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
        target = WriteTarget(publisher, group_id, actor, if_revision, dry_run)
        return self._change(target, EditRequest.read(edit))

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
        target = WriteTarget(publisher, group_id, actor, if_revision, dry_run)
        return self._change(target, ReplaceRequest(addresses.parse(emails, loc="emails")))

    def set_consent(
        self,
        publisher: str,
        group_id: str,
        consent: Consent,
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> Group:
        target = WriteTarget(publisher, group_id, actor, if_revision)
        return self._note_consent(target, check_consent(consent))

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
        about = None if address is None else addresses.canonical(address, strict=False)
        changes = self._changes_before(
            publisher, revision_before(cursor), group_id, about, limit + 1
        )
        return page_of(changes, limit, lambda change: str(change.revision))

    def forget(
        self,
        publisher: str,
        address: str,
        *,
        actor: str,
        replacement: str | None = None,
        dry_run: bool = False,
    ) -> ForgetResult:
        digester = self.chain_digester().digester
        request = Forgetting.read(publisher, address, replacement, digester)
        return self._forget(request, actor, dry_run)

    def digest_key(self) -> bytes:
        return self._secret() or self._kept_secret(secrets.token_bytes(DIGEST_KEY_BYTES))

    def adopt_digest_key(self, key: bytes) -> None:
        kept = self.digest_key() if self.publishers() else self._kept_secret(key)
        if kept != key:
            raise NotEmpty("the target store already has its own secret: copy into an empty store")

    def _expected(self, before: str, change: GroupChange) -> str:
        """Compute the digest that a write in history must have; see Trail.expected."""
        return self.chain_digester().of_recorded(before, change)

"""What a store of known user groups promises, whatever backend keeps them: four small protocols.

Every sentence here has a test in tests/groups/test_store.py, run on every backend.
Every method may raise StoreUnavailable, and raises no error of the backend itself.
Publishers share nothing: no ids, no names, no revisions. Addresses may come in any form and are kept
canonical; text is read as a pasted list. An id that no group can have is unknown like any other.
A cursor comes from the page before, and stays valid while members and groups come and go.
A limit below 1 is a ValueError. Every moment is UTC-aware.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from groups.chain import Trail
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
)


class MembershipReader(Protocol):
    """Read who is in which known user group of which publisher."""

    def get(self, publisher: str, group_id: str) -> Group:
        """Return one group. Raises: UnknownGroup."""

    def list_groups(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Group]:
        """List a publisher's groups by group_id; an unknown publisher has none."""

    def group_ids(self, publisher: str) -> frozenset[str]:
        """Return all group ids of a publisher; an unknown one has none."""

    def publishers(self) -> tuple[str, ...]:
        """List every publisher that has a group, in order."""

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
        """List the members that begin with `prefix`, in the order of their code points.

        The prefix is put in lower case and compared as text: dots and percent signs mean themselves.
        Args: at = list the members of that moment; before the group was made there were none.
        Raises: UnknownGroup.
        """

    def member_set(self, publisher: str, group_id: str) -> tuple[Head, MemberSet]:
        """Return a group's members, and the publisher's last write when they were read.

        Raises: UnknownGroup.
        """

    def member_sets(
        self, publisher: str, group_ids: Collection[str]
    ) -> tuple[Head, dict[str, MemberSet]]:
        """Return the members of several groups as of one moment, and the last write at that moment.

        Raises: UnknownGroup when any of them does not exist.
        """

    def revision(self, publisher: str) -> int:
        """Return the publisher's groups revision; 0 before the first write."""

    def digest_key(self) -> bytes:
        """Return the deployment's secret: 32 random bytes, the same for every process and for ever."""


class GroupEditor(Protocol):
    """Change groups and their members.

    A write is saved whole or not at all, and is on disk when the method returns. The writes of a
    publisher happen one after another, and each raises the publisher's groups revision by exactly one.
    A write that changes nothing is no error and keeps the revision, as every dry run does. A group has
    1 to 10,000 members after de-duplication. The moments of a publisher's writes never go back,
    whatever the clocks of the writing machines say.
    """

    def create(
        self,
        publisher: str,
        name: str,
        emails: Iterable[str],
        *,
        group_id: str | None = None,
        actor: str,
    ) -> EditResult:
        """Create a group, for good. Without group_id, the id is made from the name.

        Raises: InvalidGroup, InvalidEmails, GroupSizeOutOfRange; GroupExists when the id is taken,
            or the name in any letter case.
        """

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
        """Add and remove members. Adding a member or removing a stranger is counted, not refused.

        Args: if_revision = the Group.revision the caller last saw; the edit is refused if the group
            has another one by now. dry_run = check and count everything, save nothing.
        Raises: UnknownGroup, InvalidEmails, GroupSizeOutOfRange, RevisionMismatch; InvalidGroup
            when an address is both to be added and to be removed.
        """

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
        """Make these the only members; `unchanged` counts those that stay. Otherwise as `edit`."""

    def set_consent(
        self,
        publisher: str,
        group_id: str,
        consent: Consent,
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> Group:
        """Note that the people of a group agreed. A write like any other; the same note again is none.

        Raises: UnknownGroup, RevisionMismatch; InvalidGroup for a note without `confirmed_by`, or
            with more than 200 characters of it or 2,000 of text.
        """


class GroupFeed(Protocol):
    """Learn that something changed, and what."""

    def change_token(self, publisher: str) -> int:
        """Return a number that differs from earlier ones if any data of a publisher may have changed.

        That includes all else that the backend keeps for the publisher. Never waits, so every query can
        ask. A write through this store shows at once, other writes as fast as the backend reports them.
        The number may differ without a reason, and means nothing in another process.
        """

    def last_look(self, publisher: str) -> tuple[int, datetime]:
        """Return the last token, and the moment up to which it accounts for every write.

        Answers while the store is away, too.
        """

    def catch_up(self, publisher: str) -> None:
        """Look at the store now, so that the next token accounts for every write acknowledged before."""

    def changes_since(
        self, publisher: str, revision: int, write_id: str = "", *, limit: int | None = None
    ) -> tuple[GroupChange, ...]:
        """List the writes after a revision, oldest first; creating a group adds all its members.

        Args: limit = at most that many; by default all.
        Raises: HistoryLost when a write_id is given and the write of that revision has another one.
        """

    def recent_changes(self, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
        """List the writes made at or after a moment, oldest first."""


class GroupArchive(Protocol):
    """Read the past, prove it, take it over from another store, and forget a person in it."""

    def history(
        self,
        publisher: str,
        *,
        group_id: str | None = None,
        address: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Page[GroupChange]:
        """List the writes of one group, about one address, or all of them; the newest first.

        With an address, in any form, each change names that address alone. A cursor is a revision.
        Raises: UnknownGroup; InvalidEmails; InvalidGroup for a cursor that no page gave.
        """

    def memberships_at(
        self, publisher: str, group_ids: Collection[str], addresses: Collection[str], at: datetime
    ) -> PastMemberships:
        """Tell which of some groups listed some canonical addresses at a moment, inclusive.

        A moment in the future counts as now. A person who was forgotten was never in any group; a group
        that does not exist listed nobody.
        """

    def forget(
        self,
        publisher: str,
        address: str,
        *,
        actor: str,
        replacement: str | None = None,
        dry_run: bool = False,
    ) -> ForgetResult:
        """Remove a person from every group, and put a digest in the person's place in history.

        Each group left is a write. Args: replacement = who joins a group that would be empty.
        Raises: WouldBeEmpty without replacement (a dry run reports it instead); InvalidEmails, also for
        a replacement that is the address itself.
        """

    def adopt_digest_key(self, key: bytes) -> None:
        """Take over the secret of another store, before anything else is written.

        Raises: NotEmpty when this store has another one.
        """

    def record(
        self, publisher: str, names: Mapping[str, str], changes: Sequence[GroupChange]
    ) -> None:
        """Take over writes of another store as they were: revision, moment, actor, chain.

        The first has to be the publisher's next write. Nobody else may write at the same time.
        Args: names = of the groups that the writes create, by group_id.
        Raises: NotEmpty.
        """

    def trails(self) -> tuple[str, ...]:
        """List every publisher of which anything is left in the audit trail, in order."""

    def trail(self, publisher: str) -> Trail[GroupChange]:
        """Return a publisher's writes as the audit trail keeps them."""


class GroupStore(MembershipReader, GroupEditor, GroupFeed, GroupArchive, Protocol):
    """All that a backend does. Callers take the smallest of the four protocols that they need."""

    def close(self) -> None:
        """Close the backend; every other method then raises StoreUnavailable."""

"""The contract of every store of known user groups, on any backend, as four small protocols.

tests/groups/test_store.py tests every sentence here on every backend.
Every method may raise StoreUnavailable. No method raises an exception of the backend itself.
Publishers share nothing: no ids, no names, no revisions. Callers may pass addresses in any form, also
as one text to split; stores keep them canonical. An id with an invalid form is an unknown group.
A cursor is the `next_cursor` of a page. It stays valid when members or groups are added or removed.
A limit below 1 raises ValueError. Every datetime is UTC-aware.
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
    """Read the groups of publishers and their members."""

    def get(self, publisher: str, group_id: str) -> Group:
        """Return one group. Raises: UnknownGroup."""

    def list_groups(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Group]:
        """List a publisher's groups, sorted by group_id; no groups for an unknown publisher."""

    def group_ids(self, publisher: str) -> frozenset[str]:
        """Return all group ids of a publisher; no ids for an unknown publisher."""

    def publishers(self) -> tuple[str, ...]:
        """List every publisher that has a group, sorted."""

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
        """List the members whose addresses begin with `prefix`, sorted by code points.

        The prefix is compared in lower case, as plain text without wildcards.
        Args: at = list the members at that date and time; none before the group was created.
        Raises: UnknownGroup.
        """

    def member_set(self, publisher: str, group_id: str) -> tuple[Head, MemberSet]:
        """Return the publisher's last write and a group's members. Raises: UnknownGroup."""

    def member_sets(
        self, publisher: str, group_ids: Collection[str]
    ) -> tuple[Head, dict[str, MemberSet]]:
        """As `member_set` for several groups, read at the same time. Raises: UnknownGroup."""

    def revision(self, publisher: str) -> int:
        """Return the publisher's groups revision; 0 before the first write."""

    def digest_key(self) -> bytes:
        """Return the deployment's secret: 32 random bytes, the same in every process for ever."""


class GroupEditor(Protocol):
    """Change groups and their members.

    A write is saved completely or not at all, and is on disk when the method returns. A publisher's
    writes happen one after another; each increases the publisher's groups revision by exactly one. A
    dry run keeps the revision. A write that changes nothing also keeps it, and is no error. A group
    has 1 to 10,000 members, not counting duplicates. A publisher's later write never has an earlier
    time than a previous write, even if the clocks of the writing machines differ.
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
        """Create a group, which can never be removed. Without group_id, derive the id from the name.

        Raises: InvalidGroup, InvalidEmails, GroupSizeOutOfRange; GroupExists if the id is taken, or
            the name, ignoring letter case.
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
        """Add and remove members.

        Adding a present member or removing an address that is no member is counted, but no error.
        Args: if_revision = the Group.revision that the caller last saw; the edit is refused if the
            group now has another revision. dry_run = check and count everything, but save nothing.
        Raises: UnknownGroup, InvalidEmails, GroupSizeOutOfRange, RevisionMismatch; InvalidGroup
            if an address is both to be added and to be removed.
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
        """Replace all members of a group; `unchanged` counts members that stay. Else like `edit`."""

    def set_consent(
        self,
        publisher: str,
        group_id: str,
        consent: Consent,
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> Group:
        """Store a note that the people of a group agreed. Storing the same note again changes nothing.

        Raises: UnknownGroup, RevisionMismatch; InvalidGroup if `confirmed_by` is empty or has more
            than 200 characters, or `text` has more than 2,000.
        """


class GroupFeed(Protocol):
    """Find out whether a publisher's data changed, and what changed."""

    def change_token(self, publisher: str) -> int:
        """Return a number that changes whenever any data of the publisher may have changed.

        This covers all data that the backend keeps for the publisher, not only groups. The call never
        waits, so every query can make it. A write through this store changes the number at once, a
        write of another process as soon as the backend reports it. The number may also change without
        a write. Numbers of different processes are not comparable.
        """

    def last_look(self, publisher: str) -> tuple[int, datetime]:
        """Return the last token and when it was current, also while the store is unavailable."""

    def catch_up(self, publisher: str) -> None:
        """Check the store now, so that the next token reflects every write acknowledged before."""

    def changes_since(
        self, publisher: str, revision: int, write_id: str = "", *, limit: int | None = None
    ) -> tuple[GroupChange, ...]:
        """List the writes after a revision, oldest first. The creation of a group adds its members.

        Args: write_id = the id of the write at `revision`, if known; limit = at most this many writes.
        Raises: HistoryLost if a write_id is given and the write at that revision has another id.
        """

    def recent_changes(self, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
        """List the writes made at or after a date and time, oldest first."""


class GroupArchive(Protocol):
    """Read past writes and their audit trail, copy them from another store, and forget a person."""

    def history(
        self,
        publisher: str,
        *,
        group_id: str | None = None,
        address: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Page[GroupChange]:
        """List a publisher's writes, newest first; optionally only those of one group or one address.

        With an address, in any form, each change lists only that address. A cursor is a revision.
        Raises: UnknownGroup; InvalidEmails; InvalidGroup if the cursor did not come from a page.
        """

    def memberships_at(
        self, publisher: str, group_ids: Collection[str], addresses: Collection[str], at: datetime
    ) -> PastMemberships:
        """Find which of the given groups listed the given canonical addresses at a date and time.

        A write at exactly that time is included. A time in the future means now. A forgotten person was
        in no group at any time. A group that does not exist listed nobody.
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
        """Remove a person from every group, and replace the person's address in history by a digest.

        Leaving a group is one write. Args: replacement = address that joins groups left empty.
        Raises: WouldBeEmpty if a group would be empty and there is no replacement (a dry run reports
        it instead); InvalidEmails, also if the replacement is the address itself.
        """

    def adopt_digest_key(self, key: bytes) -> None:
        """Store another store's secret before anything else. Raises: NotEmpty if it has its own."""

    def record(
        self, publisher: str, names: Mapping[str, str], changes: Sequence[GroupChange]
    ) -> None:
        """Copy writes of another store into this one, with the same revision, time, actor and chain.

        The first must be the publisher's next write. Nobody else may write at the same time.
        Args: names = the names of the groups that the writes create, by group_id.
        Raises: NotEmpty.
        """

    def trails(self) -> tuple[str, ...]:
        """List every publisher with anything in the audit trail, sorted."""

    def trail(self, publisher: str) -> Trail[GroupChange]:
        """Return the audit trail of a publisher's writes to groups."""


class GroupStore(MembershipReader, GroupEditor, GroupFeed, GroupArchive, Protocol):
    """Everything that a backend offers. A caller should require only the protocols that it needs."""

    def close(self) -> None:
        """Close the backend; every other method then raises StoreUnavailable."""

"""What a store of known user groups promises, whatever it keeps them in."""

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


class GroupStore(Protocol):
    """Who is in which known user group of which publisher.

    Every sentence here has a test in tests/groups/test_store.py, run on every backend.
    Every method may raise StoreUnavailable, and no backend error of its own.
    A write is saved whole or not at all, and on disk when the method returns; a publisher's writes
    happen one after another, each raising the publisher's groups revision by exactly one. A write
    that changes nothing is no error and keeps the revision, and so does every dry run.
    Addresses may come in any form and are kept canonical; text is read as a pasted list. A group
    has 1 to 10,000 members after de-duplication. Publishers share nothing: not ids, not names, not
    revisions. An id that no group can have names none: reading it finds nothing, as with others.
    Cursors come from the page before, and stay good while members and groups come and go.
    Moments of a publisher's writes never go back, whatever the clocks of those who write say.
    A limit below 1 is a ValueError.
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
        """Make a group, for good; without a group_id it is made from the name.

        Raises: InvalidGroup, InvalidEmails, GroupSizeOutOfRange; GroupExists when the id is taken,
            or the name in any letter case.
        """

    def get(self, publisher: str, group_id: str) -> Group:
        """Give one group. Raises: UnknownGroup."""

    def list_groups(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Group]:
        """Give a publisher's groups, ordered by group_id; none for a publisher never seen."""

    def group_ids(self, publisher: str) -> frozenset[str]:
        """Give all group ids of a publisher; empty for one never seen."""

    def publishers(self) -> tuple[str, ...]:
        """Give every publisher that has a group, ordered."""

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
        """Give members in the order of their code points, only those that begin with `prefix`.

        The prefix is compared in lower case, and as text: a dot or a percent sign is itself.
        Args: at = as of that moment (UTC-aware); nobody before the group was made.
        Raises: UnknownGroup.
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
        """Add and remove members; adding a member and removing a stranger are counted, no errors.

        Args: if_revision = the Group.revision the caller last saw, refused if it is another now;
            dry_run = check and count everything, save nothing.
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
        """Make these the only members; `unchanged` counts those kept. Otherwise as `edit`."""

    def set_consent(
        self,
        publisher: str,
        group_id: str,
        consent: Consent,
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> Group:
        """Note that the people of a group agreed; a write like others, the same note again is none.

        Raises: UnknownGroup, RevisionMismatch; InvalidGroup for a note without `confirmed_by`, or
            one with more than 200 characters of it or 2,000 of text.
        """

    def history(
        self,
        publisher: str,
        *,
        group_id: str | None = None,
        address: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Page[GroupChange]:
        """Give accepted writes, the newest first: of one group, about one address, or all.

        With an address, in any form, a Change names that address alone. A cursor is a revision.
        Raises: UnknownGroup; InvalidEmails.
        """

    def memberships_at(
        self, publisher: str, group_ids: Collection[str], addresses: Collection[str], at: datetime
    ) -> PastMemberships:
        """Tell which of some groups listed canonical addresses at a moment (UTC-aware), inclusive.

        A moment ahead is as now. Somebody who was forgotten was never in any group; a group that
        does not exist listed nobody.
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
        """Remove a person from every group and from history, where a digest takes the place.

        Each group left is a write. Args: replacement = who takes the place where a group would be
        empty. Raises: WouldBeEmpty without one (a dry run reports instead); InvalidEmails, also for
        a replacement that is the address itself.
        """

    def revision(self, publisher: str) -> int:
        """Give the publisher's groups revision; 0 when nothing was ever written."""

    def member_set(self, publisher: str, group_id: str) -> tuple[Head, MemberSet]:
        """Give a group's members, and the publisher's last write when they were read.

        Raises: UnknownGroup.
        """

    def member_sets(
        self, publisher: str, group_ids: Collection[str]
    ) -> tuple[Head, dict[str, MemberSet]]:
        """Give the members of several groups as they were at one moment, and the last write then.

        Raises: UnknownGroup when any of them does not exist.
        """

    def changes_since(
        self, publisher: str, revision: int, write_id: str = "", *, limit: int | None = None
    ) -> tuple[GroupChange, ...]:
        """Give the writes after a revision, oldest first; creating a group is one that adds all.

        Args: limit = at most that many; by default all.
        Raises: HistoryLost when a write_id is given and the write of that revision is another.
        """

    def recent_changes(self, publisher: str, since: datetime) -> tuple[GroupChange, ...]:
        """Give the writes made at or after a moment (UTC-aware), oldest first."""

    def digest_key(self) -> bytes:
        """Give the secret of this deployment, 32 random bytes, the same for ever and everyone."""

    def change_token(self, publisher: str) -> int:
        """Give a number that differs from earlier ones if anything of a publisher's may have changed.

        Whatever else the backend keeps for the publisher counts too. Never waits, so that every
        query can ask. A write through this store shows at once, others as fast as the backend
        tells. It may differ for no reason, and says nothing across processes.
        """

    def last_look(self, publisher: str) -> tuple[int, datetime]:
        """Give the last token, and up to which moment (UTC-aware) it tells of every write.

        Answers also while the store is away.
        """

    def catch_up(self, publisher: str) -> None:
        """Look at the store now: whatever was acknowledged to anybody before shows in the next token."""

    def adopt_digest_key(self, key: bytes) -> None:
        """Take over the secret of another store, before anything else is written.

        Raises: NotEmpty when this store has another one.
        """

    def record(
        self, publisher: str, names: Mapping[str, str], changes: Sequence[GroupChange]
    ) -> None:
        """Take over writes of another store just as they were: revision, moment, actor, chain.

        The first has to be the next of the publisher. Args: names = of the groups they create, by
        group_id. Nobody else may write meanwhile.
        Raises: NotEmpty.
        """

    def trails(self) -> tuple[str, ...]:
        """Give every publisher of which anything is left in the audit trail, ordered."""

    def trail(self, publisher: str) -> Trail[GroupChange]:
        """Give a publisher's writes as the audit trail has them."""

    def close(self) -> None:
        """Let go of the backend; every other method then raises StoreUnavailable."""

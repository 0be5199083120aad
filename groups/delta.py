"""The rules of edits, which every store shares: compute what an edit changes in a group. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from groups import emails
from groups.errors import (
    Fault,
    GroupSizeOutOfRange,
    InvalidEmails,
    InvalidGroup,
    RevisionMismatch,
    WouldBeEmpty,
)
from groups.member_set import Digester
from groups.model import MAX_MEMBERS, MIN_MEMBERS, EditResult, Group, MembershipEdit


@dataclass(frozen=True, slots=True)
class Delta:
    """The addresses that join and leave a group. unchanged, unknown: see EditResult."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    unknown: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


@dataclass(frozen=True, slots=True)
class EditRequest:
    """An edit with canonical addresses, without duplicates. No address is in both lists."""

    add: tuple[str, ...]
    remove: tuple[str, ...]

    @classmethod
    def read(cls, edit: MembershipEdit) -> "EditRequest":
        """Read an edit. Raises: InvalidEmails; InvalidGroup for an address that is in both."""
        add = emails.parse(edit.add, loc="add")
        remove = emails.parse(edit.remove, loc="remove", strict=False)
        both = sorted(set(add).intersection(remove))
        if both:
            faults = [
                Fault("", "ADDED_AND_REMOVED", f"`{address}` cannot be added and removed at once")
                for address in both
            ]
            raise InvalidGroup(faults)
        return cls(add, remove)

    @property
    def concerned(self) -> tuple[str, ...]:
        """The addresses for which `delta` needs to know whether they are members."""
        return (*self.add, *self.remove)

    def delta(self, present: Collection[str]) -> Delta:
        """Compute what the edit changes. present: the members, at least those in `concerned`."""
        added = tuple(address for address in self.add if address not in present)
        removed = tuple(address for address in self.remove if address in present)
        return Delta(added, removed, len(self.add) - len(added), len(self.remove) - len(removed))


@dataclass(frozen=True, slots=True)
class ReplaceRequest:
    """Canonical addresses, without duplicates, that become the only members of a group."""

    members: tuple[str, ...]
    concerned: None = None
    """None: `delta` needs all present members of the group."""

    def delta(self, present: Collection[str]) -> Delta:
        """Compute what the replacement changes. Args: present = all members."""
        added = tuple(address for address in self.members if address not in present)
        removed = tuple(sorted(set(present).difference(self.members)))
        return Delta(added, removed, unchanged=len(self.members) - len(added))


@dataclass(frozen=True, slots=True)
class Forgetting:
    """A request to forget a person.

    digest: the text that replaces `address` in history. instead: the address, if any, that joins each
    group that would be left empty.
    """

    publisher: str
    address: str
    replacements: tuple[str, ...]
    digest: str

    @classmethod
    def read(
        cls, publisher: str, address: str, replacement: str | None, digester: Digester
    ) -> "Forgetting":
        """Read a request. Raises: InvalidEmails, also if address and replacement are the same."""
        gone = emails.canonical(address, strict=False)
        replacements = () if replacement is None else (emails.canonical(replacement),)
        if gone in replacements:
            detail = f"`{gone}` cannot replace itself: name another address"
            raise InvalidEmails([Fault("replacement", "REPLACED_BY_ITSELF", detail)])
        return cls(publisher, gone, replacements, digester.forgotten(gone))

    def joining(self, group_id: str, emptied: Collection[str]) -> tuple[str, ...]:
        """Return the addresses that join a group which the person leaves: only if it is in `emptied`.

        Raises: WouldBeEmpty, which names all groups in `emptied`, if there is no replacement.
        """
        if emptied and not self.replacements:
            raise WouldBeEmpty([f"{self.publisher}/{group_id}" for group_id in emptied])
        return self.replacements if group_id in emptied else ()


def new_group(publisher: str, group_id: str, name: str, at: datetime) -> Group:
    """Return a new group at revision 0 without members."""
    return Group(
        publisher=publisher,
        group_id=group_id,
        name=name,
        member_count=0,
        revision=0,
        created_at=at,
    )


def check_revision(group: Group, if_revision: int | None) -> None:
    """Raise RevisionMismatch unless the group is at revision `if_revision`; None skips the check."""
    if if_revision is not None and if_revision != group.revision:
        raise RevisionMismatch(if_revision, group.revision)


def result(before: Group, delta: Delta) -> EditResult:
    """Compute the result of applying a delta to a group. Raises: GroupSizeOutOfRange."""
    size = before.member_count + len(delta.added) - len(delta.removed)
    if not MIN_MEMBERS <= size <= MAX_MEMBERS:
        raise GroupSizeOutOfRange(before.group_id, size)
    return EditResult(
        publisher=before.publisher,
        group_id=before.group_id,
        revision=before.revision,
        added=len(delta.added),
        removed=len(delta.removed),
        unchanged=delta.unchanged,
        unknown=delta.unknown,
        member_count=size,
        joined=tuple(sorted(delta.added)),
        left=tuple(sorted(delta.removed)),
    )

"""The rules of edits that every store shares: what an edit changes in a group. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from groups import emails
from groups.errors import Fault, GroupSizeOutOfRange, InvalidEmails, InvalidGroup
from groups.model import MAX_MEMBERS, MIN_MEMBERS, EditResult, Group, MembershipEdit


@dataclass(frozen=True, slots=True)
class Delta:
    """Addresses that join and leave, and how many requests change nothing (see EditResult)."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    unknown: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


@dataclass(frozen=True, slots=True)
class EditRequest:
    """An edit whose addresses are canonical, each once, none both to be added and to be removed."""

    add: tuple[str, ...]
    remove: tuple[str, ...]

    @classmethod
    def read(cls, edit: MembershipEdit) -> "EditRequest":
        """Read an edit. Raises: InvalidEmails; InvalidGroup for an address that is in both."""
        add, remove = emails.parse(edit.add, loc="add"), emails.parse(edit.remove, loc="remove")
        both = sorted(set(add).intersection(remove))
        if both:
            faults = [
                Fault("", "ADDED_AND_REMOVED", f"`{address}` is both to be added and to be removed")
                for address in both
            ]
            raise InvalidGroup(faults)
        return cls(add, remove)

    def delta(self, present: Collection[str]) -> Delta:
        """Compute what the edit changes. Args: present = at least those of its addresses that are members."""
        added = tuple(address for address in self.add if address not in present)
        removed = tuple(address for address in self.remove if address in present)
        return Delta(added, removed, len(self.add) - len(added), len(self.remove) - len(removed))


def new_group(publisher: str, group_id: str, name: str, at: datetime) -> Group:
    """Make a group without members."""
    return Group(
        publisher=publisher,
        group_id=group_id,
        name=name,
        member_count=0,
        revision=0,
        created_at=at,
    )


def replacing(wanted: Iterable[str], present: frozenset[str]) -> Delta:
    """Compute what changes if `wanted` (canonical, each once) become the only members."""
    kept = tuple(wanted)
    added = tuple(address for address in kept if address not in present)
    removed = tuple(sorted(present.difference(kept)))
    return Delta(added, removed, unchanged=len(kept) - len(added))


def result(before: Group, delta: Delta) -> EditResult:
    """Compute the result of a delta on a group. Raises: GroupSizeOutOfRange."""
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


def forgetting(address: str, replacement: str | None) -> tuple[str, tuple[str, ...]]:
    """Read the address to forget, and who replaces it where nobody else is left; both canonical.

    Raises: InvalidEmails.
    """
    gone = emails.canonical(address)
    if replacement is None:
        return gone, ()
    instead = emails.canonical(replacement)
    if instead == gone:
        detail = f"`{gone}` cannot replace itself: name another address"
        raise InvalidEmails([Fault("replacement", "REPLACED_BY_ITSELF", detail)])
    return gone, (instead,)

"""What an edit comes to, given who is in the group: the rules that every store shares. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from groups import emails
from groups.errors import Fault, GroupSizeOutOfRange, InvalidEmails, InvalidGroup
from groups.model import MAX_MEMBERS, MIN_MEMBERS, EditResult, Group, MembershipEdit


@dataclass(frozen=True, slots=True)
class Delta:
    """Addresses that come and go, and how many were asked for in vain (see EditResult)."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    unknown: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


@dataclass(frozen=True, slots=True)
class EditRequest:
    """An edit with its addresses read: canonical, each once, none both to come and to go."""

    add: tuple[str, ...]
    remove: tuple[str, ...]

    @classmethod
    def read(cls, edit: MembershipEdit) -> "EditRequest":
        """Read an edit. Raises: InvalidEmails; InvalidGroup for an address that is in both."""
        add, remove = emails.parse(edit.add, loc="add"), emails.parse(edit.remove, loc="remove")
        both = sorted(set(add).intersection(remove))
        if both:
            faults = [
                Fault("", "ADDED_AND_REMOVED", f"`{one}` is both to be added and to be removed")
                for one in both
            ]
            raise InvalidGroup(faults)
        return cls(add, remove)

    def given(self, present: Collection[str]) -> Delta:
        """What the edit comes to; present = those of its addresses, at least, that are members."""
        added = tuple(one for one in self.add if one not in present)
        removed = tuple(one for one in self.remove if one in present)
        return Delta(added, removed, len(self.add) - len(added), len(self.remove) - len(removed))


def replacing(wanted: Iterable[str], present: frozenset[str]) -> Delta:
    """What making `wanted` (canonical, each once) the only members comes to."""
    kept = tuple(wanted)
    added = tuple(one for one in kept if one not in present)
    removed = tuple(sorted(present.difference(kept)))
    return Delta(added, removed, unchanged=len(kept) - len(added))


def result(before: Group, delta: Delta) -> EditResult:
    """Say what a delta does to a group. Raises: GroupSizeOutOfRange."""
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
    """The address to forget and who takes its place where nobody else is left, both canonical.

    Raises: InvalidEmails.
    """
    gone = emails.canonical(address)
    if replacement is None:
        return gone, ()
    instead = emails.canonical(replacement)
    if instead == gone:
        detail = f"`{gone}` cannot take its own place: name another address"
        raise InvalidEmails([Fault("replacement", "REPLACED_BY_ITSELF", detail)])
    return gone, (instead,)

"""Errors that `groups` raises: the caller did something wrong, or the store cannot answer.

Clients may rely on the `code` of an error; its message may change. "Not a member" is an answer, never
an error. No error means that a person is in no group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in an input.

    loc: path to the field, with dots; "" for the whole input. `add.3` is the third address to add.
    code: SCREAMING_SNAKE, stable. detail: one sentence, lower case, no full stop.
    """

    loc: str
    code: str
    detail: str

    def within(self, path: str) -> "Fault":
        """Return the same fault with its `loc` below `path`, for an input that contains this one."""
        return Fault(f"{path}.{self.loc}".strip("."), self.code, self.detail)

    def __str__(self) -> str:
        return f"{self.loc}: {self.detail}" if self.loc else self.detail


class GroupsError(Exception):
    """Base of every error that `groups` raises on purpose."""

    code = "GROUPS_ERROR"


class _Faulty(GroupsError):
    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = list(faults)


class InvalidGroup(_Faulty):
    """A publisher, group id, name, edit, note or cursor is invalid; `faults` lists every fault."""

    code = "INVALID_GROUP"


class InvalidEmails(_Faulty):
    """Some addresses are invalid; `faults` lists each of them with its position, counted from 1."""

    code = "INVALID_EMAILS"


class InvalidCsv(InvalidEmails):
    """A CSV file does not contain only valid addresses; `faults` lists every wrong line as `line.3`."""

    code = "INVALID_CSV"


class GroupSizeOutOfRange(GroupsError):
    """A write would leave a group with no members or more than 10,000; nothing was saved."""

    code = "GROUP_SIZE"

    def __init__(self, group_id: str, size: int) -> None:
        super().__init__(f"group `{group_id}` would have {size} members; a group has 1 to 10,000")
        self.group_id, self.size = group_id, size


class UnknownGroup(GroupsError):
    """The publisher has no group with this id."""

    code = "UNKNOWN_GROUP"

    def __init__(self, publisher: str, group_id: str) -> None:
        super().__init__(f"publisher `{publisher}` has no group `{group_id}`")
        self.publisher, self.group_id = publisher, group_id


class GroupExists(GroupsError):
    """The publisher already has a group with this id, or with this name (ignoring letter case)."""

    code = "GROUP_EXISTS"

    def __init__(self, publisher: str, taken: str) -> None:
        super().__init__(f"publisher `{publisher}` already has a group `{taken}`")
        self.publisher, self.taken = publisher, taken


class GroupsPermanent(GroupsError):
    """A group cannot be removed or renamed (Partner Center, "Create known user groups")."""

    code = "GROUPS_PERMANENT"

    def __init__(self, publisher: str, group_id: str) -> None:
        super().__init__(
            f"group `{group_id}` of publisher `{publisher}` can be neither removed nor renamed:"
            " flights and audiences refer to it for good; change its members instead"
        )
        self.publisher, self.group_id = publisher, group_id


class WouldBeEmpty(GroupsError):
    """Forgetting a person would leave groups without any member; nothing was forgotten.

    A group must have a member (KUG) and cannot be removed, so the caller must name a replacement.
    groups: the groups that would be empty, each as `publisher/group_id`.
    """

    code = "WOULD_BE_EMPTY"

    def __init__(self, groups: Sequence[str]) -> None:
        named = ", ".join(f"`{group}`" for group in groups)
        super().__init__(
            f"nobody else is in {named}, but a group needs at least one member:"
            " name an address that replaces this one"
        )
        self.groups = list(groups)


class RevisionMismatch(GroupsError):
    """The group changed since the caller read it; nothing was saved."""

    code = "REVISION_MISMATCH"

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the group is at revision {actual}, not at {expected}: read it again")
        self.expected, self.actual = expected, actual


class HistoryLost(GroupsError):
    """The store lost a write, which can happen when a replica takes over from a failed server.

    A caller that cached anything read after that write must read all of it again.
    """

    code = "HISTORY_LOST"

    def __init__(self, publisher: str, revision: int) -> None:
        super().__init__(f"the store lost revision {revision} of publisher `{publisher}`")
        self.publisher, self.revision = publisher, revision


class NotEmpty(GroupsError):
    """The store cannot take copied writes: it is neither empty nor an earlier copy of the source."""

    code = "NOT_EMPTY"

    @classmethod
    def unless_next(cls, chain: str, present: int, revision: int) -> None:
        """Raise NotEmpty unless `revision` is `present` + 1. Args: chain = name for the message."""
        if revision != present + 1:
            raise cls(f"{chain} is at revision {present}, so revision {revision} cannot follow")


class InvalidStoreUrl(GroupsError):
    """The store URL is invalid. The message does not contain the password in it."""

    code = "INVALID_STORE_URL"


class StoreUnavailable(GroupsError):
    """The store cannot answer now. This error does not mean that a person is in no group."""

    code = "STORE_UNAVAILABLE"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store is unavailable: {reason}")
        self.reason = reason

    @classmethod
    def lost(cls, what: str) -> "StoreUnavailable":
        """Build the error for data that the server lost, for example by eviction.

        Without the error, lost data would look as if there had never been any.
        """
        return cls(f"the server lost {what}: restore it from its backup")


class StoreFull(StoreUnavailable):
    """The store has no space left. Nothing of the write was saved. Reading still works."""

    code = "STORE_FULL"


class StoreForbidden(StoreUnavailable):
    """The server refused this program's login or a command; `reason` lists the rights it needs."""

    code = "STORE_FORBIDDEN"


class UnsupportedStore(GroupsError):
    """This program cannot work with the version or the state of the store."""

    code = "UNSUPPORTED_STORE"


class NotOurDatabase(GroupsError):
    """The file or server contains data of another program. It was not changed."""

    code = "NOT_OUR_DATABASE"

    def __init__(self, path: Path | str) -> None:
        super().__init__(f"`{path}` is not a database of this program and was left untouched")
        self.path = path


class NewerDatabase(GroupsError):
    """A newer version of this program wrote the store; this version could misread it."""

    code = "NEWER_DATABASE"

    def __init__(self, path: Path | str, version: int, known: int) -> None:
        super().__init__(
            f"`{path}` has layout version {version}, but this program knows versions only up to {known}:"
            " run the newer program"
        )
        self.path, self.version, self.known = path, version, known

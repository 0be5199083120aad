"""Known user groups as frozen values, and the rules for their ids, names and notes."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Generic, Literal, NamedTuple, TypeVar

from groups.errors import Fault, InvalidGroup

T = TypeVar("T")

MIN_MEMBERS = 1
MAX_MEMBERS = 10_000
MAX_ID_LENGTH = 100
MAX_NAME_LENGTH = 100
MAX_CONFIRMED_BY = 200
MAX_CONSENT_TEXT = 2_000
MAX_REVISION = 2**63 - 1
MAX_CURSOR_DIGITS = 100

_ID = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{MAX_ID_LENGTH - 1}}}")
_NOT_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A note that the people of a group agreed to be in it, which the publisher has to ensure (KUG).

    confirmed_by: who says so. at: when, UTC-aware. text: what was agreed to, or where it is kept.
    """

    confirmed_by: str
    at: datetime
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One known user group, without its members.

    revision: the publisher's groups revision at which this group last changed.
    created_at: UTC-aware. consent: None while nobody confirmed any.
    """

    publisher: str
    group_id: str
    name: str
    member_count: int
    revision: int
    created_at: datetime
    consent: Consent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipEdit:
    """Addresses to add and to remove, in any form; none may be in both."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditResult:
    """What a write did, or a dry run would do.

    revision: the group's revision afterwards; a dry run, or a write that changed nothing, keeps it.
    added, removed: memberships that changed. unchanged: additions of addresses that were members.
    unknown: removals of addresses that were not members. member_count: afterwards.
    joined, left: whom `added` and `removed` count.
    """

    publisher: str
    group_id: str
    revision: int
    added: int
    removed: int
    unchanged: int
    unknown: int
    member_count: int
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class Head(NamedTuple):
    """The publisher's last write when something was read: its revision, and the id of the write itself.

    A store that lost writes gives their revisions again. The id distinguishes the new write of a revision
    from the lost one. It is "" in a store that loses no writes.
    """

    revision: int
    write_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """One accepted write: who changed what, when (`at` is UTC-aware). Addresses are sorted.

    In place of a forgotten person's address there is FORGOTTEN and the digest of the address.
    consent: set where the write was a consent note, which changes no membership. write_id: see Head.
    chain: its digest in the audit trail (groups/chain.py); "" if an early release wrote it without one.
    """

    publisher: str
    revision: int
    group_id: str
    at: datetime
    actor: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    consent: Consent | None = None
    write_id: str = field(default="", compare=False)
    chain: str = field(default="", compare=False)

    @property
    def head(self) -> Head:
        """This change as the publisher's last write."""
        return Head(self.revision, self.write_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChange:
    """The last time, up to some moment, that one address joined or left one group."""

    address: str
    group_id: str
    at: datetime
    change: Literal["added", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMemberships:
    """Which of some groups listed some addresses at a moment, and the publisher's revision then.

    last: the last change of each address in each group that it was ever in, ordered.
    """

    revision: int
    last: tuple[MembershipChange, ...]

    @property
    def groups(self) -> frozenset[str]:
        """Ids of the groups that listed any of the addresses."""
        return frozenset(change.group_id for change in self.last if change.change == "added")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetResult:
    """What forgetting an address did, or a dry run would do, with one publisher.

    groups: those that listed the address. emptied: those among them that had no other member.
    history: number of entries in which a digest replaces the address.
    """

    publisher: str
    groups: tuple[str, ...]
    emptied: tuple[str, ...]
    history: int


FORGOTTEN = "forgotten:"
"""In history, the text before the digest (16 hexadecimal digits) of a forgotten address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Part of a list; `next_cursor` continues it and is None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None


def page_of(read: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[T]:
    """Make a page of the first `limit` items read; one item more tells that there is another page.

    Args: cursor = gives the cursor that continues after an item.
    """
    items = tuple(read[:limit])
    return Page(items=items, next_cursor=cursor(items[-1]) if len(read) > limit else None)


def each(page: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """Iterate over every item of a list. Args: page = gives the page at a cursor."""
    cursor: str | None = None
    while True:
        part = page(cursor)
        yield from part.items
        cursor = part.next_cursor
        if cursor is None:
            return


def slug(name: str) -> str:
    """Make a group id from a name: `Contoso Beta (EU)` gives `contoso-beta-eu`.

    A name without any letter or digit of ASCII gives `group-` and a hash of the name.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug_text = re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:MAX_ID_LENGTH].rstrip("-._")
    if slug_text:
        return slug_text
    return "group-" + blake2b(name_key(name).encode(), digest_size=4).hexdigest()


def is_id(text: str) -> bool:
    """Return whether a text can be a publisher or group id at all."""
    return _ID.fullmatch(text) is not None


def check_publisher(publisher: str) -> str:
    """Return the publisher id if it is valid. Raises: InvalidGroup."""
    return _checked_id(publisher, "publisher")


def check_group_id(group_id: str) -> str:
    """Return the group id if it is valid. Raises: InvalidGroup."""
    return _checked_id(group_id, "group_id")


def check_name(name: str) -> str:
    """Return the name trimmed and in NFC. Raises: InvalidGroup."""
    trimmed = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(trimmed) <= MAX_NAME_LENGTH:
        detail = f"a name must have 1 to {MAX_NAME_LENGTH} characters, not {len(trimmed)}"
        raise InvalidGroup([Fault("name", "INVALID_NAME", detail)])
    if any(unicodedata.category(character) in _NOT_IN_NAMES for character in trimmed):
        detail = "a name must not have control characters, line breaks or lone surrogates"
        raise InvalidGroup([Fault("name", "INVALID_NAME", detail)])
    return trimmed


def check_limit(limit: int | None) -> None:
    """Refuse an empty page; None is no limit. Raises: ValueError."""
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")


def revision_before(cursor: str | None) -> int:
    """Read a cursor of history: the revision before which a page begins.

    No cursor, and one greater than any revision, begin with the newest.
    Raises: InvalidGroup for what no page gave as `next_cursor`.
    """
    if not cursor:
        return MAX_REVISION
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= MAX_CURSOR_DIGITS):
        shown = cursor[:MAX_CURSOR_DIGITS].encode("unicode_escape").decode()
        detail = f"`{shown}` is not the `next_cursor` of a page of history"
        raise InvalidGroup([Fault("cursor", "UNKNOWN_CURSOR", detail)])
    return min(int(cursor), MAX_REVISION)


def check_consent(consent: Consent) -> Consent:
    """Check a note and give it as every store keeps it, in UTC. Raises: InvalidGroup."""
    faults = []
    if not 1 <= len(consent.confirmed_by.strip()) <= MAX_CONFIRMED_BY:
        detail = f"must name who confirmed it, in 1 to {MAX_CONFIRMED_BY} characters"
        faults.append(Fault("confirmed_by", "INVALID_CONSENT", detail))
    if len(consent.text) > MAX_CONSENT_TEXT:
        detail = f"has {len(consent.text):,} characters; at most {MAX_CONSENT_TEXT:,} are allowed"
        faults.append(Fault("text", "INVALID_CONSENT", detail))
    at = _in_utc(consent.at)
    if at is None:
        detail = f"`{consent.at.isoformat()}` needs an offset, as in 2026-12-01T09:00:00Z"
        faults.append(Fault("at", "INVALID_CONSENT", detail))
    if faults or at is None:
        raise InvalidGroup(faults)
    confirmed_by, text = storable(consent.confirmed_by), storable(consent.text)
    return Consent(confirmed_by=confirmed_by, at=at, text=text)


def storable(text: str) -> str:
    """Return text that every store can keep and compare: lone surrogates become `?`."""
    return text.encode("utf-8", "replace").decode()


def name_key(name: str) -> str:
    """Return the form in which names are compared: `Beta` and `BETA` are one name."""
    folded = unicodedata.normalize("NFC", name.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def _in_utc(moment: datetime) -> datetime | None:
    if moment.tzinfo is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # at the first or last moment that a datetime can hold
        return None


def _checked_id(text: str, loc: str) -> str:
    if is_id(text):
        return text
    shown = text[:MAX_ID_LENGTH].encode("unicode_escape").decode()
    detail = (
        f"`{shown}` is not an id: an id has 1 to {MAX_ID_LENGTH} of a-z, 0-9, `.`, `_`, `-`"
        " and begins with a letter or digit"
    )
    raise InvalidGroup([Fault(loc, "INVALID_ID", detail)])

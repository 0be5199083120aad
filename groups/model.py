"""Immutable data classes for known user groups, and checks of ids, names and consent notes."""

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
    """A note that the people in a group agreed to be in it, which the publisher has to ensure (KUG).

    confirmed_by: who confirms it. at: when they agreed, UTC-aware. text: what they agreed to, or
    where the agreement can be found.
    """

    confirmed_by: str
    at: datetime
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One known user group, without its members.

    revision: the publisher's groups revision at which this group last changed.
    created_at: UTC-aware. consent: None if nobody has noted any consent.
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
    """Addresses to add and addresses to remove, canonical or not. No address may be in both."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditResult:
    """What a write did, or what a dry run would do.

    revision: the group's revision after the write; a dry run or a write without changes keeps it.
    added, removed: number of members that joined and left. unchanged: number of addresses to add that
    were already members. unknown: number of addresses to remove that were not members.
    member_count: size of the group after the write. joined, left: addresses that joined and left.
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
    """The publisher's last write at the time something was read.

    A store that lost writes uses their revisions again for new writes, which have another write_id.
    write_id is "" in a store that cannot lose writes.
    """

    revision: int
    write_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """One accepted write: who changed what, and when (`at` is UTC-aware). Addresses are sorted.

    The address of a forgotten person is replaced by FORGOTTEN and the digest of the address.
    consent: set if the write was a consent note, which changes no membership. write_id: see Head.
    chain: digest of the write in the audit trail (groups/chain.py); "" if an early release wrote it.
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
    """The last time that an address joined or left a group, up to a given date and time."""

    address: str
    group_id: str
    at: datetime
    change: Literal["added", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMemberships:
    """Which of the given groups listed the given addresses at a past date and time.

    revision: the publisher's groups revision at that time. last: the last change, until that time, of
    each address in each group that it was ever in, sorted.
    """

    revision: int
    last: tuple[MembershipChange, ...]

    @property
    def groups(self) -> frozenset[str]:
        """Ids of the groups that listed any of the addresses at that time."""
        return frozenset(change.group_id for change in self.last if change.change == "added")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetResult:
    """What forgetting an address at one publisher did, or what a dry run would do.

    groups: ids of groups that listed the address. emptied: ids of those that had no other member.
    history: number of entries in history in which a digest replaces the address.
    """

    publisher: str
    groups: tuple[str, ...]
    emptied: tuple[str, ...]
    history: int


FORGOTTEN = "forgotten:"
"""Prefix of the text that replaces a forgotten address in history; 16 hex digits of digest follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list. next_cursor: cursor of the next page; None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None


def page_of(read: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[T]:
    """Build a page of the first `limit` items. cursor: returns the cursor after an item."""
    items = tuple(read[:limit])
    return Page(items=items, next_cursor=cursor(items[-1]) if len(read) > limit else None)


def all_items(page: Callable[[str | None], Page[T]], cursor: str | None = None) -> Iterator[T]:
    """Iterate over the items on all pages from a cursor on. Args: page = returns a page."""
    while True:
        part = page(cursor)
        yield from part.items
        cursor = part.next_cursor
        if cursor is None:
            return


def slug(name: str) -> str:
    """Build a group id from a name: `Contoso Beta (EU)` becomes `contoso-beta-eu`.

    A name without any ASCII letter or digit becomes `group-` followed by a hash of the name.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug_text = re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:MAX_ID_LENGTH].rstrip("-._")
    if slug_text:
        return slug_text
    return "group-" + blake2b(name_key(name).encode(), digest_size=4).hexdigest()


def is_id(text: str) -> bool:
    """Return whether a text has the form of a publisher id or group id."""
    return _ID.fullmatch(text) is not None


def check_publisher(publisher: str) -> str:
    """Return the publisher id if it is valid. Raises: InvalidGroup."""
    return _checked_id(publisher, "publisher")


def check_group_id(group_id: str) -> str:
    """Return the group id if it is valid. Raises: InvalidGroup."""
    return _checked_id(group_id, "group_id")


def check_name(name: str) -> str:
    """Check a name. Return it without surrounding blanks and in Unicode NFC. Raises: InvalidGroup."""
    trimmed = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(trimmed) <= MAX_NAME_LENGTH:
        detail = f"a name must have 1 to {MAX_NAME_LENGTH} characters, not {len(trimmed)}"
        raise InvalidGroup([Fault("name", "INVALID_NAME", detail)])
    if any(unicodedata.category(character) in _NOT_IN_NAMES for character in trimmed):
        detail = "a name must not have control characters, line breaks or lone surrogates"
        raise InvalidGroup([Fault("name", "INVALID_NAME", detail)])
    return trimmed


def check_limit(limit: int | None) -> None:
    """Raise ValueError if a limit is below 1; None means no limit."""
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")


def revision_before(cursor: str | None) -> int:
    """Read a cursor of history. The page has only revisions below the returned one.

    Without a cursor, or if the cursor is above every revision, the page begins with the newest.
    Raises: InvalidGroup if the text cannot be the `next_cursor` of a page.
    """
    if not cursor:
        return MAX_REVISION
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= MAX_CURSOR_DIGITS):
        shown = cursor[:MAX_CURSOR_DIGITS].encode("unicode_escape").decode()
        detail = f"`{shown}` is not the `next_cursor` of a page of history"
        raise InvalidGroup([Fault("cursor", "UNKNOWN_CURSOR", detail)])
    return min(int(cursor), MAX_REVISION)


def check_consent(consent: Consent) -> Consent:
    """Check a note. Return it as stores keep it: time in UTC, text storable. Raises: InvalidGroup."""
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
    """Replace lone surrogates in a text by `?`, so that every store can keep and compare it."""
    return text.encode("utf-8", "replace").decode()


def name_key(name: str) -> str:
    """Return the form in which names are compared, so that `Beta` and `BETA` are the same name."""
    folded = unicodedata.normalize("NFC", name.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def _in_utc(moment: datetime) -> datetime | None:
    if moment.tzinfo is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # in UTC it would be before year 1 or after year 9999
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

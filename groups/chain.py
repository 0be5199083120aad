"""The chain of an audit trail: each entry carries a digest over itself and the entry before. Pure.

Addresses count by the digests that stand in history once a person is forgotten, and the words of a
consent note by a digest that is kept beside them: so forgetting somebody changes no entry.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from groups.member_set import Digester
from groups.model import FORGOTTEN, Consent, GroupChange, storable
from groups.moments import to_us

ChainEntry = TypeVar("ChainEntry")
Damage = Literal["missing", "unreadable"]

UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, zlib.error)
"""What reading an entry raises that somebody changed; a store in use never meets them."""

_SIZE = 16
_DIGITS = 2 * _SIZE
_encode = msgspec.msgpack.Encoder().encode


class ChainHead(NamedTuple):
    """Where a chain ends: its last revision, and that one's digest, "" where it has none."""

    revision: int = 0
    chain: str = ""


class ChainExtent(NamedTuple):
    """Where a chain ends and how many entries of it are kept, of one moment."""

    head: ChainHead
    entries: int


class Trail(Protocol[ChainEntry]):
    """The entries of one chain as they are kept, damage included: what an audit reads.

    An entry has `chain`, its digest: "" where a release wrote it that had no chains yet.
    Every method may raise StoreUnavailable.
    """

    def kept(self) -> ChainExtent:
        """Give the end of the chain; revision 0 where there is none, or none that can be read."""

    def entries(self, first: int, last: int) -> Iterator[ChainEntry | Damage]:
        """Give what is kept of each revision from `first` to `last`."""

    def expected(self, before: str, entry: ChainEntry) -> str:
        """Give the digest that an entry has to carry. Args: before = the one of the entry before.

        Raises: one of UNREADABLE when the entry holds what no entry can.
        """


class ChainDigester:
    """Makes the digests of a deployment's chains; key = its GroupStore.digest_key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.digester = Digester(key)

    def of(self, kind: str, before: str, *facts: Any) -> str:
        """Give the digest of an entry, 32 hexadecimal digits.

        Args: kind = of chain; before = the digest of the entry before it, "" for the first; facts =
            what the entry says, as values of MessagePack.
        """
        made = blake2b(digest_size=_SIZE, key=self._key, person=kind.encode())
        made.update(_encode((before, *facts)))
        return made.hexdigest()

    def of_change(
        self,
        before: str,
        change: GroupChange,
        added: Iterable[int] | None = None,
        removed: Iterable[int] | None = None,
    ) -> str:
        """Give the digest of a write that is made; that of a consent note ends with its words'.

        Args: added, removed = digests of the addresses, where they are known already.
        """
        return self._of_change(before, change, self._words(change.consent), added, removed)

    def of_recorded(self, before: str, change: GroupChange) -> str:
        """Give the digest that a write of history has to carry. Raises: one of UNREADABLE.

        Words that somebody was forgotten in cannot be told by their digest any more.
        """
        words = self._words(change.consent)
        if change.consent and FORGOTTEN in change.consent.confirmed_by + change.consent.text:
            words = change.chain[_DIGITS:]
        return self._of_change(before, change, words)

    def _of_change(
        self,
        before: str,
        change: GroupChange,
        words: str,
        added: Iterable[int] | None = None,
        removed: Iterable[int] | None = None,
    ) -> str:
        recorded = self.digester.of_recorded
        made = self.of(
            "groups",
            before,
            change.publisher,
            change.revision,
            to_us(change.at),
            change.group_id,
            storable(change.actor),
            _packed(map(recorded, change.added) if added is None else added),
            _packed(map(recorded, change.removed) if removed is None else removed),
            None if change.consent is None else to_us(change.consent.at),
            words,
        )
        return made + words

    def _words(self, note: Consent | None) -> str:
        if note is None:
            return ""
        return self.of("consent", "", storable(note.confirmed_by), storable(note.text))


def _packed(digests: Iterable[int]) -> bytes:
    ordered = sorted(digests)
    try:
        return struct.pack(f">{len(ordered)}Q", *ordered)
    except struct.error as error:  # what stands there in place of an address is no digest
        raise ValueError(str(error)) from None

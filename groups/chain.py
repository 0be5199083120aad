"""The chain of an audit trail: each entry has a digest of its content and of the previous digest.

The digest covers no address itself, only the digest of the address, which stays in history after the
person is forgotten. It covers the text of a consent note by a digest that is stored with the entry. So
forgetting a person does not break the chain. Pure functions.
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
ChangeDigests = tuple[Iterable[int], Iterable[int]]

UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, zlib.error)
"""Exceptions that reading a tampered entry may raise. Reading an intact entry raises none of them."""

_SIZE = 16
_DIGITS = 2 * _SIZE
_encode = msgspec.msgpack.Encoder().encode


class ChainHead(NamedTuple):
    """The end of a chain. revision: the last revision. chain: its digest; "" if it has none."""

    revision: int = 0
    chain: str = ""


class ChainExtent(NamedTuple):
    """The end of a chain and its number of entries, both read at the same time."""

    head: ChainHead
    entries: int


class Trail(Protocol[ChainEntry]):
    """The entries of one chain as they are stored, including damaged ones, for an audit.

    Each entry has its digest in `chain`, which is "" if a release without chains wrote the entry.
    Every method may raise StoreUnavailable.
    """

    def kept(self) -> ChainExtent:
        """Return the end of the chain; revision 0 if the chain is empty or its end is unreadable."""

    def entries(self, first: int, last: int) -> Iterator[ChainEntry | Damage]:
        """Iterate over the revisions `first` to `last`: the entry of each, or how it is damaged."""

    def expected(self, before: str, entry: ChainEntry) -> str:
        """Compute the digest that an entry must have. Raises: an exception of UNREADABLE."""


class ChainDigester:
    """Computes the digests of a deployment's chains. Args: key = from GroupStore.digest_key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.digester = Digester(key)

    def of(self, kind: str, before: str, *facts: Any) -> str:
        """Compute the digest of an entry: 32 hexadecimal digits.

        Args: kind = name of the kind of chain; before = the digest of the previous entry, "" for the
            first; facts = the content of the entry, as values that MessagePack can encode.
        """
        digest = blake2b(digest_size=_SIZE, key=self._key, person=kind.encode())
        digest.update(_encode((before, *facts)))
        return digest.hexdigest()

    def of_change(
        self, before: str, change: GroupChange, digests: ChangeDigests | None = None
    ) -> str:
        """Compute the digest of a new write. digests: of addresses added and removed, if known."""
        return self._of_change(before, change, self._words(change.consent), digests)

    def of_recorded(self, before: str, change: GroupChange) -> str:
        """Compute the digest that a write in history must have. Raises: an exception of UNREADABLE.

        Forgetting a person changes the text of notes that name the person. For such a note, use the
        digest of the original text, which is stored with the write.
        """
        note = self._words(change.consent)
        if change.consent and FORGOTTEN in change.consent.confirmed_by + change.consent.text:
            note = change.chain[_DIGITS:]
        return self._of_change(before, change, note)

    def _of_change(
        self, before: str, change: GroupChange, note: str, digests: ChangeDigests | None = None
    ) -> str:
        recorded = self.digester.of_recorded
        added, removed = digests or (map(recorded, change.added), map(recorded, change.removed))
        digest = self.of(
            "groups",
            before,
            change.publisher,
            change.revision,
            to_us(change.at),
            change.group_id,
            storable(change.actor),
            _packed(added),
            _packed(removed),
            None if change.consent is None else to_us(change.consent.at),
            note,
        )
        return digest + note

    def _words(self, note: Consent | None) -> str:
        if note is None:
            return ""
        return self.of("consent", "", storable(note.confirmed_by), storable(note.text))


def _packed(digests: Iterable[int]) -> bytes:
    ordered = sorted(digests)
    try:
        return struct.pack(f">{len(ordered)}Q", *ordered)
    except (
        struct.error
    ) as error:  # a FORGOTTEN text in history has more than 64 bits after the prefix
        raise ValueError(str(error)) from None

"""The chain of an audit trail: each entry carries a digest of itself and of the entry before. Pure.

For the digest, an address counts as its own digest, which also stands in history after a person is
forgotten; the text of a consent note counts as a digest kept beside it. So forgetting breaks no chain.
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
"""What may be raised when a tampered entry is read; entries of an intact store raise nothing."""

_SIZE = 16
_DIGITS = 2 * _SIZE
_encode = msgspec.msgpack.Encoder().encode


class ChainHead(NamedTuple):
    """The end of a chain: its last revision and the digest of that entry, "" if it has none."""

    revision: int = 0
    chain: str = ""


class ChainExtent(NamedTuple):
    """The end of a chain and how many entries it has, as of one moment."""

    head: ChainHead
    entries: int


class Trail(Protocol[ChainEntry]):
    """The entries of one chain as they are kept, damage included, for an audit to read.

    An entry has `chain`, its digest; "" if a release without chains wrote it.
    Every method may raise StoreUnavailable.
    """

    def kept(self) -> ChainExtent:
        """Give the end of the chain; revision 0 if there is none or it cannot be read."""

    def entries(self, first: int, last: int) -> Iterator[ChainEntry | Damage]:
        """Give the entry, or the damage, of each revision from `first` to `last`."""

    def expected(self, before: str, entry: ChainEntry) -> str:
        """Give the digest that an entry has to carry. Args: before = the one of the entry before.

        Raises: one of UNREADABLE when the entry has values that no entry can have.
        """


class ChainDigester:
    """Makes the digests of a deployment's chains. Args: key = its GroupStore.digest_key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.digester = Digester(key)

    def of(self, kind: str, before: str, *facts: Any) -> str:
        """Give the digest of an entry, 32 hexadecimal digits.

        Args: kind = of the chain; before = the digest of the entry before it, "" for the first; facts =
            the content of the entry, as values for MessagePack.
        """
        digest = blake2b(digest_size=_SIZE, key=self._key, person=kind.encode())
        digest.update(_encode((before, *facts)))
        return digest.hexdigest()

    def of_change(
        self, before: str, change: GroupChange, digests: ChangeDigests | None = None
    ) -> str:
        """Give the digest of a new write; for a consent note it ends with the digest of the note's text.

        Args: digests = those of the addresses added and removed, if they are known already.
        """
        return self._of_change(before, change, self._words(change.consent), digests)

    def of_recorded(self, before: str, change: GroupChange) -> str:
        """Give the digest that a write in history has to carry. Raises: one of UNREADABLE.

        The text of a note that names a forgotten person has changed, so its digest is taken as kept.
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
    except struct.error as error:  # a text that replaces an address holds no valid digest
        raise ValueError(str(error)) from None

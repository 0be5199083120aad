"""A chain of writes in a Redis server, as the groups, the catalogue and the audit log each keep one.

The last write stands in a field of a head, and every write under its revision in a hash. A write is
saved only if the head is still as it was read; whoever came too late works the write out again.
"""

import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from groups.chain import UNREADABLE, ChainEntry, ChainExtent, ChainHead, Damage, Trail
from groups.errors import StoreUnavailable
from groups.moments import from_us, to_us
from groups.storage.redis_server import Command, RedisServer

T = TypeVar("T")

_TRIES = 100
"""How often a write is worked out again; each time somebody else's write was saved."""

_AT_ONCE = 200
"""Entries read in one step. A write to a group has at most 10,000 addresses, at 6 bytes."""


class HeadField(msgspec.Struct, frozen=True, array_like=True):
    """The last write of a chain as the head keeps it; revision 0 before the first.

    chain: its digest in the audit trail; empty where an earlier release wrote it without one.
    """

    revision: int = 0
    write_id: str = ""
    at_us: int = 0
    chain: bytes = b""

    @classmethod
    def of(
        cls, revision: int, at: datetime, chain: str, write_id: str | None = None
    ) -> "HeadField":
        """Make the field of a write, which gets a new id unless it has one. chain: in hexadecimal."""
        return cls(revision, write_id or secrets.token_hex(4), to_us(at), bytes.fromhex(chain))

    @property
    def at(self) -> datetime:
        """The moment of that write."""
        return from_us(self.at_us)


class _EntryStart(msgspec.Struct, array_like=True):
    """What every entry of every chain begins with."""

    at_us: int
    write_id: str


_encode = msgspec.msgpack.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(HeadField).decode
_decode_start = msgspec.msgpack.Decoder(_EntryStart).decode


def head_of(packed: bytes | None) -> HeadField:
    """Unpack the field of a head."""
    return HeadField() if packed is None else _decode_head(packed)


def packed_head(field: HeadField) -> bytes:
    """Pack the field of a head byte for byte as it was read, for a commit compares it."""
    if not field.chain:  # as an earlier release packed it
        return _encode((field.revision, field.write_id, field.at_us))
    return _encode(field)


def missing(what: str) -> StoreUnavailable:
    """Make the error for data that was written and is gone, by eviction for one: never "nobody"."""
    return StoreUnavailable(f"{what} is not there any more: restore the server from its backup")


def until_saved(attempt: Callable[[], T | None], what: str) -> T:
    """Attempt a write until it is saved; give what the attempt gives.

    Args: attempt = reads, works the write out and saves it; None when another write came first.
        what = what is written to, for the error.
    Raises: StoreUnavailable when others came first every time.
    """
    for _ in range(_TRIES):
        result = attempt()
        if result is not None:
            return result
        time.sleep(random.uniform(0.0, 0.01))  # noqa: S311 - so that writers do not meet again
    raise StoreUnavailable(f"too many others write to {what} just now: try again")


class RedisChain:
    """One chain of a server.

    Args: owner = the publisher, or what else the keys belong to; field = of the head; head, entries =
        keys in one slot.
    """

    def __init__(
        self, server: RedisServer, owner: str, field: str, *, head: str, entries: str
    ) -> None:
        self._server, self._owner, self._field = server, owner, field
        self._head_key, self._entries_key = head, entries

    def head(self) -> HeadField:
        """Read the last write."""
        return head_of(self._server.call("HGET", self._head_key, self._field))

    def save(
        self,
        before: HeadField,
        after: HeadField,
        commands: Sequence[Command],
        more: Mapping[str, tuple[bytes | None, bytes]] | None = None,
    ) -> bool:
        """Save the commands of a write; False when another write came first.

        True also where the server saved it, the answer was lost, and others have written since.
        Args: more = other fields of the head that change, each as it was and as it becomes.
        Raises: StoreUnavailable.
        """
        own = packed_head(before) if before.revision else None, packed_head(after)
        fields = {**(more or {}), self._field: own}
        saved = self._server.commit(self._owner, self._head_key, fields, commands)
        return saved or (after != before and self._was_saved(after))

    def entries(self, revisions: Sequence[int]) -> Iterator[tuple[int, bytes | None]]:
        """Read the entries of some revisions, in the order given; None for one that is missing."""
        for begin in range(0, len(revisions), _AT_ONCE):
            some = revisions[begin : begin + _AT_ONCE]
            saved = self._server.call("HMGET", self._entries_key, *map(str, some))
            yield from zip(some, saved, strict=True)

    def revision_at(self, until_us: int, last: int) -> int:
        """Find the highest revision, up to `last`, that was written at or before a moment."""
        low, high = 0, last
        while low < high:
            middle = (low + high + 1) // 2
            ((_, saved),) = self.entries([middle])
            if saved is None:
                raise missing(f"revision {middle} of `{self._owner}`")
            if _decode_start(saved).at_us <= until_us:
                low = middle
            else:
                high = middle - 1
        return low

    def extent(self) -> ChainExtent:
        """Read where the chain ends and how many entries it has, as of one moment."""
        last, number = self._server.read(
            [("HGET", self._head_key, self._field), ("HLEN", self._entries_key)]
        )
        try:
            end = head_of(last)
        except UNREADABLE:
            return ChainExtent(ChainHead(), number)
        return ChainExtent(ChainHead(end.revision, end.chain.hex()), number)

    def _was_saved(self, write: HeadField) -> bool:
        ((_, saved),) = self.entries([write.revision])
        return saved is not None and _decode_start(saved).write_id == write.write_id


class RedisTrail(Trail[ChainEntry]):
    """The audit trail of a chain; see groups.chain.Trail for what the methods promise.

    Args: read = reads the bytes of an entry, by its revision. expected = gives the digest that an entry
        has to carry, from the digest of the entry before it.
    """

    def __init__(
        self,
        chain: RedisChain,
        read: Callable[[int, bytes], ChainEntry],
        expected: Callable[[str, ChainEntry], str],
    ) -> None:
        self._chain, self._read, self._expected = chain, read, expected

    def kept(self) -> ChainExtent:
        return self._chain.extent()

    def entries(self, first: int, last: int) -> Iterator[ChainEntry | Damage]:
        for revision, saved in self._chain.entries(range(first, last + 1)):
            try:
                yield "missing" if saved is None else self._read(revision, saved)
            except UNREADABLE:
                yield "unreadable"

    def expected(self, before: str, entry: ChainEntry) -> str:
        return self._expected(before, entry)

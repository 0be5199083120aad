"""A chain of writes in a Redis server. Groups, catalogue and audit log each have chains.

The head, a hash, has the last write in a field; another hash has every write by its revision. A write
is saved only if the head has not changed since it was read; otherwise its author computes it again.
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
"""How often a write is attempted. An attempt fails only if another write was saved first."""

_CHUNK = 200
"""Entries read in one step. A write to a group has at most 10,000 addresses of 6 bytes each."""


class HeadField(msgspec.Struct, frozen=True, array_like=True):
    """The last write of a chain; revision 0 before the first. chain: digest, maybe empty."""

    revision: int = 0
    write_id: str = ""
    at_us: int = 0
    chain: bytes = b""

    @classmethod
    def of(
        cls, revision: int, at: datetime, chain: str, write_id: str | None = None
    ) -> "HeadField":
        """Build the field for a write. Args: chain = in hexadecimal; write_id = None for a new id."""
        return cls(revision, write_id or secrets.token_hex(4), to_us(at), bytes.fromhex(chain))

    @property
    def at(self) -> datetime:
        """The time of the write."""
        return from_us(self.at_us)


class _EntryStart(msgspec.Struct, array_like=True):
    """The first fields of an entry, which are the same in every chain."""

    at_us: int
    write_id: str


_encode = msgspec.msgpack.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(HeadField).decode
_decode_start = msgspec.msgpack.Decoder(_EntryStart).decode


def head_of(packed: bytes | None) -> HeadField:
    """Unpack a head's field for a chain; revision 0 if the field is missing."""
    return HeadField() if packed is None else _decode_head(packed)


def packed_head(field: HeadField) -> bytes:
    """Pack a head's field into exactly the bytes that were read, because a commit compares them."""
    if not field.chain:  # in the format of an earlier release
        return _encode((field.revision, field.write_id, field.at_us))
    return _encode(field)


def until_saved(attempt: Callable[[], T | None], what: str) -> T:
    """Repeat a write until it is saved. Return the result of the successful attempt.

    Args: attempt = reads, computes the write and saves it; returns None if another write was saved
        first. what = name of what is written to, for the error.
    Raises: StoreUnavailable if another write was saved first in every attempt.
    """
    for _ in range(_TRIES):
        result = attempt()
        if result is not None:
            return result
        time.sleep(random.uniform(0.0, 0.01))  # noqa: S311 - random, so that writers do not collide again
    raise StoreUnavailable(f"too many others write to {what} at the same time: try again")


class RedisChain:
    """One chain in a server.

    Args: owner = the publisher or other owner of the keys; field = the chain's field in the head;
        head, entries = Redis keys of the two hashes, in the same cluster slot.
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
        """Save the commands of a write. Return False if another write was saved first.

        Also return True if an earlier try saved the write, but the connection lost the answer.
        Args: more = other fields of the head that change: old and new value by name.
        Raises: StoreUnavailable.
        """
        own = packed_head(before) if before.revision else None, packed_head(after)
        fields = {**(more or {}), self._field: own}
        saved = self._server.commit(self._owner, self._head_key, fields, commands)
        return saved or (after != before and self._was_saved(after))

    def entries(self, revisions: Sequence[int]) -> Iterator[tuple[int, bytes | None]]:
        """Read the entries with these revisions, in the order given; None for a missing entry."""
        for begin in range(0, len(revisions), _CHUNK):
            some = revisions[begin : begin + _CHUNK]
            saved = self._server.call("HMGET", self._entries_key, *map(str, some))
            yield from zip(some, saved, strict=True)

    def revision_at(self, until_us: int, last: int) -> int:
        """Find the highest revision, up to `last`, that was written at or before `until_us`."""
        low, high = 0, last
        while low < high:
            middle = (low + high + 1) // 2
            ((_, saved),) = self.entries([middle])
            if saved is None:
                raise StoreUnavailable.lost(f"revision {middle} of `{self._owner}`")
            if _decode_start(saved).at_us <= until_us:
                low = middle
            else:
                high = middle - 1
        return low

    def extent(self) -> ChainExtent:
        """Read the end of the chain and its number of entries, at the same time."""
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
    """The audit trail of a chain; groups.chain.Trail documents the methods.

    Args: read = builds an entry from its revision and bytes. expected = computes the digest that an
        entry must have, from the digest of the previous entry.
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

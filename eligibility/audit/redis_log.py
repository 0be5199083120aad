"""AuditLog in the Redis or Valkey server that also holds the groups."""

import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import msgspec

from eligibility.audit.keys import LOG, AuditKeys
from eligibility.audit.log import LogEntry, link, storable_what
from groups.chain import UNREADABLE, ChainDigester, ChainExtent, ChainHead, Damage
from groups.errors import NotEmpty, StoreUnavailable
from groups.model import storable
from groups.moments import from_us, to_us
from groups.redis import packed
from groups.redis.packed import HeadField
from groups.redis.trail import kept, saved_entries
from groups.storage.redis_server import RedisServer

_FIELD = "log"
_TRIES = 100


class _Entry(msgspec.Struct, array_like=True):
    at_us: int
    write_id: str
    kind: str
    who: str
    what: dict[str, str]
    chain: bytes


_encode = msgspec.msgpack.Encoder(order="sorted").encode
_decode = msgspec.msgpack.Decoder(_Entry).decode


class RedisAuditLog:
    """See AuditLog for what the methods promise."""

    def __init__(self, server: RedisServer, digest_key: Callable[[], bytes]) -> None:
        """Take an open server; digest_key = GroupStore.digest_key of the same one."""
        self._server, self._digest_key = server, digest_key
        self._keys = AuditKeys(server.keys)

    def append(self, kind: str, who: str, what: Mapping[str, str]) -> LogEntry:
        """See AuditLog."""
        for _ in range(_TRIES):
            head = self._head()
            made = LogEntry(
                revision=head.revision + 1,
                kind=kind,
                who=storable(who),
                what=storable_what(what),
                at=from_us(max(to_us(self._server.clock()), head.at_us)),
                chain="",
            )
            made = replace(made, chain=link(self._links, head.chain.hex(), made))
            if self._save(head, made):
                return made
            time.sleep(random.uniform(0.0, 0.01))  # noqa: S311 - so that writers do not meet again
        raise StoreUnavailable("too many others write to the audit log just now: try again")

    def record(self, entries: Sequence[LogEntry]) -> None:
        """See AuditLog."""
        for entry in entries:
            head = self._head()
            if entry.revision != head.revision + 1 or not self._save(head, entry):
                detail = f"the log is at revision {head.revision}: {entry.revision} is not next"
                raise NotEmpty(detail)

    def head(self) -> ChainHead:
        """See AuditLog."""
        return self.kept().head

    def kept(self) -> ChainExtent:
        """See Trail."""
        return kept(self._server, self._keys.head, _FIELD, self._keys.entries)

    def entries(self, first: int, last: int) -> Iterator[LogEntry | Damage]:
        """See Trail."""
        for revision, saved in saved_entries(self._server, self._keys.entries, first, last):
            yield "missing" if saved is None else _entry(revision, saved)

    def expected(self, before: str, entry: LogEntry) -> str:
        """See Trail."""
        return link(self._links, before, entry)

    @cached_property
    def _links(self) -> ChainDigester:
        return ChainDigester(self._digest_key())

    def _head(self) -> HeadField:
        return packed.head(self._server.call("HGET", self._keys.head, _FIELD))

    def _save(self, head: HeadField, entry: LogEntry) -> bool:
        """Save the next entry; False when another came first."""
        chain, at_us, write_id = bytes.fromhex(entry.chain), to_us(entry.at), secrets.token_hex(4)
        after = HeadField(entry.revision, write_id, at_us, chain)
        saved = _encode(_Entry(at_us, write_id, entry.kind, entry.who, dict(entry.what), chain))
        key, revision = self._keys.entries, str(entry.revision)
        done = self._server.commit(
            LOG,
            {_FIELD: packed.packed_head(head) if head.revision else None},
            {_FIELD: packed.packed_head(after)},
            [("HSET", key, revision, saved)],
            head=self._keys.head,
        )
        # Its answer may have been lost, and others written since.
        return done or self._server.call("HGET", key, revision) == saved


def _entry(revision: int, saved: bytes) -> LogEntry | Damage:
    try:
        read = _decode(saved)
        return LogEntry(
            revision=revision,
            kind=read.kind,
            who=read.who,
            what=read.what,
            at=from_us(read.at_us),
            chain=read.chain.hex(),
        )
    except UNREADABLE:
        return "unreadable"

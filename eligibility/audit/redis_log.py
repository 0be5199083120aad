"""AuditLog in the Redis or Valkey server that also has the groups."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from eligibility.audit.log import AuditLog, LogEntry, link, next_entry
from eligibility.audit.redis_keys import LOG, AuditKeys
from groups.chain import ChainDigester, ChainHead
from groups.errors import NotEmpty
from groups.moments import from_us
from groups.storage.redis_chain import HeadField, RedisChain, RedisTrail, until_saved
from groups.storage.redis_server import RedisServer


class _Entry(msgspec.Struct, array_like=True):
    at_us: int
    write_id: str
    kind: str
    who: str
    what: dict[str, str]
    chain: bytes


_encode = msgspec.msgpack.Encoder(order="sorted").encode
_decode = msgspec.msgpack.Decoder(_Entry).decode


class RedisAuditLog(RedisTrail[LogEntry], AuditLog):
    """Implements AuditLog, which documents the methods."""

    def __init__(self, server: RedisServer, digester: Callable[[], ChainDigester]) -> None:
        """Args: server = open; digester = returns the digester of the deployment's audit trail."""
        self._server, self._digester = server, digester
        keys = self._keys = AuditKeys(server.keys)
        chain = RedisChain(server, LOG, "log", head=keys.head, entries=keys.entries)
        super().__init__(chain, _entry, lambda before, entry: link(digester(), before, entry))

    def append(self, kind: str, who: str, what: Mapping[str, str]) -> LogEntry:
        def attempt() -> LogEntry | None:
            head, clock = self._chain.head(), self._server.clock()
            before = ChainHead(head.revision, head.chain.hex())
            entry = next_entry(
                self._digester(), before, max(clock, head.at), kind=kind, who=who, what=what
            )
            return entry if self._save(head, entry) else None

        return until_saved(attempt, "the audit log")

    def record(self, entries: Sequence[LogEntry]) -> None:
        for entry in entries:
            head = self._chain.head()
            NotEmpty.unless_next("the log", head.revision, entry.revision)
            if not self._save(head, entry):
                raise NotEmpty("somebody else writes to the audit log")

    def _save(self, head: HeadField, entry: LogEntry) -> bool:
        """Save the next entry. Return False if another entry was saved first."""
        after = HeadField.of(entry.revision, entry.at, entry.chain)
        what = dict(entry.what)
        body = _Entry(after.at_us, after.write_id, entry.kind, entry.who, what, after.chain)
        command = ("HSET", self._keys.entries, str(entry.revision), _encode(body))
        return self._chain.save(head, after, [command])


def _entry(revision: int, saved: bytes) -> LogEntry:
    fields = _decode(saved)
    return LogEntry(
        revision=revision,
        kind=fields.kind,
        who=fields.who,
        what=fields.what,
        at=from_us(fields.at_us),
        chain=fields.chain.hex(),
    )

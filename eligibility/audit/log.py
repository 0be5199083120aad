"""AuditLog: a log of actions on a deployment. The docstrings are the contract of every backend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from groups.chain import ChainDigester, ChainHead, Trail
from groups.model import storable
from groups.moments import to_us


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One logged action. kind: as `key.created`. who: and from where. chain: the entry's digest."""

    revision: int
    kind: str
    who: str
    what: Mapping[str, str]
    at: datetime
    chain: str


class AuditLog(Trail[LogEntry], Protocol):
    """A permanent log of actions on a deployment, except changes of groups and catalogues.

    Entries are only appended, never changed. Each entry increases the revision by one and is saved
    completely or not at all. A later entry never has an earlier time. Every method may raise
    groups.errors.StoreUnavailable, but no exception of the backend itself.
    """

    def append(self, kind: str, who: str, what: Mapping[str, str]) -> LogEntry:
        """Append an entry for an action done now; LogEntry documents the arguments."""

    def record(self, entries: Sequence[LogEntry]) -> None:
        """Copy entries of another store unchanged, from the next revision on. Raises: NotEmpty."""

    def head(self) -> ChainHead:
        """Return the revision and digest of the last entry; 0 and "" if the log is empty."""
        return self.kept().head


def link(digester: ChainDigester, before: str, entry: LogEntry) -> str:
    """Compute the digest of an entry from its fields except `chain`, and the digest `before` it."""
    return digester.of(
        "deployment",
        before,
        entry.revision,
        to_us(entry.at),
        entry.kind,
        entry.who,
        sorted(entry.what.items()),
    )


def next_entry(
    digester: ChainDigester,
    before: ChainHead,
    at: datetime,
    *,
    kind: str,
    who: str,
    what: Mapping[str, str],
) -> LogEntry:
    """Build the entry after `before`; replace characters that a store cannot keep."""
    entry = LogEntry(
        revision=before.revision + 1,
        kind=kind,
        who=storable(who),
        what={storable(name): storable(value) for name, value in what.items()},
        at=at,
        chain="",
    )
    return replace(entry, chain=link(digester, before.chain, entry))

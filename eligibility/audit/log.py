"""AuditLog: deeds that belong to no publisher. The docstrings are the contract of every backend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from groups.chain import ChainDigester, ChainHead, Trail
from groups.model import storable
from groups.moments import to_us


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One deed. kind: such as `key.created`. who: the person or key, and from where, as one text.

    what: particulars by name. chain: the digest of the entry.
    """

    revision: int
    kind: str
    who: str
    what: Mapping[str, str]
    at: datetime
    chain: str


class AuditLog(Trail[LogEntry], Protocol):
    """A permanent log of what was done to a deployment, apart from groups and catalogue.

    Entries are only ever appended. Each raises the revision by one and is saved whole or not at all;
    moments never go back. Every method may raise
    groups.errors.StoreUnavailable, and no error of the backend's own.
    """

    def append(self, kind: str, who: str, what: Mapping[str, str]) -> LogEntry:
        """Append an entry for something done now."""

    def record(self, entries: Sequence[LogEntry]) -> None:
        """Take over entries of another store as they were; see GroupArchive.record.

        The first has to follow the last entry here. Raises: groups.errors.NotEmpty.
        """

    def head(self) -> ChainHead:
        """Return the last entry's revision and digest; 0 and "" before the first."""
        return self.kept().head


def link(digester: ChainDigester, before: str, entry: LogEntry) -> str:
    """Return the digest of an entry, whose own `chain` does not count.

    Args: before = the digest of the entry before it.
    """
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
    """Make the entry after the last one, with its digest, of text that every store can keep."""
    entry = LogEntry(
        revision=before.revision + 1,
        kind=kind,
        who=storable(who),
        what={storable(name): storable(value) for name, value in what.items()},
        at=at,
        chain="",
    )
    return replace(entry, chain=link(digester, before.chain, entry))

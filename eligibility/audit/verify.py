"""Verify that no entry of the audit trails is missing, changed or out of order.

Also verify that the stored groups and products are the result of the entries: every write must have
left an entry.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eligibility.audit.trail import Chain
from groups.chain import UNREADABLE, ChainHead, Trail

Progress = Callable[[str, int], None]
"""Called after each entry with the name of its chain and the number 1, to show progress."""

_DAMAGED = {
    "missing": "is missing; the entry after it cannot be checked against it",
    "unreadable": "cannot be read; the entry after it cannot be checked against it",
}
_CHANGED = "was changed: its digest does not match its content and the previous entry"
_UNCHAINED = (
    "has no digest, although an earlier entry has one: it was changed, or an older release wrote it"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference from what was written. revision: that of the damaged or missing entry."""

    chain: str
    revision: int
    what: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The result of `verify`. findings: empty if nothing is wrong.

    heads: the head of each chain; store them elsewhere for the next `verify`. entries: number read.
    unchained: chain -> number of its first entries written by releases without digests.
    """

    heads: Mapping[str, ChainHead]
    entries: int
    unchained: Mapping[str, int]
    findings: tuple[Finding, ...]


def heads(chains: list[Chain]) -> dict[str, ChainHead]:
    """Read the head (last revision and digest) of each chain."""
    return {chain.name: chain.trail.kept().head for chain in chains}


def verify(
    chains: list[Chain],
    known: Mapping[str, ChainHead] | None = None,
    step: Progress = lambda _name, _number: None,
) -> VerificationReport:
    """Verify chains from first entry to head. known: earlier heads, which reveal a roll-back."""
    known = known or {}
    readers = [_Reader(chain, known.get(chain.name, ChainHead())) for chain in chains]
    findings = [finding for reader in readers for finding in reader.read(step)]
    gone = sorted(known.keys() - {chain.name for chain in chains})
    findings += [
        Finding(name, known[name].revision, "is missing, and so is the whole chain")
        for name in gone
        if known[name].revision
    ]
    return VerificationReport(
        heads={reader.name: reader.head for reader in readers},
        entries=sum(reader.entries for reader in readers),
        unchained={reader.name: reader.unchained for reader in readers if reader.unchained},
        findings=tuple(findings),
    )


class _Reader:
    """Verifies one chain up to its head. known: a head read earlier; revision 0 = none is known."""

    def __init__(self, chain: Chain, known: ChainHead) -> None:
        self.name, self._known = chain.name, known
        self._trail: Trail[Any] = chain.trail
        self.head = self._trail.kept().head
        self._replay = None if chain.replay is None else chain.replay()
        self.entries = self.unchained = 0
        self._began = False
        self._before: str | None = ""
        """The digest of the previous entry; "" before the first, None if that entry is damaged."""

    def read(self, step: Progress) -> Iterator[Finding]:
        entries = self._trail.entries(1, self.head.revision)
        for revision, entry in enumerate(entries, 1):
            what = self._damage(revision, entry) or self._not_replayed(entry)
            if what is not None:
                self._replay = None  # entries after damage cannot be replayed reliably
                yield Finding(self.name, revision, what)
            step(self.name, 1)
        if self._before not in (None, self.head.chain):
            what = "is not the end of the chain: its digest differs from the one that the store names as the last"
            yield self._at_head(what)
        if self.head.revision < self._known.revision:
            what = f"the chain was at revision {self._known.revision} earlier: entries were removed"
            yield self._at_head(what)
        beyond = self._entries_beyond_the_head()
        if beyond > 0:
            what = f"the store has {beyond} more entries than the chain: its end was cut off, or entries were added"
            yield Finding(self.name, self.head.revision + 1, what)
        elif self._replay is not None:
            yield from map(self._at_head, self._replay.differences(self.head.revision))

    def _damage(self, revision: int, entry: Any) -> str | None:
        """Describe the fault of an entry; return None if it has no fault."""
        if entry != "missing":
            self.entries += 1
        if isinstance(entry, str):
            self._before = None
            return _DAMAGED[entry]
        before, self._before = self._before, entry.chain
        if revision == self._known.revision and entry.chain != self._known.chain:
            return "differs from what it was earlier: the chain was rewritten"
        if not entry.chain:
            self.unchained += not self._began
            return _UNCHAINED if self._began else None
        self._began = True
        return None if before is None or self._is_as_written(before, entry) else _CHANGED

    def _not_replayed(self, entry: Any) -> str | None:
        """Replay an entry; describe the fault if that is impossible."""
        try:
            if self._replay is not None:
                self._replay.take(entry)
        except UNREADABLE:
            self._before = None
            return _DAMAGED["unreadable"]
        return None

    def _is_as_written(self, before: str, entry: Any) -> bool:
        try:
            return bool(self._trail.expected(before, entry) == entry.chain)
        except UNREADABLE:
            return False

    def _entries_beyond_the_head(self) -> int:
        now = self._trail.kept()
        written_since = max(0, now.head.revision - self.head.revision)
        return now.entries - self.entries - written_since

    def _at_head(self, what: str) -> Finding:
        return Finding(self.name, self.head.revision, what)

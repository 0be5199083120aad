"""Recorder: hears of every decision, and writes down what came of them, off the path of answers.

Whoever answers adds to what was heard (heard.py), which costs less than half a microsecond. A thread
takes it up every two seconds, in short steps so that answers never wait long for it, and writes to
the store. Every decision is counted; of whom it was is noted of so many members at most.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from eligibility.access.wire import QueryFields, to_query
from eligibility.activity.buffer import LATEST, Buffer, CachedOrDecision, RecordedQuery, key_of
from eligibility.activity.model import Batch, CountKey, LastAnswer, RecentDecision
from eligibility.activity.store import ActivityStore
from eligibility.engine.decision_cache import DecisionBody
from eligibility.engine.held_product import HeldProduct
from eligibility.errors import InvalidInput
from eligibility.explain.outcome import OutcomeKind
from groups.errors import GroupsError

_EVERY_S, _PRUNE_S = 2.0, 3_600.0
_STEP, _PAUSE_S = 20, 0.001
"""Askers looked at between two breaths, a fifth of a millisecond; and how long a breath is."""

_log = logging.getLogger("eligibility.activity")


@dataclass(slots=True)
class _Pending:
    """What is not written yet, of one publisher."""

    counts: Counter[tuple[int, CountKey]] = field(default_factory=Counter)
    last: dict[tuple[str, int], LastAnswer] = field(default_factory=dict)
    seen: list[RecentDecision] = field(default_factory=list)


class _Looked(NamedTuple):
    """A decision that was looked at. digest: of the account; members: those of its addresses."""

    pending: _Pending
    product_id: str
    digest: int | None
    members: list[int]
    answer: LastAnswer


class Recorder:
    """Gathers the activity of one server process.

    held: gives a product from memory by its id, if it is there. keep: how long it is kept; none =
    nothing is, decisions are counted for `totals` alone, and what was kept before is removed.
    """

    def __init__(
        self,
        store: ActivityStore,
        held: Callable[[str], HeldProduct | None],
        keep: timedelta,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._held, self._keep, self._clock = store, held, keep, clock
        self._hearing, self._taking = threading.Lock(), threading.Lock()
        self._writing = threading.Lock()
        self._heard, self._earlier = Buffer(clock()), list[Buffer]()
        self._pending: dict[str, _Pending] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._away = False
        self.totals: Counter[tuple[OutcomeKind, str]] = Counter()
        """Decisions since the start, by outcome and first reason."""
        self.dropped = 0
        """Decisions that could not be written down, since the start."""

    def one(self, asked: QueryFields, told: CachedOrDecision, now: float) -> None:
        """Hear of a decision. now: seconds since the epoch."""
        with self._hearing:
            heard = self._heard
            if not heard.begins <= now < heard.ends:
                heard = self._turned(now)
            heard.one(asked, told, now)

    def many(self, asked: Sequence[object], told: Sequence[object], now: float) -> None:
        """Hear of a batch answered from memory; what is no answer in it is left out."""
        with self._hearing:
            heard = self._heard
            if not heard.begins <= now < heard.ends:
                heard = self._turned(now)
            heard.many(asked, told, now)

    def start(self) -> None:
        """Begin to write, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="activity", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is left, and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.flush()

    def flush(self) -> None:
        """Take up and write everything heard of so far."""
        self.take_up()
        self.write()

    def _run(self) -> None:
        prune_at = time.monotonic()
        while not self._stop.wait(_EVERY_S):
            try:
                if time.monotonic() >= prune_at:
                    prune_at = time.monotonic() + _PRUNE_S
                    self.prune()
                self.take_up(_PAUSE_S)
                self.write()
            except Exception:  # noqa: BLE001 - activity must never end for good
                _log.exception("activity was not noted")

    def _turned(self, now: float) -> Buffer:
        self._earlier.append(self._heard)
        self._heard = Buffer(now)
        return self._heard

    # --- taking up ------------------------------------------------------------------------------

    def take_up(self, pause: float = 0.0) -> None:
        """Sort what was heard of by publisher, with a pause in seconds after each step."""
        with self._taking:
            with self._hearing:
                self._turned(self._heard.begins)
                taken, self._earlier = self._earlier, []
            for heard in taken:
                for key, decisions in heard.counts().items():
                    self._count(heard.begins, key, decisions)
                if self._keep:
                    self._note(heard, pause)

    def _count(self, minute: int, key: CountKey, decisions: int) -> None:
        self.totals[key.kind, key.reason] += decisions
        if not self._keep:
            return
        held = self._held(key.product_id)
        if held is None:
            self.dropped += decisions
        else:
            self._of(held.publisher).counts[minute, key] += decisions

    def _note(self, heard: Buffer, pause: float) -> None:
        """Note who asked: what each member was told last, and the latest decisions."""
        for number, asked in enumerate(heard.askers.values(), 1):
            if (found := self._looked_at(asked)) is not None:
                for one in found.members:
                    found.pending.last[found.product_id, one] = found.answer
            if pause and number % _STEP == 0:
                time.sleep(pause)
        for asked in heard.latest:
            if (found := self._looked_at(asked)) is not None:
                seen = found.pending.seen
                seen.append(
                    RecentDecision(
                        found.product_id, found.digest, bool(found.members), found.answer
                    )
                )
                del seen[:-LATEST]

    def _looked_at(self, asked: RecordedQuery) -> "_Looked | None":
        """Whose a decision was and what it said; None where that cannot be told any more."""
        query, told, now = asked
        key, outcome = key_of(told.decision if isinstance(told, DecisionBody) else told)
        held = self._held(key.product_id)
        if held is None:
            return None
        try:
            read = to_query(query)
        except InvalidInput:  # nobody's: the standards answer those, too
            return None
        device = read.device
        answer = LastAnswer(
            now,
            key.kind,
            key.flight_id,
            outcome.version or "",
            outcome.reasons,
            device.family,
            device.os_version,
            device.architecture or "",
        )
        addresses = read.account.addresses if read.account else ()
        digests = [held.snapshot.digester.of(one) for one in addresses]
        members = [one for one in digests if held.snapshot.index.find(one)]
        digest = digests[0] if digests else None
        return _Looked(self._of(held.publisher), key.product_id, digest, members, answer)

    def _of(self, publisher: str) -> _Pending:
        return self._pending.setdefault(publisher, _Pending())

    # --- writing --------------------------------------------------------------------------------

    def write(self) -> None:
        """Write what was taken up; what cannot be written is dropped, and said so once.

        Waits for a write that goes on, so that whoever reads afterwards finds everything.
        """
        with self._writing:
            with self._taking:
                pending, self._pending = self._pending, {}
            self._write(pending)

    def _write(self, pending: Mapping[str, _Pending]) -> None:
        for publisher, one in pending.items():
            try:
                self._store.add(publisher, Batch(one.counts, one.last, one.seen))
            except GroupsError as error:
                self.dropped += one.counts.total()
                if not self._away:
                    _log.warning("activity is not written, and is lost: %s", error)
                self._away = True
            else:
                if self._away:
                    _log.warning("activity is written again")
                self._away = False

    def prune(self) -> None:
        """Remove what is older than it may be; everything, where nothing is to be kept."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        try:
            for publisher in self._store.publishers():
                if self._keep:
                    self._store.prune(publisher, self._keep, now)
                else:
                    self._store.clear(publisher)
        except GroupsError as error:
            _log.warning("old activity was not removed: %s", error)

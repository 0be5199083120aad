"""Recorder: hears of every decision, and writes down what came of them, off the path of answers.

Whoever answers adds to a list, which costs a tenth of a microsecond. A thread takes it up in short
steps, so that answers never wait long for it, and writes to the store every few seconds. Every
decision is counted; of whom it was is looked at only as far as there is time, for under load the
same members ask again soon.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from msgspec import structs

from eligibility.activity.model import MINUTE, Batch, CountKey, LastAnswer, Seen
from eligibility.activity.store import ActivityStore
from eligibility.answer import Answer
from eligibility.errors import InvalidInput
from eligibility.held import HeldProduct
from eligibility.model import Decision
from eligibility.simulation.outcome import Outcome, outcome_of
from eligibility.wire import QueryFields, to_query
from groups.errors import GroupsError

_TAKE_UP_S, _WRITE_S, _PRUNE_S = 0.2, 5.0, 3_600.0
_STEP = 2_000
"""Requests taken up between two breaths."""
_LOOKED_AT = 100
"""Askers looked at each time, at most: one costs ten times what counting a decision costs."""
_PAUSE_S = 0.001
_SEEN_A_WRITE = 50
_MOST_KNOWN = 20_000

_log = logging.getLogger("eligibility.activity")

Told = Answer | Decision


@dataclass(slots=True)
class _Pending:
    """What is not written yet, of one publisher."""

    counts: Counter[tuple[int, CountKey]] = field(default_factory=Counter)
    last: dict[tuple[str, int], LastAnswer] = field(default_factory=dict)
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=_SEEN_A_WRITE))


class _About(NamedTuple):
    """What an answer comes to."""

    told: Told
    key: CountKey
    outcome: Outcome


class Recorder:
    """Gathers the activity of one server process.

    held: gives a product from memory by its id, if it is there. keep: how long it is kept.
    """

    def __init__(
        self,
        store: ActivityStore,
        held: Callable[[str], HeldProduct | None],
        keep: timedelta,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._held, self._keep, self._clock = store, held, keep, clock
        self._heard: deque[tuple[Any, Any, float]] = deque()
        self._known: dict[int, _About] = {}
        self._pending: dict[str, _Pending] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.dropped = 0
        """Decisions that could not be written down, since the start."""

    def one(self, asked: QueryFields, told: Told, now: float) -> None:
        """Hear of a decision. now: seconds since the epoch."""
        self._heard.append((asked, told, now))

    def many(self, asked: Sequence[object], told: Sequence[object], now: float) -> None:
        """Hear of a batch of queries; what is no answer in it is left out."""
        self._heard.append((asked, told, now))

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
        self.take_up(pause=0.0)
        self.write()

    def _run(self) -> None:
        write_at = prune_at = time.monotonic() + _WRITE_S
        while not self._stop.wait(_TAKE_UP_S):
            try:
                self.take_up(_PAUSE_S)
                now = time.monotonic()
                if now >= write_at:
                    self.write()
                    write_at = now + _WRITE_S
                if now >= prune_at:
                    self.prune()
                    prune_at = now + _PRUNE_S
            except Exception:  # noqa: BLE001 - activity must never end for good
                _log.exception("activity was not noted")

    # --- taking up ------------------------------------------------------------------------------

    def take_up(self, pause: float) -> None:
        """Count what was heard of, pause after every _STEP, and look at some of who asked."""
        heard, left = self._heard, _LOOKED_AT
        with self._lock:
            for start in range(0, len(heard), _STEP):
                if start and pause:
                    time.sleep(pause)
                singles = []
                for _ in range(min(_STEP, len(heard))):
                    one = heard.popleft()
                    if isinstance(one[1], (Answer, Decision)):
                        singles.append(one)
                    else:
                        left -= self._take(*one, left)
                if singles:
                    asked, told, moments = zip(*singles, strict=True)
                    left -= self._take(asked, told, moments[-1], left)
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()

    def _take(self, asked: Sequence[Any], told: Sequence[object], now: float, most: int) -> int:
        """Count answers, those that are one object together; look at the first who asked, `most`."""
        ids = list(map(id, told))
        by_id = dict(zip(ids, told, strict=True))
        for number, decisions in Counter(ids).items():
            one = by_id[number]
            if isinstance(one, (Answer, Decision)):
                self._count(self._about(one).key, now, decisions)
        looked_at = 0
        for query, one in zip(asked[: max(most, 0)], told, strict=False):
            if isinstance(one, (Answer, Decision)):
                looked_at += self._look(query, self._about(one), now)
        return looked_at

    def _about(self, told: Told) -> "_About":
        """What an answer comes to. It is kept, so that no other one gets its id."""
        known = self._known.get(id(told))
        if known is None:
            decision = told.decision if isinstance(told, Answer) else told
            outcome = outcome_of(decision)
            flight_id = outcome.source or outcome.missed_flight or ""
            key = CountKey(decision.product_id, outcome.kind, flight_id, outcome.reasons[0])
            known = self._known[id(told)] = _About(told, key, outcome)
        return known

    def _count(self, key: CountKey, now: float, decisions: int) -> None:
        held = self._held(key.product_id)
        if held is None:
            self.dropped += decisions
            return
        second = int(now)
        self._of(held.publisher).counts[second - second % MINUTE, key] += decisions

    def _look(self, asked: QueryFields, about: _About, now: float) -> int:
        """Note who asked: a member's last answer, and anybody's among the latest; 1 if it was."""
        _, key, outcome = about
        held = self._held(key.product_id)
        if held is None:
            return 0
        try:
            query = to_query(asked)
        except InvalidInput:
            return 0
        family, os_version, architecture = structs.astuple(query.device)
        answer = LastAnswer(
            now,
            key.kind,
            key.flight_id,
            outcome.version or "",
            outcome.reasons,
            family,
            os_version,
            architecture or "",
        )
        pending, digest, member = self._of(held.publisher), None, False
        if query.account is not None:
            digest = held.digester.of(query.account.id)
            for one in map(held.digester.of, query.account.addresses):
                if held.index.find(one):
                    member = True
                    pending.last[key.product_id, one] = answer
        pending.seen.append(Seen(key.product_id, digest, member, answer))
        return 1

    def _of(self, publisher: str) -> _Pending:
        return self._pending.setdefault(publisher, _Pending())

    # --- writing --------------------------------------------------------------------------------

    def write(self) -> None:
        """Write what was taken up; what cannot be written is dropped, and said so."""
        with self._lock:
            pending, self._pending = self._pending, {}
        for publisher, one in pending.items():
            last = {who: answer for who, answer in one.last.items() if self._is_member(*who)}
            try:
                self._store.add(publisher, Batch(one.counts, last, tuple(one.seen)))
            except GroupsError as error:
                self.dropped += one.counts.total()
                _log.warning("activity of `%s` was not written: %s", publisher, error)

    def _is_member(self, product_id: str, digest: int) -> bool:
        """Whether it still is one: somebody may have been forgotten since."""
        held = self._held(product_id)
        return held is not None and bool(held.index.find(digest))

    def prune(self) -> None:
        """Remove what is older than it may be."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        try:
            for publisher in self._store.publishers():
                self._store.prune(publisher, self._keep, now)
        except GroupsError as error:
            _log.warning("old activity was not removed: %s", error)


class NoRecorder(Recorder):
    """Where nothing is to be kept: hears of nothing."""

    def __init__(self) -> None:
        self.dropped = 0

    def one(self, asked: QueryFields, told: Told, now: float) -> None:
        """Nothing."""

    def many(self, asked: Sequence[object], told: Sequence[object], now: float) -> None:
        """Nothing."""

    def start(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""

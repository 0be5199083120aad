"""Recorder: count every decision and store the counts without delaying responses.

The code that answers a query adds it to a buffer (buffer.py). Every two seconds, a thread empties
the buffers and writes to the store. It works in short steps, so that responses hardly wait. All
decisions are counted, but last answers are stored for a limited number of members only.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from eligibility.access.wire import to_query
from eligibility.activity.buffer import LATEST, Buffer, Buffers, RecordedQuery, key_of
from eligibility.activity.model import Batch, CountKey, LastAnswer, RecentDecision
from eligibility.activity.store import ActivityStore
from eligibility.engine.decision_cache import DecisionBody
from eligibility.engine.held_product import HeldProduct
from eligibility.errors import InvalidInput
from eligibility.explain.outcome import OutcomeKind
from groups.errors import GroupsError

_EVERY_S, _PRUNE_S = 2.0, 3_600.0
_STEP, _PAUSE_S = 20, 0.001
"""The thread pauses for _PAUSE_S after each _STEP queries, which take a fifth of a millisecond."""

_log = logging.getLogger("eligibility.activity")


class _AccountDecision(NamedTuple):
    """A decision. digest: of the account. members: digests of its addresses that are in a group."""

    pending: Batch
    product_id: str
    digest: int | None
    members: list[int]
    answer: LastAnswer


class Recorder:
    """Records the activity of one server process.

    product_of: finds a product in memory by its id. keep: how long activity stays stored; zero = count
    decisions in `totals` only, store nothing, and delete the activity stored before.
    """

    def __init__(
        self,
        store: ActivityStore,
        product_of: Callable[[str], HeldProduct | None],
        keep: timedelta,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._product_of, self._keep, self._clock = store, product_of, keep, clock
        self._pending_lock, self._writing = threading.Lock(), threading.Lock()
        self._buffers = Buffers(clock())
        self.record, self.record_batch = self._buffers.record, self._buffers.record_batch
        self._pending: dict[str, Batch] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._away = False
        self.totals: Counter[tuple[OutcomeKind, str]] = Counter()
        """Number of decisions since the start, by outcome and first reason."""
        self.dropped = 0
        """Number of decisions since the start that could not be stored."""

    def start(self) -> None:
        """Start the thread that empties the buffers and stores activity."""
        self._thread = threading.Thread(target=self._run, name="activity", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and store what is still in memory."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.flush()

    def flush(self) -> None:
        """Store everything recorded so far, in the calling thread."""
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
            except Exception:  # noqa: BLE001 - one failure must not end the thread
                _log.exception("activity could not be stored")

    def take_up(self, pause: float = 0.0) -> None:
        """Move the buffers' decisions to a batch for each publisher. Args: pause = see _PAUSE_S."""
        with self._pending_lock:
            for buffer in self._buffers.take():
                for key, decisions in buffer.counts().items():
                    self._count(buffer.begins, key, decisions)
                if self._keep:
                    self._note_accounts(buffer, pause)

    def _count(self, minute: int, key: CountKey, decisions: int) -> None:
        self.totals[key.kind, key.reason] += decisions
        if not self._keep:
            return
        product = self._product_of(key.product_id)
        if product is None:
            self.dropped += decisions
        else:
            counts = self._of(product.publisher).counts
            counts[minute, key] = counts.get((minute, key), 0) + decisions

    def _note_accounts(self, buffer: Buffer, pause: float) -> None:
        """Add the last answer of each member and the latest decisions to the batches."""
        for number, recorded in enumerate(buffer.last.values(), 1):
            if (decision := self._account_decision(recorded)) is not None:
                for member in decision.members:
                    decision.pending.last[decision.product_id, member] = decision.answer
            if pause and number % _STEP == 0:
                time.sleep(pause)
        for recorded in buffer.latest:
            if (decision := self._account_decision(recorded)) is not None:
                _, product_id, digest, members, answer = decision
                seen = decision.pending.seen
                seen.append(RecentDecision(product_id, digest, bool(members), answer))
                del seen[:-LATEST]

    def _account_decision(self, recorded: RecordedQuery) -> _AccountDecision | None:
        """Return the account and answer of a decision; None if product or account is not known."""
        fields, body, now = recorded
        key, outcome = key_of(body.decision if isinstance(body, DecisionBody) else body)
        product = self._product_of(key.product_id)
        if product is None:
            return None
        try:
            query = to_query(fields)
        except InvalidInput:  # AuthZEN and OFREP also answer queries whose account is not valid
            return None
        device = query.device
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
        addresses = query.account.addresses if query.account else ()
        digests = [product.snapshot.digester.of(address) for address in addresses]
        members = [digest for digest in digests if product.snapshot.index.find(digest)]
        first = digests[0] if digests else None
        return _AccountDecision(self._of(product.publisher), key.product_id, first, members, answer)

    def _of(self, publisher: str) -> Batch:
        return self._pending.setdefault(publisher, Batch())

    def write(self) -> None:
        """Store the batches of all publishers. Drop those that cannot be stored, and log that once.

        Waits until a write in another thread has ended, so that everything is stored on return.
        """
        with self._writing:
            with self._pending_lock:
                pending, self._pending = self._pending, {}
            self._write(pending)

    def _write(self, pending: Mapping[str, Batch]) -> None:
        for publisher, batch in pending.items():
            try:
                self._store.add(publisher, batch)
            except GroupsError as error:
                self.dropped += sum(batch.counts.values())
                if not self._away:
                    _log.warning("activity cannot be stored and is lost: %s", error)
                self._away = True
            else:
                if self._away:
                    _log.warning("activity is stored again")
                self._away = False

    def prune(self) -> None:
        """Delete activity older than `keep`, or all activity if `keep` is zero."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        try:
            for publisher in self._store.publishers():
                if self._keep:
                    self._store.prune(publisher, self._keep, now)
                else:
                    self._store.clear(publisher)
        except GroupsError as error:
            _log.warning("old activity could not be deleted: %s", error)

"""Buffers: the decisions of each minute, counted, so that they take little memory.

To add a decision costs less than half a microsecond; recorder.py empties the buffers in a thread.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import cast

from eligibility.access.model import Decision
from eligibility.access.wire import QueryFields
from eligibility.activity.model import MINUTE, CountKey
from eligibility.engine.decision_cache import DecisionBody
from eligibility.explain.outcome import Outcome, outcome_of

MOST_ASKERS = 500
"""Members noted in one buffer; further decisions are only counted, which costs 300 times less."""
LATEST = 50
_LATEST_OF_A_BATCH = 10

CachedOrDecision = DecisionBody | Decision


RecordedQuery = tuple[QueryFields, CachedOrDecision, float]
"""A query, its decision, and when it was made, in seconds since the epoch."""


class Buffer:
    """The decisions of one minute at most. Not thread-safe; Buffers holds a lock.

    begins, ends: the seconds of the minute, `ends` excluded. latest: the latest queries. last: the
    last query of each member, by product and account as sent; if a decision does not say whether the
    account is a member, strangers too.
    """

    __slots__ = ("_cached", "_counts", "_distinct", "_room", "begins", "ends", "last", "latest")

    def __init__(self, now: float) -> None:
        second = int(now)
        self.begins = second - second % MINUTE
        self.ends = self.begins + MINUTE
        self.last: dict[tuple[str, str], RecordedQuery] = {}
        self.latest: deque[RecordedQuery] = deque(maxlen=LATEST)
        self._room = MOST_ASKERS
        self._counts: Counter[CountKey] = Counter()
        self._cached: Counter[DecisionBody] = Counter()
        self._distinct = 0

    def add(self, query: QueryFields, decision: CachedOrDecision, now: float) -> None:
        """Add a decision."""
        if isinstance(decision, DecisionBody):
            # Not `+=`, which takes twice as long for an existing key.
            self._cached[decision] = self._cached.get(decision, 0) + 1
            may_be_member = decision.member
        else:
            self._counts[key_of(decision)[0]] += 1
            may_be_member = True
        recorded = query, decision, now
        self.latest.append(recorded)
        account = query.account
        if may_be_member and account and self._room:
            self._room -= 1
            self.last[query.product_id, account.id] = recorded

    def add_batch(self, queries: Sequence[object], results: Sequence[object], now: float) -> None:
        """Add the cached decisions among the results of a batch."""
        self._cached.update(cast("Sequence[DecisionBody]", results))
        if len(self._cached) > self._distinct:
            for other in [key for key in self._cached if not isinstance(key, DecisionBody)]:
                del self._cached[other]
            self._distinct = len(self._cached)
        end = slice(-_LATEST_OF_A_BATCH, None)
        self.latest.extend(
            (query, body, now) for query, body in _decided(queries[end], results[end])
        )
        if self._room:
            of_members = ((q, body) for q, body in _decided(queries, results) if body.member)
            for query, body in islice(of_members, self._room):
                self._room -= 1
                if query.account:  # members have one
                    self.last[query.product_id, query.account.id] = query, body, now

    def counts(self) -> Counter[CountKey]:
        """Count the decisions of each kind."""
        counts = self._counts.copy()
        for body, decisions in self._cached.items():
            counts[key_of(body.decision)[0]] += decisions
        return counts


class Buffers:
    """The buffers of a process that nobody has emptied yet. Safe to use from many threads."""

    def __init__(self, now: float) -> None:
        self._lock = threading.Lock()
        self._buffer, self._full = Buffer(now), list[Buffer]()

    def record(self, query: QueryFields, decision: CachedOrDecision, now: float) -> None:
        """Record a decision. now: seconds since the epoch."""
        with self._lock:
            buffer = self._buffer
            if not buffer.begins <= now < buffer.ends:
                buffer = self._next(now)
            buffer.add(query, decision, now)

    def record_batch(
        self, queries: Sequence[object], results: Sequence[object], now: float
    ) -> None:
        """Record the cached decisions among the results of a batch."""
        with self._lock:
            buffer = self._buffer
            if not buffer.begins <= now < buffer.ends:
                buffer = self._next(now)
            buffer.add_batch(queries, results, now)

    def take(self) -> list[Buffer]:
        """Give all buffers, the oldest first, and begin with an empty one."""
        with self._lock:
            self._next(self._buffer.begins)
            buffers, self._full = self._full, []
        return buffers

    def _next(self, now: float) -> Buffer:
        self._full.append(self._buffer)
        self._buffer = Buffer(now)
        return self._buffer


def key_of(decision: Decision) -> tuple[CountKey, Outcome]:
    """Return the key under which a decision is counted, and its outcome."""
    outcome = outcome_of(decision)
    flight_id = outcome.flight_id or ""
    return CountKey(decision.product_id, outcome.kind, flight_id, outcome.reasons[0]), outcome


def _decided(
    queries: Sequence[object], results: Sequence[object]
) -> Iterator[tuple[QueryFields, DecisionBody]]:
    """The queries that have a cached decision, each with it."""
    for query, result in zip(queries, results, strict=True):
        if isinstance(result, DecisionBody):
            yield cast("QueryFields", query), result

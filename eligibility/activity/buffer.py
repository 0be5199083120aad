"""Buffers: count the decisions of each minute, instead of storing each, to need little memory."""

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
"""A buffer stores this many queries of members. It only counts others (300 times cheaper)."""
LATEST = 50
_LATEST_OF_A_BATCH = 10

CachedOrDecision = DecisionBody | Decision


RecordedQuery = tuple[QueryFields, CachedOrDecision, float]
"""A query, its decision, and the time of the decision in seconds since the epoch."""


class Buffer:
    """Decisions of at most one minute. Not thread-safe: Buffers calls it under a lock.

    begins, ends: the first second of the minute, and of the next. latest: the latest queries. last:
    product id and account id as sent -> the last query of a group member. A Decision does not show
    whether its account is a member, so `last` may contain other accounts too.
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
        """Count a decision, and store its query if there is room."""
        if isinstance(decision, DecisionBody):
            # `+=` would take twice as long for an existing key.
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
        """Count the cached decisions among the results of a batch; skip all other results."""
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
                if query.account:  # for the type checker: members have an account
                    self.last[query.product_id, query.account.id] = query, body, now

    def counts(self) -> Counter[CountKey]:
        """Return the number of decisions for each key."""
        counts = self._counts.copy()
        for body, decisions in self._cached.items():
            counts[key_of(body.decision)[0]] += decisions
        return counts


class Buffers:
    """The buffers of a process that are not stored yet. Safe to use from many threads."""

    def __init__(self, now: float) -> None:
        self._lock = threading.Lock()
        self._buffer, self._full = Buffer(now), list[Buffer]()

    def record(self, query: QueryFields, decision: CachedOrDecision, now: float) -> None:
        """Add a decision to the buffer of its minute. Args: now = seconds since the epoch."""
        with self._lock:
            buffer = self._buffer
            if not buffer.begins <= now < buffer.ends:
                buffer = self._next(now)
            buffer.add(query, decision, now)

    def record_batch(
        self, queries: Sequence[object], results: Sequence[object], now: float
    ) -> None:
        """Add the cached decisions among the results of a batch; skip all other results."""
        with self._lock:
            buffer = self._buffer
            if not buffer.begins <= now < buffer.ends:
                buffer = self._next(now)
            buffer.add_batch(queries, results, now)

    def take(self) -> list[Buffer]:
        """Remove and return all buffers, oldest first; later decisions go to a new buffer."""
        with self._lock:
            self._next(self._buffer.begins)
            buffers, self._full = self._full, []
        return buffers

    def _next(self, now: float) -> Buffer:
        self._full.append(self._buffer)
        self._buffer = Buffer(now)
        return self._buffer


def key_of(decision: Decision) -> tuple[CountKey, Outcome]:
    """Return the key under which to count a decision, and the outcome of the decision."""
    outcome = outcome_of(decision)
    flight_id = outcome.flight_id or ""
    return CountKey(decision.product_id, outcome.kind, flight_id, outcome.reasons[0]), outcome


def _decided(
    queries: Sequence[object], results: Sequence[object]
) -> Iterator[tuple[QueryFields, DecisionBody]]:
    """List each query whose result is a cached decision, together with that decision."""
    for query, result in zip(queries, results, strict=True):
        if isinstance(result, DecisionBody):
            yield cast("QueryFields", query), result

"""Heard: decisions as the recorder hears of them, added up so that they take no room."""

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
"""Members noted of one Heard; beyond, they are only counted. To note one costs as much as counting 300."""
LATEST = 50
_LATEST_OF_A_BATCH = 10

CachedOrDecision = DecisionBody | Decision


RecordedQuery = tuple[QueryFields, CachedOrDecision, float]
"""A query, what it was told, and when, in seconds since the epoch."""


class Buffer:
    """The decisions of at most a minute. Not safe for threads: the recorder sees to it.

    begins, ends: the seconds of the minute, [begins, ends). askers: what members were told last, by
    product and the account as sent; of decisions that do not say whose they are, strangers too.
    """

    __slots__ = ("_answers", "_counts", "_distinct", "_room", "askers", "begins", "ends", "latest")

    def __init__(self, now: float) -> None:
        second = int(now)
        self.begins = second - second % MINUTE
        self.ends = self.begins + MINUTE
        self.askers: dict[tuple[str, str], RecordedQuery] = {}
        self.latest: deque[RecordedQuery] = deque(maxlen=LATEST)
        self._room = MOST_ASKERS
        self._counts: Counter[CountKey] = Counter()
        self._answers: Counter[DecisionBody] = Counter()
        self._distinct = 0

    def one(self, query: QueryFields, told: CachedOrDecision, now: float) -> None:
        """Add a decision."""
        if isinstance(told, DecisionBody):
            # Not `+=`, which takes twice as long where the key is there.
            self._answers[told] = self._answers.get(told, 0) + 1
            wanted = told.member
        else:
            self._counts[key_of(told)[0]] += 1
            wanted = True
        asked = query, told, now
        self.latest.append(asked)
        account = query.account
        if wanted and account and self._room:
            self._room -= 1
            self.askers[query.product_id, account.id] = asked

    def many(self, queries: Sequence[object], told: Sequence[object], now: float) -> None:
        """Add what memory told of a batch; what is no answer in it is left out."""
        self._answers.update(cast("Sequence[DecisionBody]", told))
        if len(self._answers) > self._distinct:
            for one in [one for one in self._answers if not isinstance(one, DecisionBody)]:
                del self._answers[one]
            self._distinct = len(self._answers)
        last = slice(-_LATEST_OF_A_BATCH, None)
        self.latest.extend((query, one, now) for query, one in _answered(queries[last], told[last]))
        if self._room:
            for query, one in islice(_of_members(queries, told), self._room):
                self._room -= 1
                if query.account:  # members have one
                    self.askers[query.product_id, query.account.id] = query, one, now

    def counts(self) -> Counter[CountKey]:
        """How many decisions there were of each kind."""
        found = self._counts.copy()
        for answer, decisions in self._answers.items():
            found[key_of(answer.decision)[0]] += decisions
        return found


def key_of(decision: Decision) -> tuple[CountKey, Outcome]:
    """What a decision is counted as, and what it comes to."""
    outcome = outcome_of(decision)
    flight_id = outcome.flight_id or ""
    return CountKey(decision.product_id, outcome.kind, flight_id, outcome.reasons[0]), outcome


def _answered(
    queries: Sequence[object], told: Sequence[object]
) -> Iterator[tuple[QueryFields, DecisionBody]]:
    """The queries that were answered, with their answers."""
    for query, one in zip(queries, told, strict=True):
        if isinstance(one, DecisionBody):
            yield cast("QueryFields", query), one


def _of_members(
    queries: Sequence[object], told: Sequence[object]
) -> Iterator[tuple[QueryFields, DecisionBody]]:
    return (pair for pair in _answered(queries, told) if pair[1].member)

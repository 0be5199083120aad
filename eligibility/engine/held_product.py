"""HeldProduct: a snapshot kept in memory, with its decisions and their JSON. Answers without I/O.

Queries that no rule distinguishes are decided once: the cache key has the account's combination of
groups and rollout sides, the class of the device, and the query's other fields (docs/decisions.md
0002). Only the snapshot decides.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec import structs

from eligibility.access import wire
from eligibility.access.model import AccessQuery, Decision, Settling
from eligibility.access.redaction import unnamed_settling
from eligibility.access.wire import QueryFields
from eligibility.engine.decision_cache import (
    MOST_DECISIONS,
    CachedDecision,
    CacheKey,
    DecisionBody,
    DecisionCache,
)
from eligibility.engine.device_classes import DeviceClasses
from eligibility.engine.query_keys import QueryKeys
from eligibility.engine.snapshot import Snapshot
from eligibility.errors import InvalidInput
from eligibility.formats.lru_cache import LruCache
from eligibility.rules.rollout import rollout_position

_NO_CLAIMS = (None, False, False)

BodyFormat = Callable[[Decision], bytes]
"""Another encoder of decisions, without stamp. Equal encoders share cached answers; use few."""

CachedBodies = tuple[
    DecisionCache, defaultdict[bool | BodyFormat, LruCache[CacheKey, DecisionBody]]
]
"""Decisions, and answers by format (False and True: our JSON without and with group names)."""


def _new_answers() -> LruCache[CacheKey, DecisionBody]:
    return LruCache(MOST_DECISIONS)


class HeldProduct:
    """A product in the evaluator's memory. Immutable except its cache, `token` and `verified_at`.

    write_id: of the last write to groups in the revision (see groups.model.Head).
    token: the store's change token when this state was last known to be current.
    verified_at: when that was, in seconds of the evaluator's clock.
    before: an earlier state with the same declaration and combination numbers, to reuse its decisions.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        write_id: str,
        token: int,
        verified_at: float,
        before: "HeldProduct | None" = None,
    ) -> None:
        self.snapshot = snapshot
        self.publisher = snapshot.publisher
        self.product_id = snapshot.product_id
        self.product = snapshot.product
        self.revision = snapshot.revision
        self.write_id = write_id
        self.token = token
        self.verified_at = verified_at
        # One attribute, so that threads never see only half of a change.
        self._memory: CachedBodies = (
            (before._memory[0] if before else DecisionCache()),
            defaultdict(_new_answers),
        )
        self._classes: DeviceClasses = before._classes if before else snapshot.device_classes
        self._query_keys = QueryKeys(snapshot, self._classes)
        self._digest, self._find = snapshot.digester.of, snapshot.index.find
        self._recent = snapshot.recent
        self._thresholds = snapshot.thresholds
        self._limited_markets = snapshot.product.markets is not None
        self._stamp = wire.encoded_stamp(None, snapshot.revision, 0)
        self._moments = [moment.timestamp() for moment in snapshot.product.moments]

    @property
    def remembered(self) -> int:
        """Number of decisions and answers in the cache."""
        decisions, answers = self._memory
        return len(decisions.known) + sum(map(len, list(answers.values())))

    def answer(self, query: AccessQuery, now: float, stale_seconds: int = 0) -> Decision:
        """Decide a query, without I/O and trace. now = seconds since the epoch."""
        decision = self._known(query, now).decision
        settling = self._settling(query, decision, now) if self._recent else None
        return Decision(
            decision.product_id,
            decision.granted,
            decision.submission,
            decision.package,
            decision.remedies,
            settling,
            self.revision,
            stale_seconds,
        )

    def explain(self, query: AccessQuery, now: float, stale_seconds: int = 0) -> Decision:
        """Decide a query without the cache, with its trace. now = seconds since the epoch."""
        decision = self.snapshot.decide(query, _moment(now), explain=True)
        return structs.replace(decision, stale_seconds=stale_seconds)

    def answer_json(
        self, fields: QueryFields, now: float, form: bool | BodyFormat = True
    ) -> DecisionBody:
        """Return `answer` as encoded by wire.encode. A query sent before is not parsed again.

        Args: fields = the caller handles `at`. form = True or False: with or without names of
        groups; otherwise the encoder to use. Raises: InvalidInput if a field is invalid.
        """
        key = self._query_keys.of(fields)
        answer = self._memory_at(now)[1][form].recent.get(key) if key else None
        return answer or self._read(fields, key, now, form)

    def answers_json(
        self, batch: Sequence[QueryFields], now: float, form: bool | BodyFormat = True
    ) -> list[DecisionBody | InvalidInput]:
        """Return for each query the answer of `answer_json` or its InvalidInput."""
        answers = map(self._memory_at(now)[1][form].recent.get, self._query_keys.of_all(batch))
        return [
            answer or self._read_or_fault(fields, now, form)
            for fields, answer in zip(batch, answers, strict=True)
        ]

    def _read_or_fault(
        self, fields: QueryFields, now: float, form: bool | BodyFormat
    ) -> DecisionBody | InvalidInput:
        try:
            return self._read(fields, self._query_keys.of(fields), now, form)
        except InvalidInput as error:
            return error

    def _read(
        self, fields: QueryFields, key: CacheKey | None, now: float, form: bool | BodyFormat
    ) -> DecisionBody:
        """Parse and answer a query that is not cached. Cache the answer if the query has a key."""
        query = wire.to_query(fields)
        if isinstance(form, bool):
            answer = self._json(query, now, form)
        else:
            known = self._known(query, now)
            answer = known.answer(form(known.decision))
        if key is not None:
            self._memory_at(now)[1][form].put(key, answer)
        return answer

    def _json(self, query: AccessQuery, now: float, named: bool) -> DecisionBody:
        known = self._known(query, now)
        settling = self._settling(query, known.decision, now) if self._recent else None
        stamp = self._stamp
        if settling is not None:
            shown = settling if named else unnamed_settling(settling)
            stamp = wire.encoded_stamp(shown, self.revision, 0)
        return known.json(stamp) if named else known.unnamed_json(stamp)

    def _settling(self, query: AccessQuery, decision: Decision, now: float) -> Settling | None:
        return self.snapshot.settling(query, decision, _moment(now))

    def _known(self, query: AccessQuery, now: float) -> CachedDecision:
        """Return the cached decision for queries equivalent under the rules, or decide now."""
        decisions, _ = self._memory_at(now)
        account, device = query.account, query.device
        combination: object = None
        kind, side = None, 0
        if account is not None:
            kind = account.kind
            if account.aliases:
                combination = self.snapshot.groups_of(account)
            else:
                combination = self._find(self._digest(account.id))
            if self._thresholds:
                side = rollout_position(self._thresholds, self.product_id, account.rollout_address)
        device_class = self._classes.lately(device)
        if device_class is None:
            device_class = self._classes.of(device)
        claims = query.owned, query.promotional_code, query.manual_check
        key = (
            device_class,
            combination,
            kind,
            query.installed_version,
            None if claims == _NO_CLAIMS else claims,
            query.market if self._limited_markets else None,
            side,
        )
        known = decisions.known.recent.get(key) or decisions.known.get(key)
        if known is None:
            decision = self.snapshot.decide(query, _moment(now))
            known = CachedDecision(decision, member=bool(combination))
            decisions.known.put(key, known)
        return known

    def _memory_at(self, now: float) -> CachedBodies:
        """Return the cache, or a new one if a date of the product has passed since the last query."""
        memory = self._memory
        if memory[0].holds_from <= now < memory[0].holds_until:
            return memory
        position = bisect_right(self._moments, now)
        begins = self._moments[position - 1] if position else float("-inf")
        ends = self._moments[position] if position < len(self._moments) else float("inf")
        self._memory = DecisionCache(begins, ends), defaultdict(_new_answers)
        return self._memory


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)

"""HeldProduct: a snapshot kept in memory, with the decisions made on it and their JSON.

Answers a query without I/O. Queries that no rule can tell apart are decided once: the cache's key
holds all that the rules see of a query, with the account reduced to the combination of groups it
is in and its side of each rollout, and the device to its class (docs/decisions.md 0002). The
snapshot decides, and nothing else does.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec import structs

from eligibility.access import wire
from eligibility.access.model import AccessQuery, Account, Decision, Settling
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
from eligibility.rules.rollout import place

_NO_CLAIMS = (False, False, False)

BodyFormat = Callable[[Decision], bytes]
"""Another way to write a decision, without stamp and settling.

Equal formats write the same, and there are not many of them: answers are remembered for each.
"""

CachedBodies = tuple[
    DecisionCache, defaultdict[bool | BodyFormat, LruCache[CacheKey, DecisionBody]]
]
"""Decisions; and answers by format and by the query as it was sent.

Answers in our own format carry this revision's stamp, and are there twice: without names of groups
[False] and with them [True].
"""


def _new_answers() -> LruCache[CacheKey, DecisionBody]:
    return LruCache(MOST_DECISIONS)


class HeldProduct:
    """A product as the evaluator holds it. Immutable but for its cache, `token` and `verified_at`.

    write_id: of the write to groups that the revision counts last (see groups.model.Head).
    token: the store's change token at which this was known to be what the store holds.
    verified_at: when that was, in seconds of the evaluator's clock.
    before: an earlier one of the same declaration whose combination numbers still hold; its
    decisions go on.
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
        # One attribute, so that threads never see half.
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
        """How many decisions and answers are remembered."""
        decisions, answers = self._memory
        return len(decisions.known) + sum(map(len, list(answers.values())))

    def answer(self, query: AccessQuery, now: float, stale_seconds: int = 0) -> Decision:
        """Decide a query. now = seconds since the epoch; no I/O, no trace."""
        decision = self._known(query, now).decision
        settling = self._settling(query.account, now) if self._recent else None
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
        """Decide a query afresh, with its trace. now = seconds since the epoch."""
        decision = self.snapshot.decide(query, _moment(now), explain=True)
        return structs.replace(decision, stale_seconds=stale_seconds)

    def answer_json(
        self, fields: QueryFields, now: float, form: bool | BodyFormat = True
    ) -> DecisionBody:
        """What wire.encode makes of `answer`; a query sent before in these words is not even read.

        Args: form = whether to tell the names of groups; or what to make of the decision instead.
        The caller looks at the query's `at`. Raises: InvalidInput for a query that cannot be read.
        """
        key = self._query_keys.of(fields)
        answer = self._memory_at(now)[1][form].recent.get(key) if key else None
        return answer or self._read(fields, key, now, form)

    def answers_json(
        self, batch: Sequence[QueryFields], now: float, form: bool | BodyFormat = True
    ) -> list[DecisionBody | InvalidInput]:
        """For each query what `answer_json` gives or raises."""
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
        """Read and answer a query not sent lately in these words; remembered where it has a key."""
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
        settling = self._settling(query.account, now) if self._recent else None
        stamp = self._stamp
        if settling is not None:
            shown = settling if named else unnamed_settling(settling)
            stamp = wire.encoded_stamp(shown, self.revision, 0)
        known = self._known(query, now)
        return known.json(stamp) if named else known.unnamed_json(stamp)

    def _settling(self, account: Account | None, now: float) -> Settling | None:
        return self.snapshot.settling(account, _moment(now))

    def _known(self, query: AccessQuery, now: float) -> CachedDecision:
        """The decision for all queries that no rule tells apart from this one; decided if new."""
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
                side = place(self._thresholds, self.product_id, account.id)
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
        """What is remembered for a moment; between two of the product's moments answers stay."""
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

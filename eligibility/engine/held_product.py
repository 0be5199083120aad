"""HeldProduct: one product with the members of its groups, in memory, as of one pair of revisions.

Answers a query without I/O. Queries that no rule can tell apart are decided once: the memo's key
holds all that the rules see of a query, with the account reduced to the combination of groups it
is in and the side of each rollout it is on, and the device to its class (docs/decisions.md 0002).
`decide` stays the only place where a verdict is made.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec import UNSET, UnsetType

from eligibility.access import wire
from eligibility.access.model import (
    AccessQuery,
    Account,
    Decision,
    Device,
    Revision,
    Settling,
    TraceStep,
)
from eligibility.access.redaction import unnamed_settling
from eligibility.access.wire import QueryFields
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogEntry
from eligibility.engine.decision_cache import (
    MOST_DECISIONS,
    CachedDecision,
    CacheKey,
    DecisionBody,
    DecisionCache,
)
from eligibility.engine.device_classes import DeviceClasses
from eligibility.engine.query_keys import QueryKeys
from eligibility.errors import InvalidInput
from eligibility.formats.lru_cache import LruCache
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import Requirements
from eligibility.rules.rollout import place, thresholds
from eligibility.rules.settling import RecentMoves, settling_at
from eligibility.rules.trace import alias_step
from groups.member_set import Digester, MemberIndex

_NO_CLAIMS = (False, False, False)

BodyFormat = Callable[[Decision], bytes]
"""What another way to tell a decision makes of it, without stamp and settling. Equal ones make the
same, and there are not many: answers are remembered for each."""

CachedBodies = tuple[
    DecisionCache, defaultdict[bool | BodyFormat, LruCache[CacheKey, DecisionBody]]
]
"""Decisions, and answers by the words they were asked in.

The answers in our own form carry this revision's stamp, and are there twice: without names of
groups [False] and with them [True].
"""


def _new_answers() -> LruCache[CacheKey, DecisionBody]:
    return LruCache(MOST_DECISIONS)


class HeldProduct:
    """A product as the evaluator holds it. Immutable but for the memo, `token` and `verified_at`.

    before: an earlier one of the same product whose combination numbers still hold; its memo goes on.
    write_id: of the write to groups that the revision counts last (see groups.model.Head).
    token: the store's change token at which this was known to be what the store holds.
    verified_at: when that was, in seconds of the evaluator's clock.
    """

    def __init__(
        self,
        entry: CatalogEntry,
        index: MemberIndex,
        digester: Digester,
        recent: RecentMoves,
        requirements: Requirements,
        revision: Revision,
        write_id: str,
        token: int,
        verified_at: float,
        before: "HeldProduct | None" = None,
    ) -> None:
        self._entry = entry
        self.publisher = entry.publisher
        self.product_id = entry.product_id
        self.product: Product = entry.product
        self.index = index
        self.recent = recent
        self.revision = revision
        self.write_id = write_id
        self.token = token
        self.verified_at = verified_at
        self.digester = digester
        self._digest, self._find = digester.of, index.find
        self.requirements = requirements
        # One attribute, so that threads never see half.
        self._memory: CachedBodies = (
            (before._memory[0] if before else DecisionCache()),
            defaultdict(_new_answers),
        )
        self._classes: DeviceClasses = (
            before._classes if before else DeviceClasses(entry.product, requirements)
        )
        self.thresholds = thresholds(entry.product)
        self._limited_markets = entry.product.markets is not None
        self._sent_keys = QueryKeys(
            entry.product_id,
            self._classes,
            digester,
            index,
            recent.keys(),
            self.thresholds,
            self._limited_markets,
        )
        self._stamp = wire.encoded_stamp(None, revision, 0)
        self._moments = [moment.timestamp() for moment in entry.product.moments]

    @property
    def remembered(self) -> int:
        """How many decisions and answers are remembered."""
        memo, sent = self._memory
        return len(memo.known) + sum(map(len, list(sent.values())))

    def answer(self, query: AccessQuery, now: float, stale_seconds: int = 0) -> Decision:
        """Decide a query. now = seconds since the epoch; no I/O, no trace."""
        settling = self._settling(query.account, now) if self.recent else None
        return self._stamped(self._known(query, now).decision, settling, stale_seconds)

    def answer_json(
        self, asked: QueryFields, now: float, form: bool | BodyFormat = True
    ) -> DecisionBody:
        """What wire.encode makes of `answer`; a query asked before in these words is not even read.

        Args: form = whether to tell the names of groups; or what to make of the decision instead.
        `at` is the caller's to look at.
        Raises: InvalidInput for a query that cannot be read.
        """
        key = self._sent_keys.of(asked)
        answer = self._memory_at(now)[1][form].recent.get(key) if key else None
        return answer or self._read(asked, key, now, form)

    def answers_json(
        self, batch: Sequence[QueryFields], now: float, form: bool | BodyFormat = True
    ) -> list[DecisionBody | InvalidInput]:
        """For each query what `answer_json` gives or raises."""
        answers = map(self._memory_at(now)[1][form].recent.get, self._sent_keys.of_all(batch))
        return [
            answer or self._read_or_fault(asked, now, form)
            for asked, answer in zip(batch, answers, strict=True)
        ]

    def _read(
        self, asked: QueryFields, key: CacheKey | None, now: float, form: bool | BodyFormat
    ) -> DecisionBody:
        """Read and answer a query not asked before in these words; remembered where it has a key."""
        query = wire.to_query(asked)
        if isinstance(form, bool):
            answer = self._json(query, now, form)
        else:
            known = self._known(query, now)
            answer = known.answer(form(known.decision))
        if key is not None:
            self._memory_at(now)[1][form].put(key, answer)
        return answer

    def _json(self, query: AccessQuery, now: float, named: bool) -> DecisionBody:
        settling = self._settling(query.account, now) if self.recent else None
        stamp = self._stamp
        if settling is not None:
            told = settling if named else unnamed_settling(settling)
            stamp = wire.encoded_stamp(told, self.revision, 0)
        known = self._known(query, now)
        return known.json(stamp) if named else known.unnamed_json(stamp)

    def _read_or_fault(
        self, asked: QueryFields, now: float, form: bool | BodyFormat
    ) -> DecisionBody | InvalidInput:
        try:
            return self._read(asked, self._sent_keys.of(asked), now, form)
        except InvalidInput as error:
            return error

    def _known(self, query: AccessQuery, now: float) -> CachedDecision:
        """The decision for all queries that no rule tells apart from this one; decided if new."""
        memo, _ = self._memory_at(now)
        account, device = query.account, query.device
        combination: object = None
        kind, side = None, 0
        if account is not None:
            kind = account.kind
            if account.aliases:
                combination = self.groups_of(account)
            else:
                combination = self._find(self._digest(account.id))
            if self.thresholds:
                side = place(self.thresholds, self.product_id, account.id)
        device_class = self._classes.lately(device)
        if device_class is None:
            device_class = self.device_class(device)
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
        known = memo.known.recent.get(key) or memo.known.get(key)
        if known is None:
            known = CachedDecision(self._decide(query, now), member=bool(combination))
            memo.known.put(key, known)
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

    def _stamped(
        self,
        decision: Decision,
        settling: Settling | None,
        stale_seconds: int,
        trace: tuple[TraceStep, ...] | UnsetType = UNSET,
    ) -> Decision:
        return Decision(
            decision.product_id,
            decision.granted,
            decision.submission,
            decision.package,
            decision.remedies,
            settling,
            self.revision,
            stale_seconds,
            trace,
        )

    def explain(self, query: AccessQuery, now: float, stale_seconds: int = 0) -> Decision:
        """Decide a query afresh, with its trace; says which address of the account matched."""
        account = query.account
        decision = self._decide(query, now)
        steps = decision.trace or ()
        if account is not None and account.aliases:
            matched = [a for a in account.addresses if self.index.find(self._digest(a))]
            steps = (alias_step(account, matched), *steps)
        return self._stamped(decision, self._settling(account, now), stale_seconds, steps)

    def case(self, query: AccessQuery, now: float) -> Case:
        """Everything that the decision on a query is made from. now = seconds since the epoch."""
        groups = self.groups_of(query.account) if query.account is not None else frozenset[str]()
        return self._case(query, groups, now)

    def with_index(self, index: MemberIndex) -> "HeldProduct":
        """The same product with other members."""
        return HeldProduct(
            self._entry,
            index,
            self.digester,
            self.recent,
            self.requirements,
            self.revision,
            self.write_id,
            self.token,
            self.verified_at,
        )

    def device_class(self, device: Device) -> int:
        """A number that is the same for devices which no rule of the product tells apart."""
        return self._classes.of(device)

    def groups_of(self, account: Account) -> frozenset[str]:
        """The product's groups that list any address of the account."""
        numbers = (self.index.find(self._digest(address)) for address in account.addresses)
        return frozenset().union(*map(self.index.combination, numbers))

    def decide_as_member(self, query: AccessQuery, groups: frozenset[str], now: float) -> Decision:
        """Decide a query as if exactly these groups listed its account; without stamp, nothing kept."""
        return decide(self._case(query, groups, now))

    def _decide(self, query: AccessQuery, now: float) -> Decision:
        return decide(self.case(query, now))

    def _case(self, query: AccessQuery, groups: frozenset[str], now: float) -> Case:
        moment = datetime.fromtimestamp(now, UTC)
        return Case(query, self.product, groups, self.requirements, moment)

    def _settling(self, account: Account | None, now: float) -> Settling | None:
        if account is None:
            return None
        found = [self.recent[d] for d in map(self._digest, account.addresses) if d in self.recent]
        return settling_at(datetime.fromtimestamp(now, UTC), found) if found else None

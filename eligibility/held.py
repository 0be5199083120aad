"""HeldProduct: one product with the members of its groups, in memory, as of one pair of revisions.

Answers a query without I/O. Queries that no rule can tell apart are decided once: the memo's key
holds all that the rules see of a query, with the account reduced to the combination of groups it
is in and the side of each rollout it is on, and the device to its class (docs/decisions.md 0002).
`decide` stays the only place where a verdict is made.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from eligibility import wire
from eligibility.catalog.model import Product, RolloutStatus
from eligibility.catalog.store import Entry
from eligibility.decide import decide
from eligibility.device_classes import DeviceClasses
from eligibility.memo import Key, Known, Memo
from eligibility.model import AccessQuery, Account, Decision, Revision, Settling, Step
from eligibility.requirements import Requirements
from eligibility.rollout import bucket, threshold
from eligibility.wire import QueryFields, device_met
from groups.emails import canonical_or_none
from groups.member_set import MemberIndex
from groups.model import Change

SETTLING_TIME = timedelta(minutes=30)
"""How long Partner Center may take to apply a membership change (KUG, CG)."""

_NO_CLAIMS = (False, False, False)

Recent = dict[int, tuple[datetime, str, Literal["added", "removed"]]]


class HeldProduct:
    """A product as the evaluator holds it. Immutable but for the memo, `token` and `verified_at`.

    before: an earlier one of the same product whose combination numbers still hold; its memo goes on.
    token: the store's change token at which this was known to be what the store holds.
    verified_at: when that was, in seconds of the evaluator's clock.
    """

    def __init__(
        self,
        entry: Entry,
        index: MemberIndex,
        digest: Callable[[str], int],
        recent: Recent,
        requirements: Requirements,
        revision: Revision,
        token: int,
        verified_at: float,
        before: "HeldProduct | None" = None,
    ) -> None:
        self.publisher = entry.publisher
        self.product_id = entry.product_id
        self.product: Product = entry.product
        self.index = index
        self.recent = recent
        self.revision = revision
        self.token = token
        self.verified_at = verified_at
        self._digest, self._find = digest, index.find
        self._requirements = requirements
        self._memo: Memo = before._memo if before else Memo()
        self._classes: DeviceClasses = (
            before._classes if before else DeviceClasses(entry.product, requirements)
        )
        self._thresholds = _thresholds(entry.product)
        self._stamp = wire.encoded_stamp(None, revision, 0)
        self._limited_markets = entry.product.markets is not None
        self._moments = [moment.timestamp() for moment in entry.product.moments]

    def answer(self, query: AccessQuery, now: float, stale_seconds: int = 0) -> Decision:
        """Decide a query. now = seconds since the epoch; no I/O, no trace."""
        settling = self._settling(query.account, now) if self.recent else None
        return self._stamped(self._known(query, now).decision, settling, stale_seconds)

    def answer_json(self, asked: QueryFields, now: float) -> bytes:
        """What wire.encode makes of `answer`; a query asked before in these words is not even read.

        `at` is the caller's to look at. Raises: InvalidInput for a query that cannot be read.
        """
        memo = self._memo_at(now)
        key = self._key_as_sent(asked)
        known = memo.sent.get(key) if key else None
        if known is None:
            query = wire.to_query(asked)
            known = self._known(query, now)
            if key:
                memo.keep_sent(key, known)
            elif self.recent and (settling := self._settling(query.account, now)):
                return known.json(wire.encoded_stamp(settling, self.revision, 0))
        stamp, sealed = known.sealed
        return sealed if stamp is self._stamp else known.json(self._stamp)

    def _key_as_sent(self, asked: QueryFields) -> Key | None:
        """What the rules see of a query, in the words it was sent in; None where it has to be read.

        Everything that can be unreadable is looked at here, or was read before in the same words.
        """
        _, raw, account, installed, owned, market, code, manual, at = astuple(asked)
        device = device_met(bytes(raw))
        if device is None or at is not UNSET:
            return None
        device_class = self._classes.known.get(device)
        if device_class is None or not (market is UNSET or wire.is_market(market)):
            return None
        combination, kind, side = None, None, 0
        if account is not UNSET and account is not None:
            if account.aliases is not UNSET or not (address := canonical_or_none(account.id)):
                return None
            digest = self._digest(address)
            if digest in self.recent:
                return None
            combination, kind = self._find(digest), account.kind
            if self._thresholds:
                side = bisect_right(self._thresholds, bucket(self.product_id, address))
        offered_in = market if self._limited_markets else None
        return device_class, combination, kind, installed, owned, code, manual, offered_in, side

    def _known(self, query: AccessQuery, now: float) -> Known:
        """The decision for all queries that no rule tells apart from this one; decided if new."""
        memo = self._memo_at(now)
        account, device = query.account, query.device
        combination: object = None
        kind, side = None, 0
        if account is not None:
            kind = account.kind
            if account.aliases:
                combination = self.groups_of(account)
            else:
                combination = self._find(self._digest(account.id))
            if self._thresholds:
                side = bisect_right(self._thresholds, bucket(self.product_id, account.id))
        device_class = self._classes.known.get(device)
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
        known = memo.read.get(key)
        if known is None:
            known = Known(self._decide(query, now))
            memo.keep_read(key, known)
        return known

    def _memo_at(self, now: float) -> Memo:
        """The memo for a moment; between two of the product's moments answers do not change."""
        memo = self._memo
        if memo.holds_from <= now < memo.holds_until:
            return memo
        position = bisect_right(self._moments, now)
        begins = self._moments[position - 1] if position else float("-inf")
        ends = self._moments[position] if position < len(self._moments) else float("inf")
        self._memo = Memo(begins, ends)
        return self._memo

    def _stamped(
        self,
        decision: Decision,
        settling: Settling | None,
        stale_seconds: int,
        trace: tuple[Step, ...] | UnsetType = UNSET,
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
            steps = (self._alias_step(account), *steps)
        return self._stamped(decision, self._settling(account, now), stale_seconds, steps)

    def groups_of(self, account: Account) -> frozenset[str]:
        """The product's groups that list any address of the account."""
        numbers = (self.index.find(self._digest(address)) for address in account.addresses)
        return frozenset().union(*map(self.index.combination, numbers))

    def _decide(self, query: AccessQuery, now: float) -> Decision:
        groups = self.groups_of(query.account) if query.account is not None else frozenset()
        moment = datetime.fromtimestamp(now, UTC)
        return decide(query, self.product, groups, self._requirements, moment)

    def _settling(self, account: Account | None, now: float) -> Settling | None:
        """The newest membership change of the account that the Store may not have applied yet."""
        if account is None:
            return None
        found = [self.recent[d] for d in map(self._digest, account.addresses) if d in self.recent]
        if not found:
            return None
        changed_at, group_id, change = max(found)
        settled_at = changed_at + SETTLING_TIME
        if now >= settled_at.timestamp():
            return None
        return Settling(group_id, change, changed_at, settled_at)

    def _alias_step(self, account: Account) -> Step:
        matched = [a for a in account.addresses if self.index.find(self._digest(a))]
        if not matched:
            return Step("aliases", "no_match", "no address of the account is in a group", "KUG")
        primary = matched[0] == account.id
        note = "the primary address" if primary else "an alias, not the primary address"
        return Step(
            "aliases", "primary" if primary else "alias", f"matched `{matched[0]}`: {note}", "KUG"
        )


def recent_of(
    changes: Iterable[Change],
    groups: frozenset[str],
    digest: Callable[[str], int],
    before: Recent | None = None,
    since: datetime | None = None,
) -> Recent:
    """The newest change of each address that concerns the groups; changes oldest first.

    Args: before = what was recent until now, of which only what is newer than `since` is kept.
    """
    recent: Recent = {}
    if before and since:
        recent = {key: change for key, change in before.items() if change[0] > since}
    for change in changes:
        if change.group_id in groups:
            for address in change.added:
                recent[digest(address)] = (change.at, change.group_id, "added")
            for address in change.removed:
                recent[digest(address)] = (change.at, change.group_id, "removed")
    return recent


def _thresholds(product: Product) -> list[float]:
    """Buckets at which some rollout of the product changes sides, ascending."""
    declared = (product.submission.rollout, *(flight.rollout for flight in product.flights))
    return sorted(
        {
            float(threshold(rollout.percentage))
            for rollout in declared
            if rollout is not None and rollout.status is RolloutStatus.IN_PROGRESS
        }
    )

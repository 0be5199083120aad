"""Snapshot: a product with its groups' members at one pair of revisions. Decides; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from msgspec import UNSET, structs

from eligibility.access.model import AccessQuery, Account, Decision, Revision, Settling
from eligibility.catalog.model import Product
from eligibility.engine.device_classes import DeviceClasses
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import Requirements
from eligibility.rules.rollout import thresholds
from eligibility.rules.settling import RecentMoves, settling_of
from eligibility.rules.trace import alias_step
from groups.member_set import Digester, MemberIndex, MemberSet

_NO_REVISION = Revision(0, 0)


@dataclass(frozen=True)
class Snapshot:
    """All inputs of decisions, except query and time. recent: changes that may be settling."""

    publisher: str
    product_id: str
    product: Product
    index: MemberIndex
    digester: Digester
    requirements: Requirements
    revision: Revision
    recent: RecentMoves = field(default_factory=dict)

    @cached_property
    def thresholds(self) -> Sequence[float]:
        """Thresholds of all rollouts of the product in progress, ascending."""
        return thresholds(self.product)

    @cached_property
    def device_classes(self) -> DeviceClasses:
        """Classes of devices that no rule of the product distinguishes."""
        return DeviceClasses(self.product, self.requirements)

    def groups_of(self, account: Account | None) -> frozenset[str]:
        """Find the product's groups that list any address of the account."""
        if account is None:
            return frozenset()
        numbers = map(self.index.find, self.digester.of_all(account.addresses))
        return frozenset().union(*map(self.index.combination, numbers))

    def case(self, query: AccessQuery, now: datetime) -> Case:
        """Build the inputs of the decision on a query. now: in UTC."""
        groups = self.groups_of(query.account)
        return Case(query, self.product, groups, self.requirements, now)

    def case_to_explain(self, query: AccessQuery, now: datetime) -> Case:
        """Like `case`, with the groups that the account cannot leave."""
        addresses = query.account.addresses if query.account else ()
        sole = self.index.sole(self.digester.of_all(addresses))
        return replace(self.case(query, now), sole_groups=sole)

    def decide(self, query: AccessQuery, now: datetime, *, explain: bool = False) -> Decision:
        """Decide a query at `now` (in UTC), not at the query's own `at`. explain = with trace."""
        account = query.account
        decision = decide(self.case(query, now), explain=explain)
        steps = (decision.trace or ()) if explain else UNSET
        if steps is not UNSET and account is not None and account.aliases:
            matched = [a for a in account.addresses if self.index.find(self.digester.of(a))]
            steps = (alias_step(account, matched), *steps)
        settling = self.settling(query, decision, now)
        return structs.replace(decision, settling=settling, revision=self.revision, trace=steps)

    def decide_as_member(
        self, query: AccessQuery, groups: frozenset[str], now: datetime
    ) -> Decision:
        """Decide as if exactly these groups listed the account. Without trace and stamp."""
        return decide(Case(query, self.product, groups, self.requirements, now))

    def settling(self, query: AccessQuery, decision: Decision, now: datetime) -> Settling | None:
        """The account's change that decides. None if the Store has applied all by now (KUG)."""
        if query.account is None or not self.recent:
            return None
        digests = self.digester.of_all(query.account.addresses)
        moves = [move for digest in digests for move in self.recent.get(digest, ())]
        return settling_of(self.case(query, now), decision, moves) if moves else None

    def with_index(self, index: MemberIndex) -> "Snapshot":
        """Return a copy of this snapshot with another index of members."""
        return replace(self, index=index)


def snapshot_of(
    publisher: str,
    product_id: str,
    product: Product,
    members: Mapping[str, Iterable[int]],
    digester: Digester,
    requirements: Requirements,
    revision: Revision = _NO_REVISION,
    recent: RecentMoves | None = None,
) -> Snapshot:
    """Build a past, draft or hypothetical snapshot. members = group id -> digests."""
    index = index_of(members)
    return Snapshot(
        publisher, product_id, product, index, digester, requirements, revision, recent or {}
    )


def index_of(members: Mapping[str, Iterable[int]]) -> MemberIndex:
    """Build an index from digests by group id."""
    return MemberIndex.build({name: MemberSet.of(members[name]) for name in sorted(members)})

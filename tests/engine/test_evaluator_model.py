"""The evaluator against the rules themselves: whatever was edited before, a query gets what `decide`
says of the catalogue and the memberships as they are now.

The evaluator keeps indexes, patches them, and remembers decisions; this machine has none of that.
"""

import json
import tempfile
from datetime import datetime, timedelta
from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec import UNSET, structs

from eligibility.access import wire
from eligibility.access.model import AccessQuery, Decision, Revision, Settling
from eligibility.catalog.errors import InvalidProduct
from eligibility.catalog.model import Product
from eligibility.catalog.validation import read_product
from eligibility.errors import UnknownProduct
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.model import MembershipEdit
from tests.helpers.catalog.strategies import ACCOUNTS, GROUPS, NOW, products, queries
from tests.helpers.clock import Clock
from tests.helpers.examples import examples

PUBLISHER = "contoso"
RESIDENT = "resident@example.com"  # no group may be empty
addresses = st.lists(st.sampled_from(ACCOUNTS), max_size=4, unique=True)
group_ids = st.sampled_from(GROUPS)


class Machine(RuleBasedStateMachine):
    """A service with its evaluator, beside a dict of sets and one product."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = Clock(NOW.isoformat())
        store = f"sqlite:///{self.directory.name}/store.db"
        self.service = Service(Settings(store=store), self.clock)
        self.members: dict[str, set[str]] = {group: {RESIDENT} for group in GROUPS}
        self.changes: list[
            tuple[datetime, str, Literal["added", "removed"], str]
        ] = []  # when, group, added or removed, who
        self.product: Product | None = None
        self.revision = Revision(0, 0)
        self.products = 0
        self.queries: list[tuple[dict[str, Any], list[str]]] = []
        self.asked: list[wire.QueryFields] = []
        for group in GROUPS:
            self.service.groups.create(PUBLISHER, group, [RESIDENT], group_id=group, actor="test")
            self.revision = structs.replace(self.revision, groups=self.revision.groups + 1)
        self.clock.advance(3_600)

    def teardown(self) -> None:
        self.service.close()
        self.directory.cleanup()

    @property
    def product_id(self) -> str:
        return f"APP{self.products}"

    @initialize(body=products())
    def begin(self, body: dict[str, Any]) -> None:
        self.put(body)

    @rule(body=products())
    def put(self, body: dict[str, Any]) -> None:
        """A product once public cannot be private again; the next one gets a new id then."""
        declared = read_product(body)
        try:
            self.service.catalog.put(PUBLISHER, self.product_id, declared, actor="test")
        except InvalidProduct as error:
            if [fault.code for fault in error.faults] != ["PRIVATE_AFTER_PUBLIC"]:
                raise
            self.products += 1
            self.service.catalog.put(PUBLISHER, self.product_id, declared, actor="test")
        self.product = declared
        self.revision = structs.replace(self.revision, catalog=self.revision.catalog + 1)

    @precondition(lambda self: self.product is not None)
    @rule()
    def delete(self) -> None:
        self.service.catalog.delete(PUBLISHER, self.product_id, actor="test")
        self.product = None
        self.revision = structs.replace(self.revision, catalog=self.revision.catalog + 1)

    @rule(group=group_ids, add=addresses, remove=addresses)
    def edit(self, group: str, add: list[str], remove: list[str]) -> None:
        remove = [address for address in remove if address not in add]
        edit = MembershipEdit(add=tuple(add), remove=tuple(remove))
        self.service.groups.edit(PUBLISHER, group, edit, actor="test")
        self._became(group, (self.members[group] | set(add)) - set(remove))

    @rule(group=group_ids, members=addresses)
    def replace(self, group: str, members: list[str]) -> None:
        self.service.groups.replace(PUBLISHER, group, [RESIDENT, *members], actor="test")
        self._became(group, {RESIDENT, *members})

    def _became(self, group: str, members: set[str]) -> None:
        before, self.members[group] = self.members[group], members
        if before != members:
            self.revision = structs.replace(self.revision, groups=self.revision.groups + 1)
            now = self.clock.moment
            self.changes += [(now, group, "added", who) for who in members - before]
            self.changes += [(now, group, "removed", who) for who in before - members]
        self.clock.advance(0.001)  # so that the newest change is one

    @rule(seconds=st.sampled_from((0.5, 1, 60, 1_799, 1_800, 7_200)))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(query=queries, aliases=addresses)
    def ask(self, query: dict[str, Any], aliases: list[str]) -> None:
        self.queries.append((query, aliases))
        self._ask(query, aliases)

    @precondition(lambda self: self.queries)
    @rule(back=st.integers(1, 3))
    def ask_again(self, back: int) -> None:
        """In the same words, whatever happened since."""
        self._ask(*self.queries[-min(back, len(self.queries))])

    def _ask(self, query: dict[str, Any], aliases: list[str]) -> None:
        account = query["account"] and query["account"] | {"aliases": aliases}
        fields = query | {"product_id": self.product_id, "account": account}
        asked = wire.query_of(**fields)
        evaluator = self.service.evaluator
        if self.product is None:
            try:
                evaluator.decide(asked)
            except UnknownProduct:
                return
            raise AssertionError("a deleted product was answered")
        own = set(asked.account.addresses) if asked.account else set()
        groups = frozenset(group for group in self.product.groups if own & self.members[group])
        now = self.clock.moment
        pure = decide(Case(asked, self.product, groups, evaluator.requirements, now))
        expected = structs.replace(
            pure, trace=UNSET, settling=self._settling(own, pure, asked), revision=self.revision
        )
        assert evaluator.decide(asked) == expected
        told = evaluator.decide(asked, explain=True)
        assert structs.replace(told, trace=UNSET) == expected
        held = evaluator.warm(self.product_id)
        assert held is not None
        if not aliases and account:
            account = query["account"]  # as it is usually sent
        sent = wire.decode_query(json.dumps(fields | {"account": account}).encode())
        self.asked.append(sent)
        batch = [one for one in self.asked[-6:] if one.product_id == self.product_id]
        now_s = self.clock()
        together = held.answers_json(batch, now_s)
        for _ in range(2):  # the second time from the memo of queries as sent
            assert held.answer_json(sent, now_s) == wire.encode(expected)
        each = [held.answer_json(one, now_s) for one in batch]
        assert together == held.answers_json(batch, now_s) == each
        assert held.answers_json([sent], now_s) == [wire.encode(expected)]

    def _settling(self, own: set[str], pure: Decision, asked: AccessQuery) -> Settling | None:
        """The newest change without which the decision is another one, else the newest."""
        assert self.product is not None
        newest: dict[tuple[str, str], tuple[datetime, str, Literal["added", "removed"]]] = {}
        for at, group, change, who in self.changes:
            if who in own and group in self.product.groups:
                newest[who, group] = at, group, change
        since = self.clock.moment - timedelta(minutes=30)
        recent = sorted((c for c in newest.values() if c[0] > since), reverse=True)
        groups = {group for group in self.product.groups if own & self.members[group]}
        for at, group, change in recent:
            without = groups - {group} if change == "added" else groups | {group}
            requirements, now = self.service.evaluator.requirements, self.clock.moment
            other = decide(Case(asked, self.product, frozenset(without), requirements, now))
            if (other.submission, other.package) != (pure.submission, pure.package):
                return Settling(group, change, at, at + timedelta(minutes=30))
        for at, group, change in recent[:1]:
            return Settling(group, change, at, at + timedelta(minutes=30))
        return None


TestEvaluator = Machine.TestCase
TestEvaluator.settings = settings(max_examples=examples(40), stateful_step_count=25, deadline=None)

"""Keys of queries in the words they were sent in: a batch's are those of each, and equal keys mean
queries that no rule tells apart."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from eligibility.access import wire
from eligibility.catalog.validation import read_product
from eligibility.engine.decision_cache import CacheKey
from eligibility.engine.device_classes import DeviceClasses
from eligibility.engine.query_keys import QueryKeys
from eligibility.engine.snapshot import snapshot_of
from eligibility.errors import InvalidInput
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import load_requirements
from eligibility.rules.settling import RecentMoves
from groups.member_set import Digester
from tests.helpers.catalog.strategies import ACCOUNTS, NOW, memberships, products, queries

SECRET = b"k" * 32
REQUIREMENTS = load_requirements()

Body = dict[str, Any]


ODDITIES: list[Body] = [{}, {}, {}, {}, {"market": "usa"}, {"at": "2026-01-01T00:00:00Z"}]


@st.composite
def spelled(draw: st.DrawFn) -> Body:
    """A query in words of a small vocabulary: some fields left out, some unreadable."""
    body: Body = {k: v for k, v in draw(queries).items() if v is not None or draw(st.booleans())}
    if body.get("account"):
        address = body["account"]["id"]
        words = (address, address, address.upper(), f"{address}@", f" {address}")
        body["account"] |= {"id": draw(st.sampled_from(words))}
        if draw(st.integers(0, 7)) == 0:
            body["account"] |= {"aliases": [draw(st.sampled_from(ACCOUNTS))]}
    return body | draw(st.sampled_from(ODDITIES))


@given(
    products(),
    st.dictionaries(st.sampled_from(ACCOUNTS), memberships),
    st.sets(st.sampled_from(ACCOUNTS), max_size=2),
    st.lists(spelled(), min_size=1, max_size=12),
)
def test_keys_of_a_batch_are_those_of_each_and_tell_apart_what_rules_do(
    body: Body, members: dict[str, set[str]], recent: set[str], bodies: list[Body]
) -> None:
    product = read_product(body)
    digester = Digester(SECRET)
    classes = DeviceClasses(product, REQUIREMENTS)
    digests = {
        group: digester.of_all([a for a in members if group in members[a]])
        for group in product.groups
    }
    moves: RecentMoves = {digester.of(address): ((NOW, "beta", "added"),) for address in recent}
    snapshot = snapshot_of("contoso", "APP", product, digests, digester, REQUIREMENTS, recent=moves)
    keys = QueryKeys(snapshot, classes)
    batch: Any = wire.decode_batch(json.dumps({"queries": bodies}).encode())
    decisions: dict[CacheKey, object] = {}
    for asked in batch:
        try:
            query = wire.to_query(asked)
        except InvalidInput:
            continue
        classes.of(query.device)
        key = keys.of(asked)
        if key is None or query.at is not None:
            continue
        groups = frozenset(members.get(query.account.id, ()) if query.account else ())
        assert query.account is None or query.account.id not in recent
        decision = decide(Case(query, product, groups & product.groups, REQUIREMENTS, NOW))
        verdict = structs.replace(decision, trace=UNSET)
        assert decisions.setdefault(key, verdict) == verdict
    each = [keys.of(asked) for asked in batch]
    for alone, together in zip(each, keys.of_all(batch), strict=True):
        assert together == alone if alone else together not in decisions

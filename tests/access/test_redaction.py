"""Who may not read groups is never told one's name: the same verdict, from memory and from the rules."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from eligibility.access import wire
from eligibility.access.model import Decision, Revision, Settling
from eligibility.access.redaction import unnamed
from eligibility.callers.model import Scope
from eligibility.catalog.validation import read_product
from eligibility.engine.held_product import HeldProduct
from eligibility.engine.snapshot import Snapshot
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import load_requirements
from eligibility.rules.settling import SETTLING_TIME, RecentMoves
from eligibility.service.service import Service
from groups.member_set import Digester, MemberIndex, MemberSet
from groups.model import MembershipEdit
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.catalog.strategies import ACCOUNTS, NOW, Body, memberships, products, queries
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, asking
from tests.helpers.servers.problem import assert_problem

KEY = b"k" * 32
REQUIREMENTS = load_requirements()
REVISION = Revision(5, 7)
HUSH = b"hush-"
"""How the name of every group begins here, and nothing else."""

added_or_removed: st.SearchStrategy[Literal["added", "removed"]] = st.sampled_from(
    ("added", "removed")
)
changes = st.dictionaries(
    st.sampled_from(ACCOUNTS),
    st.tuples(
        st.sampled_from([f"hush-g{number}" for number in range(1, 5)]),
        added_or_removed,
        st.sampled_from([1, 60, 1_799, 1_800, 7_200]),
    ),
)


def hushed(body: Body) -> Body:
    """A product whose groups are called as nothing else is."""
    read: Body = json.loads(re.sub('"(g[1-4])"', r'"hush-\1"', json.dumps(body)))
    return read


@st.composite
def worlds(draw: st.DrawFn) -> tuple[HeldProduct, list[tuple[Body, Decision]]]:
    """A product in memory, and queries with what the rules say of them."""
    declared = read_product(hushed(draw(products())))
    members = {
        address: {f"hush-{one}" for one in ids}
        for address, ids in draw(st.dictionaries(st.sampled_from(ACCOUNTS), memberships)).items()
    }
    digester = Digester(KEY)
    sets = {
        one: MemberSet.of(digester.of(a) for a in members if one in members[a])
        for one in declared.groups
    }
    recent: RecentMoves = {}
    settling: dict[str, Settling] = {}
    for address, (group_id, change, ago) in draw(changes).items():
        at = NOW - timedelta(seconds=ago)
        recent[digester.of(address)] = ((at, group_id, change),)
        if at + SETTLING_TIME > NOW:
            settling[address] = Settling(group_id, change, at, at + SETTLING_TIME)
    snapshot = Snapshot(
        "contoso",
        "APP",
        declared,
        MemberIndex.build(sets),
        digester,
        REQUIREMENTS,
        REVISION,
        recent,
    )
    held = HeldProduct(snapshot, "", 1, NOW.timestamp())
    asked = []
    for body in draw(st.lists(queries, min_size=1, max_size=4)):
        query = wire.query_of(**body)
        address = query.account.id if query.account else ""
        groups = frozenset(members.get(address, ())) & declared.groups
        decision = structs.replace(
            decide(Case(query, declared, groups, REQUIREMENTS, NOW)),
            trace=UNSET,
            settling=settling.get(address),
            revision=REVISION,
        )
        asked.append((body, decision))
    return held, asked


@given(worlds())
def test_a_decision_without_names_is_the_same_decision(
    world: tuple[HeldProduct, list[tuple[Body, Decision]]],
) -> None:
    for _, named in world[1]:
        told = unnamed(named)
        assert HUSH not in wire.encode(told)
        nameless = structs.replace(told, remedies=named.remedies, settling=named.settling)
        assert nameless == named
        assert (told.settling is None) == (named.settling is None)
        if told.settling and named.settling:
            assert told.settling == structs.replace(named.settling, group_id=None)
        for without, remedy in zip(told.remedies, named.remedies, strict=True):
            assert without.groups == ()
            assert structs.replace(without, text=remedy.text, groups=remedy.groups) == remedy
            if not remedy.groups:
                assert without == remedy


@given(worlds(), st.lists(st.booleans(), min_size=1, max_size=4))
def test_memory_says_what_the_rules_say_whoever_asked_before(
    world: tuple[HeldProduct, list[tuple[Body, Decision]]], order: list[bool]
) -> None:
    held, asked = world
    fields = [wire.decode_query(json.dumps(body).encode()) for body, _ in asked]
    for named in (*order, not order[-1]):
        expected = [wire.encode(decision if named else unnamed(decision)) for _, decision in asked]
        for one, answer in zip(fields, expected, strict=True):
            assert held.answer_json(one, NOW.timestamp(), named) == answer
        assert held.answers_json(fields, NOW.timestamp(), named) == expected


# --- over HTTP ---


@pytest.fixture
def app(service: Service, clock: Clock) -> Iterator[App]:
    """A private product with a flight above the one that Grace is in; Ada came this minute."""
    for name, address in (("hush-all", "grace@example.com"), ("hush-best", "linus@example.com")):
        group(service, name, address)
    flights = flight("best", ["hush-best"], "3.0.0.0"), flight("good", ["hush-all"], "2.0.0.0")
    declared = product(*flights, audience="private", audience_groups=["hush-all"])
    put(service, "APP", declared)
    clock.advance(3_600)
    edit = MembershipEdit(add=("ada@example.com",))
    service.groups.edit("contoso", "hush-all", edit, actor="test")
    clock.advance(60)
    with asking(service) as opened:
        yield opened


BODIES: dict[str, dict[str, Any]] = {
    "settling, and a flight missed": {"account": {"id": "ada@example.com"}},
    "a flight missed": {"account": {"id": "grace@example.com"}},
    "aliases": {"account": {"id": "x@example.com", "aliases": ["ada@example.com"]}},
    "not in the audience": {"account": {"id": "x@example.com"}},
    "not signed in": {"account": None},
    "wrong kind": {"account": {"id": "grace@example.com", "kind": "work_or_school"}},
    "of another moment": {"account": {"id": "x@example.com"}, "at": "2030-01-01T00:00:00Z"},
    "strong": {"account": {"id": "ada@example.com"}, "consistency": "strong"},
    "unreadable": {"account": {"id": "nobody"}},
}


@pytest.mark.parametrize("named_first", [False, True])
@pytest.mark.parametrize("case", BODIES)
def test_no_answer_names_a_group_unless_the_caller_reads_groups(
    app: App, case: str, named_first: bool
) -> None:
    body = {"product_id": "APP", "device": DESKTOP, **BODIES[case]}
    told: dict[bool, list[str]] = {False: [], True: []}
    for _ in range(2):  # the second time from memory
        for named in (named_first, not named_first):
            reads = [Scope.READ_GROUPS] if named else []
            caller = app.key(Scope.QUERY, Scope.ASSERT, *reads)
            told[named].append(app.post("/v1/access", body, caller).text)
            batch = {"queries": [body, body]}
            told[named].append(app.post("/v1/access/batch", batch, caller).text)
    assert "hush" not in "".join(told[False])
    if case != "unreadable":
        assert all("hush" in text for text in told[True])
    assert {len(set(told[named][0::2])) for named in told} == {1}  # warm and cold alike
    with_names, without = (json.loads(told[named][0]) for named in (True, False))
    for kept in ("granted", "submission", "package", "revision"):
        assert with_names.get(kept) == without.get(kept)
    assert len(with_names.get("remedies", ())) == len(without.get("remedies", ()))


def test_a_trace_names_groups_so_it_needs_the_scope(app: App) -> None:
    body = {"product_id": "APP", "device": DESKTOP, "account": {"id": "grace@example.com"}}
    scopes = [Scope.QUERY, Scope.ASSERT, Scope.EXPLAIN]
    refused = app.post("/v1/access?explain=true", body, app.key(*scopes))
    assert_problem(refused, 403, "SCOPE_MISSING")
    assert "hush" not in refused.text
    told = app.post("/v1/access?explain=true", body, app.key(*scopes, Scope.READ_GROUPS))
    assert "hush-best" in json.dumps(told.json()["trace"])


def test_settling_is_told_without_the_group(app: App, clock: Clock) -> None:
    body = {"product_id": "APP", "device": DESKTOP, "account": {"id": "ada@example.com"}}
    told = app.post("/v1/access", body, app.key(Scope.QUERY, Scope.ASSERT)).json()["settling"]
    changed = datetime.fromtimestamp(clock() - 60, UTC)
    assert told["group_id"] is None
    assert told["change"] == "added"
    assert datetime.fromisoformat(told["changed_at"]) == changed
    assert datetime.fromisoformat(told["settled_at"]) == changed + SETTLING_TIME

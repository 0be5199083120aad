"""A matrix is exact: each pair of account and device has the decision that the rules give for it.

`simulate` decides once for all that no rule tells apart; here every pair is decided by `decide`
alone, with groups and settling memberships looked up in plain sets, and whole decisions compared.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, structs

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.codes import AccountKind
from eligibility.access.model import Account, Decision, Device, Revision, Settling
from eligibility.catalog.validation import read_product
from eligibility.engine.snapshot import snapshot_of
from eligibility.explain.outcome import outcome_of
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import Requirements, load_requirements
from eligibility.rules.rollout import bucket
from eligibility.rules.settling import recent_of
from eligibility.simulation import classes
from eligibility.simulation.inputs.devices import NamedDevice, read_devices
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import Matrix, simulate
from eligibility.simulation.state import State
from groups.member_set import Digester, MemberIndex
from groups.model import GroupChange
from tests.helpers.catalog.products import flight, package, product
from tests.helpers.catalog.strategies import (
    ACCOUNTS,
    GROUPS,
    NOW,
    PRODUCT_ID,
    devices,
    memberships,
    mostly,
    package_versions,
    products,
)
from tests.helpers.examples import examples

REQUIREMENTS = load_requirements(None)
EVERYONE = replace(REQUIREMENTS, rollout_applies_to="everyone")
SETTLES_AFTER = timedelta(minutes=30)
DIGESTER = Digester(b"a key of the test")
REVISION = Revision(7, 3)

Move = tuple[str, str, Literal["added", "removed"], int]
"""Who, of which group, came or went, how many minutes ago."""


@dataclass(frozen=True)
class World:
    """A product, who is in which group, and who came and went just before."""

    body: Mapping[str, Any]
    members: Mapping[str, frozenset[str]]
    moves: Sequence[Move] = ()
    requirements: Requirements = REQUIREMENTS
    now: datetime = NOW

    @property
    def state(self) -> State:
        declared = read_product(self.body)
        members = {one: DIGESTER.of_all(self.members.get(one, ())) for one in declared.groups}
        changes = [
            GroupChange(
                publisher="contoso",
                revision=number,
                group_id=group,
                at=self.now - timedelta(minutes=minutes),
                actor="test",
                added=(who,) if change == "added" else (),
                removed=(who,) if change == "removed" else (),
            )
            for number, (who, group, change, minutes) in enumerate(self.in_order())
        ]
        recent = recent_of(changes, declared.groups, DIGESTER.of)
        snapshot = snapshot_of(
            "contoso", PRODUCT_ID, declared, members, DIGESTER, self.requirements, REVISION, recent
        )
        return State(snapshot, self.now)

    def in_order(self) -> list[Move]:
        return sorted(self.moves, key=lambda move: -move[3])

    def decision(self, asker: Asker, device: Device) -> Decision:
        """By the rules alone."""
        query = asker.query(PRODUCT_ID, device)
        declared = read_product(self.body)
        own = set(asker.account.addresses) if asker.account else set()
        groups = frozenset(one for one in declared.groups if own & self.members.get(one, set()))
        pure = decide(Case(query, declared, groups, self.requirements, self.now))
        return structs.replace(
            pure, trace=UNSET, settling=self._settling(own, declared.groups), revision=REVISION
        )

    def _settling(self, own: set[str], groups: frozenset[str]) -> Settling | None:
        """The newest change of the last 30 minutes to a group of the product."""
        newest: dict[str, Move] = {
            move[0]: move for move in self.in_order() if move[1] in groups and move[0] in own
        }
        found = [
            (self.now - timedelta(minutes=minutes), group, change)
            for _, group, change, minutes in newest.values()
        ]
        if not found:
            return None
        at, group, change = max(found)
        settled_at = at + SETTLES_AFTER
        return Settling(group, change, at, settled_at) if self.now < settled_at else None


# --- worlds, populations and devices of a small vocabulary ---

terms: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "installed_version": st.none() | package_versions,
        "owned": mostly(False, True),
        "market": st.sampled_from((None, "US", "FR")),
        "promotional_code": mostly(False, True),
        "manual_check": mostly(False, True),
    }
)
no_terms: st.SearchStrategy[dict[str, Any]] = st.just({})
addresses = st.sampled_from(ACCOUNTS)
some_account = st.builds(
    Account,
    addresses,
    mostly(AccountKind.MICROSOFT, AccountKind.WORK_OR_SCHOOL),
    st.lists(addresses, max_size=2, unique=True).map(tuple),
)
askers = st.builds(
    lambda account, told: Asker(account=account, **told), st.none() | some_account, terms
)
moves: st.SearchStrategy[Move] = st.tuples(
    addresses, st.sampled_from(GROUPS), st.sampled_from(("added", "removed")), st.integers(1, 31)
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Groups of few members or of many, so that there are more accounts than members, and fewer."""
    members = {group: set[str]() for group in GROUPS}
    for account in ACCOUNTS:
        for group in draw(memberships):
            members[group].add(account)
    strangers = {f"s{number}@example.com" for number in range(draw(st.sampled_from((0, 60))))}
    return World(
        draw(products()),
        {group: frozenset(those | strangers) for group, those in members.items()},
        draw(st.lists(moves, max_size=4, unique_by=lambda move: (move[0], move[3]))),
        draw(mostly(REQUIREMENTS, EVERYONE)),
    )


@st.composite
def populations(draw: st.DrawFn) -> Population:
    """Plain accounts, and among them some that say more of themselves."""
    names = draw(st.lists(addresses, max_size=30))
    others: dict[int, Asker] = {}
    if names:
        places = st.sets(st.integers(0, len(names) - 1), max_size=6)
        others = {place: draw(askers) for place in sorted(draw(places | st.just(set())))}
    names = [others[place].name if place in others else one for place, one in enumerate(names)]
    return Population(names, Asker(**draw(no_terms | terms)), others)


def _named(told: dict[str, Any]) -> NamedDevice:
    return NamedDevice(str(told), Device.parse(**told))


named_devices = st.lists(devices.map(_named), max_size=5)


def pairs(matrix: Matrix) -> Iterator[tuple[int, int]]:
    for row in range(len(matrix.population)):
        for column in range(len(matrix.devices)):
            yield row, column


@settings(max_examples=examples(400))
@given(worlds(), populations(), named_devices, st.sampled_from((1, 3, 50_000)))
def test_every_pair_has_the_decision_that_the_rules_give_for_it(
    world: World, population: Population, named: list[NamedDevice], chunk: int
) -> None:
    state = world.state
    with patch.object(classes, "_CHUNK", chunk):
        matrix = simulate(state, population, named)
    for row, column in pairs(matrix):
        asker, device = population.asker(row), named[column].device
        decision = world.decision(asker, device)
        assert matrix.decision(row, column) == decision
        assert matrix.outcome(row, column) == outcome_of(decision)
        assert state.decide(asker.query(PRODUCT_ID, device)) == decision


@given(worlds(), populations(), named_devices)
def test_an_explanation_is_the_same_decision_with_its_trace(
    world: World, population: Population, named: list[NamedDevice]
) -> None:
    matrix = simulate(world.state, population, named)
    for row, column in list(pairs(matrix))[:10]:
        told = matrix.explain(row, column)
        assert told.trace
        assert structs.replace(told, trace=UNSET) == matrix.decision(row, column)


@given(worlds(), populations(), named_devices)
def test_classes_divide_the_accounts(
    world: World, population: Population, named: list[NamedDevice]
) -> None:
    matrix = simulate(world.state, population, named)
    assert sum(matrix.sizes) == len(population)
    assert all(matrix.sizes)
    for number in range(len(matrix.decisions)):
        assert len(list(matrix.members(number))) == matrix.sizes[number]
    found = [place for number in range(len(matrix.decisions)) for place in matrix.members(number)]
    assert sorted(found) == list(range(len(population)))


# --- what makes a class, one case each ---

BODY = product(
    flight("canary", ["g1"], "3.0.0.0"),
    rollout={"percentage": 50, "status": "in_progress", "previous_packages": [package("1.1.0.0")]},
    packages=[package("2.0.0.0")],
).model_dump(mode="json")
DESKTOPS = read_devices("desktop")


def simulated(world: World, *names: str, defaults: Asker = PLAIN) -> Matrix:
    return simulate(world.state, Population(names, defaults), DESKTOPS)


def test_accounts_that_no_rule_tells_apart_are_decided_once() -> None:
    world = World(BODY, {"g1": frozenset({"m0@example.com", "m1@example.com"})})
    strangers = [f"s{number}@example.com" for number in range(1_000)]
    matrix = simulated(world, "m0@example.com", "m1@example.com", *strangers)
    assert len(matrix.sizes) in (3, 4)  # members and strangers, on each side of the rollout
    assert len(matrix.decisions[0]) < len(DESKTOPS)


def test_both_sides_of_a_rollout_are_there_in_its_proportion() -> None:
    world = World(BODY, {"g1": frozenset({"m@example.com"})})
    names = [f"s{number}@example.com" for number in range(4_000)]
    matrix = simulated(world, *names, defaults=Asker(installed_version="1.0.0.0"))
    versions = [matrix.outcome(row, len(DESKTOPS) - 1).version for row in range(len(names))]
    assert versions.count("2.0.0.0") == pytest.approx(2_000, abs=150)
    assert versions.count("1.1.0.0") == 4_000 - versions.count("2.0.0.0")


def test_two_accounts_of_one_address_settle_each_by_its_own_aliases() -> None:
    """One address may be asked for several times, with one alias or another."""
    aliases = ("came@example.com", "went@example.com", "still@example.com")
    accounts = [Account("ada@example.com", aliases=(one,)) for one in aliases]
    world = World(
        BODY,
        {"g1": frozenset({"ada@example.com"})},
        [(aliases[0], "g1", "added", 5), (aliases[1], "g1", "removed", 6)],
    )
    population = Population.of(map(Asker, accounts))
    matrix = simulate(world.state, population, DESKTOPS[:1])
    settling = [matrix.decision(row, 0).settling for row in range(3)]
    assert [one and one.change for one in settling] == ["added", "removed", None]


def test_the_last_account_inside_a_rollout_and_the_first_outside_are_told_apart() -> None:
    world = World(BODY, {"g1": frozenset({"m@example.com"})})
    names = [f"s{number}@example.com" for number in range(30_000)]
    at_the_edge = {5_000 - 1: "2.0.0.0", 5_000: "1.1.0.0"}
    names = [one for one in names if bucket(PRODUCT_ID, one) in at_the_edge]
    assert {bucket(PRODUCT_ID, one) for one in names} == at_the_edge.keys()
    matrix = simulated(world, *names, defaults=Asker(installed_version="1.0.0.0"))
    found = [matrix.outcome(row, len(DESKTOPS) - 1).version for row in range(len(names))]
    assert found == [at_the_edge[bucket(PRODUCT_ID, one)] for one in names]


def test_whatever_a_rule_sees_of_an_account_is_seen() -> None:
    """Every combination of it, on a product where each of them decides something."""
    body = {**deepcopy(BODY), "markets": ["US"], "availability": "unavailable"}
    body["submission"]["rollout"]["newest_on_manual_check"] = True
    world = World(body, {"g1": frozenset({"m@example.com"})})
    accounts = [
        None,
        *(Account(one) for one in ("m@example.com", "s1@example.com", "s2@example.com")),
        *(Account(f"s{number}@example.com", aliases=("m@example.com",)) for number in range(3)),
        *(Account(one, AccountKind.WORK_OR_SCHOOL) for one in ("m@example.com", "s1@example.com")),
    ]
    yes_or_no = (False, True)
    versions, markets = (None, "1.0.0.0", "2.0.0.0"), (None, "US", "FR")
    askers = [
        Asker(*told)
        for told in itertools.product(accounts, versions, yes_or_no, markets, yes_or_no, yes_or_no)
    ]
    matrix = simulate(world.state, Population.of(askers), DESKTOPS[-1:])
    decisions = [world.decision(asker, DESKTOPS[-1].device) for asker in askers]
    assert [matrix.decision(row, 0) for row in range(len(askers))] == decisions
    assert len({outcome_of(one) for one in decisions}) > 10


def test_more_accounts_than_members_and_fewer_are_looked_up_alike() -> None:
    members = [f"m{number}@example.com" for number in range(50)]
    world = World(BODY, {"g1": frozenset(members)})
    strangers = [f"s{number}@example.com" for number in range(200)]
    few = simulated(world, *members[:10], *strangers[:10])
    with patch.object(MemberIndex, "by_digest", side_effect=AssertionError("few were asked")):
        assert simulated(world, *members[:10], *strangers[:10]).decisions == few.decisions
    many = simulated(world, *members, *strangers)
    for row in range(10):
        assert many.decision(row, 0) == few.decision(row, 0)
        assert many.decision(50 + row, 0) == few.decision(10 + row, 0)


def test_accounts_that_came_at_once_are_told_alike_and_others_are_not() -> None:
    came: list[Move] = [("a@x.com", "g1", "added", 5), ("b@x.com", "g1", "added", 5)]
    world = World(
        {**deepcopy(BODY), "submission": product().submission.model_dump(mode="json")},
        {"g1": frozenset({"a@x.com", "b@x.com", "c@x.com", "d@x.com"})},
        [*came, ("c@x.com", "g1", "added", 6), ("e@x.com", "g1", "removed", 5)],
    )
    matrix = simulated(world, *(f"{name}@x.com" for name in "abcdef"))
    assert list(matrix.rows) == [0, 0, 1, 2, 3, 4]
    for row, name in enumerate("abcdef"):
        asker = Asker(Account(f"{name}@x.com"))
        assert matrix.decision(row, 0) == world.decision(asker, DESKTOPS[0].device)


def test_nobody_and_nothing_can_be_simulated() -> None:
    world = World(BODY, {"g1": frozenset({"m@example.com"})})
    assert simulate(world.state, Population([]), DESKTOPS).decisions == ()
    assert simulate(world.state, Population(["a@example.com"]), []).decisions == ((),)

"""Coverage counts what each member gets, without knowing any: compared with asking for each of them."""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.model import AccessQuery, Account
from eligibility.catalog.model import Product
from eligibility.catalog.validation import read_product
from eligibility.cli.app import application
from eligibility.engine.snapshot import snapshot_of
from eligibility.errors import InvalidInput
from eligibility.explain.outcome import outcome_of
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import Requirements, load_requirements
from eligibility.service.service import Service
from eligibility.simulation.coverage import Coverage, DeviceReach, coverage
from eligibility.simulation.inputs.devices import NamedDevice, read_devices
from eligibility.simulation.responses import SimulatedOutcome, simulated
from eligibility.simulation.rollout_shares import apportioned, sides
from eligibility.simulation.state import State
from groups.member_set import Digester
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.catalog.strategies import (
    GROUPS,
    NOW,
    PRODUCT_ID,
    mostly,
    package_versions,
    products,
)
from tests.helpers.examples import examples

DEVICES = read_devices("all")
REQUIREMENTS = load_requirements()
PEOPLE = tuple(f"tester{number}@example.com" for number in range(40))
Members = Mapping[str, frozenset[str]]


def state_of(declared: Product, members: Members, floors: Requirements = REQUIREMENTS) -> State:
    """A product and who is in which of its groups, without any store."""
    digester = Digester(b"key")
    digests = {one: digester.of_all(members.get(one, ())) for one in declared.groups}
    return State(snapshot_of("contoso", PRODUCT_ID, declared, digests, digester, floors), NOW)


def got(
    state: State, members: Members, address: str, named: NamedDevice, terms: Asker = PLAIN
) -> SimulatedOutcome:
    """What one member gets, by the rules alone."""
    groups = frozenset(one for one in state.product.groups if address in members.get(one, ()))
    query: AccessQuery = terms.as_account(Account(address)).query(PRODUCT_ID, named.device)
    return simulated(outcome_of(decide(Case(query, state.product, groups, REQUIREMENTS, NOW))))


def reach_on(found: Coverage, named: NamedDevice) -> DeviceReach:
    """The one entry of a device."""
    family, architecture = named.device.family, named.device.architecture
    (one,) = (
        reach
        for reach in found.devices
        if named.name in reach.devices
        and (reach.family, reach.architecture) == (family, architecture)
    )
    return one


def counts(reach: DeviceReach) -> dict[SimulatedOutcome, int]:
    return {one.outcome: one.members for one in reach.members}


memberships = st.dictionaries(st.sampled_from(GROUPS), st.frozensets(st.sampled_from(PEOPLE)))
terms = st.builds(
    Asker,
    st.none(),
    st.none() | package_versions,
    st.booleans(),
    mostly("US", None, "FR"),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=examples(60), deadline=None)
@given(products(), memberships, terms)
def test_it_counts_what_each_member_gets(body: Any, members: Members, told: Asker) -> None:
    """Where a rollout splits members the numbers are averages, and then only the sums are exact."""
    state = state_of(read_product(body), members)
    found = coverage(state, DEVICES, told)
    everybody = {one for group_id in state.product.groups for one in members.get(group_id, ())}
    assert found.members == len(everybody)
    for named in DEVICES[::7]:
        plain = Counter(got(state, members, one, named, told) for one in everybody)
        reach = reach_on(found, named)
        assert sum(counts(reach).values()) == len(everybody)
        if any(one.estimated for one in reach.members):
            continue
        assert counts(reach) == plain
        assert reach.granted == sum(n for outcome, n in plain.items() if outcome.granted)
        assert got(state, members, "stranger@example.com", named, told) in reach.others


@settings(max_examples=examples(60), deadline=None)
@given(products(), memberships)
def test_groups_combinations_and_overlaps_are_those_of_plain_sets(
    body: Any, members: Members
) -> None:
    state = state_of(read_product(body), members)
    found = coverage(state, DEVICES[:1])
    declared = {one: members.get(one, frozenset()) for one in state.product.groups}
    assert {one.group_id: one.members for one in found.groups} == {
        group_id: len(addresses) for group_id, addresses in declared.items()
    }
    for one in found.overlaps:
        first, second = one.groups
        assert one.members == len(declared[first] & declared[second]) > 0
    met = Counter(
        tuple(sorted(one for one in declared if address in declared[one]))
        for address in set().union(*declared.values())
    )
    assert {one.groups: one.members for one in found.combinations} == met


def test_every_device_is_in_one_run_and_runs_are_of_neighbours_that_get_the_same() -> None:
    declared = product(flight("f", ["beta"], "2.0.0.0"))
    found = coverage(state_of(declared, {"beta": frozenset(PEOPLE)}), DEVICES)
    named = [one for reach in found.devices for one in reach.devices]
    assert named == [one.name for one in DEVICES]
    names = [reach.name for reach in found.devices]
    assert names[:3] == [
        "Windows 10 1507, x64",
        "Windows 10 1511 to 11 26H1, x64",
        "Windows 10 1507, x86",
    ]
    assert "Xbox 10 1511 to 11 26H2, x64" in names


def test_who_is_in_two_flights_gets_the_higher_one_and_who_is_in_no_audience_nothing() -> None:
    high, low = flight("high", ["canary"], "3.0.0.0"), flight("low", ["beta"], "2.0.0.0")
    declared = product(high, low, audience="private", audience_groups=["beta"])
    members = {"canary": frozenset(PEOPLE[:4]), "beta": frozenset(PEOPLE[2:12])}
    found = coverage(state_of(declared, members), read_devices("windows-11"))
    told = [(one.groups, one.members, one.flight_id, one.admitted) for one in found.combinations]
    assert told == [
        (("beta",), 8, "low", True),
        (("beta", "canary"), 2, "high", True),
        (("canary",), 2, "high", False),
    ]
    (x64, _) = found.devices
    assert [(r.members, r.outcome.flight_id, r.outcome.reasons) for r in x64.members] == [
        (8, "low", ("FLIGHT_MEMBER",)),
        (2, "high", ("FLIGHT_MEMBER",)),
        (2, None, ("NOT_IN_AUDIENCE",)),
    ]
    assert x64.granted == 10
    assert [(one.groups, one.members) for one in found.overlaps] == [(("beta", "canary"), 2)]


def rolled_out(percentage: float) -> Product:
    """A flight that is being rolled out."""
    rollout = {
        "percentage": percentage,
        "status": "in_progress",
        "previous_packages": [package("1.5.0.0")],
    }
    return product(flight("f", ["beta"], "2.0.0.0", rollout=rollout))


def test_a_rollout_splits_those_who_have_it_installed_and_the_numbers_are_marked() -> None:
    state = state_of(rolled_out(25), {"beta": frozenset(PEOPLE)})
    (share,) = coverage(state, DEVICES[-1:]).rollouts
    assert (share.flight_id, share.newest, share.previous) == ("f", "2.0.0.0", "1.5.0.0")
    assert (share.members, share.members_on_newest) == (40, 10)
    (new, _) = coverage(state, read_devices("windows-11")).devices
    assert [(one.outcome.version, one.members, one.estimated) for one in new.members] == [
        ("2.0.0.0", 40, False)
    ]
    (old, _) = coverage(
        state, read_devices("windows-11"), Asker(installed_version="1.0.0.0")
    ).devices
    assert [(one.outcome.version, one.members, one.estimated) for one in old.members] == [
        ("1.5.0.0", 30, True),
        ("2.0.0.0", 10, True),
    ]


@pytest.mark.parametrize("percentage", [0, 0.01, 1.09, 50, 99.99, 100])
def test_there_is_a_made_up_account_on_each_side_of_a_rollout(percentage: float) -> None:
    state = state_of(rolled_out(percentage), {})
    places = [one.buckets for one in sides(state.snapshot)]
    included = round(percentage * 100)
    assert places == [one for one in (included, 10_000 - included) if one]


@given(st.integers(0, 100_000), st.lists(st.integers(1, 9_999), min_size=1, max_size=5))
def test_whoever_is_apportioned_is_counted_once(members: int, cuts: list[int]) -> None:
    bounds = [0, *sorted(set(cuts)), 10_000]
    places = {n: end - start for n, (start, end) in enumerate(pairwise(bounds))}
    found = apportioned(members, places)
    assert sum(found.values()) == members
    assert all(abs(found[n] - members * places[n] / 10_000) < 1 for n in places)


def test_more_decisions_than_a_server_makes_at_once_are_refused() -> None:
    state = state_of(rolled_out(25), {"beta": frozenset(PEOPLE)})
    with pytest.raises(InvalidInput) as refused:
        coverage(state, DEVICES, most_decisions=10)
    assert [fault.code for fault in refused.value.faults] == ["TOO_MANY_DECISIONS"]


def ran(store_url: str, *args: str) -> str:
    done = CliRunner().invoke(
        application(),
        ["coverage", *args, "--store", store_url],
        env={"COLUMNS": "140"},
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_prints_what_is_reached_and_which_flight_wins(
    service: Service, store_url: str
) -> None:
    group(service, "beta", *PEOPLE[:8])
    group(service, "canary", *PEOPLE[6:9])
    high, low = flight("high", ["canary"], "3.0.0.0"), flight("low", ["beta"], "2.0.0.0")
    put(service, "APP", product(high, low))
    text = ran(store_url, "--product", "APP", "--devices", "windows-11")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "9 members in 2 groups" in lines
    assert "Windows 11 21H2 to 26H1, x64 6 67% low 2.0.0.0 public 1.0.0.0" in lines
    assert "3 33% high 3.0.0.0" in lines
    assert "2 beta + canary high" in lines
    assert "2 beta + canary 25% / 67%" in lines
    assert "@" not in text


def test_the_command_counts_a_draft_and_prints_json(
    service: Service, store_url: str, tmp_path: Any
) -> None:
    group(service, "beta", *PEOPLE[:8])
    put(service, "APP", product(flight("low", ["beta"], "2.0.0.0")))
    edits = tmp_path / "edits.csv"
    edits.write_text(f"group,account\nbeta,{PEOPLE[20]}\nbeta,{PEOPLE[21]}\n")
    args = ("--product", "APP", "--devices", "xbox", "--with-groups", str(edits), "--json")
    told = json.loads(ran(store_url, *args))
    assert told["members"] == 10
    assert told["state"]["label"] == "live + draft"
    assert told["devices"][0]["granted"] == 10

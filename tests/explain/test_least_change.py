"""The least change: what is reported works, nothing smaller does, and the search stays small."""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings

from eligibility.access.codes import Action
from eligibility.access.explanation import LeastChange, SuggestedChange
from eligibility.access.wire import query_of
from eligibility.catalog.model import Product
from eligibility.catalog.validation import read_product
from eligibility.cli.demo.demo import load_sample
from eligibility.errors import InvalidInput
from eligibility.explain.least_change import GRANTED, MOST_TRIES, Goal, goal_of, nearest, worlds
from eligibility.explain.person_changes import CandidateChange, of_person
from eligibility.explain.publisher_changes import of_publisher
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import load_requirements, parse_requirements
from eligibility.service.service import Service
from tests.helpers.catalog.decisions import ask
from tests.helpers.catalog.products import DESKTOP, flight, group, package, product, put
from tests.helpers.catalog.strategies import NOW, Body, memberships, products, queries
from tests.helpers.examples import examples

REQUIREMENTS = load_requirements()
ADA = {"id": "ada@example.com"}
XBOX = {"family": "Xbox", "os_version": "22621", "architecture": "x64"}
FLOORS = """
[flight]
"Windows.Desktop" = ">10.0.22631.3007"
[private_audience]
"*" = ">=10.0.14393"
[rollout]
"Windows.Desktop" = ">=10.0.10586"
"""


def case(declared: Product, *groups: str, **asked: Any) -> Case:
    """Ada, or who is told, on a Desktop, or what is told."""
    query = query_of(**{"product_id": "APP", "account": ADA, "device": DESKTOP, **asked})
    return Case(query, declared, frozenset(groups), REQUIREMENTS, NOW)


def told(found: LeastChange) -> list[list[str]]:
    """The actions of each way, with the group, version or flight of each change."""
    return [
        [
            " ".join(filter(None, (c.action, c.group, c.os_version, c.flight))).lower()
            for c in way.changes
        ]
        for way in found.ways
    ]


# --- what support is asked most ---


def test_who_is_outside_a_private_audience_can_be_added_wait_or_hope() -> None:
    declared = product(
        audience="private", audience_groups=["beta"], public_at="2031-03-01T09:00:00Z"
    )
    found = nearest(case(declared))
    assert told(found) == [["join_group beta"], ["wait"], ["make_public"]]
    assert found.ways[0].changes[0].text == "ask the publisher to be added to beta"
    assert found.ways[1].changes[0].text == (
        "wait until 2031-03-01 09:00 UTC, when the product becomes public"
    )
    assert [(way.source, way.version) for way in found.ways] == [("submission", "1.0.0.0")] * 3


def test_who_is_not_signed_in_signs_in_as_a_member() -> None:
    declared = product(audience="private", audience_groups=["beta"])
    found = nearest(case(declared, account=None))
    assert told(found)[0] == ["sign_in beta"]
    assert "Microsoft account that is in beta" in found.ways[0].changes[0].text


def test_a_work_account_that_is_listed_becomes_a_personal_one() -> None:
    declared = product(audience="private", audience_groups=["beta"])
    work = ADA | {"kind": "work_or_school"}
    found = nearest(case(declared, "beta", account=work))
    assert found.ways[0].changes[0].text == (
        "use a personal Microsoft account with the address ada@example.com"
    )


def test_the_lowest_version_that_works_is_told_and_no_higher_one() -> None:
    submission = [package("2.0.0.0", Desktop="22000"), package("1.0.0.0", Desktop="1809")]
    declared = product(packages=submission)
    device = DESKTOP | {"os_version": "1703"}
    found = nearest(case(declared, device=device))
    assert told(found)[0] == ["update_os 10.0.17763.0"]
    assert found.ways[0].changes[0].release == "Windows 10 1809"
    assert found.ways[0].version == "1.0.0.0"


def test_a_version_that_the_device_cannot_have_is_not_told() -> None:
    """Windows 11 has no 32-bit edition."""
    declared = product(packages=[package("1.0.0.0", Desktop="22000")])
    device = {
        "family": "Desktop",
        "os_version": "22H2".join(("Windows 10 ", "")),
        "architecture": "x86",
    }
    assert ["update_os 10.0.22000.0"] not in told(nearest(case(declared, device=device)))


def test_a_floor_that_asks_for_more_than_a_version_is_passed_by_the_next_one() -> None:
    declared = product(flight("canary", ["testers"], "2.0.0.0"))
    asked = case(declared, "testers")
    strict = Case(
        asked.query, declared, asked.account_groups, parse_requirements(FLOORS, "floors"), NOW
    )
    found = nearest(strict, goal_of("canary", declared))
    assert told(found)[0] == ["update_os 10.0.22631.3008"]


def test_leaving_a_flight_that_has_nothing_gives_the_general_release() -> None:
    canary = {
        **flight("canary", ["testers"], "2.0.0.0"),
        "packages": [package("2.0.0.0", Desktop="10.0.10240.0")],
    }
    found = nearest(case(product(canary), "testers", device=XBOX))
    assert told(found)[0] == ["leave_group testers"]
    assert (found.ways[0].source, found.ways[0].version) == ("submission", "1.0.0.0")
    assert ["fit_package 10.0.22621.0 canary"] in told(found)


def test_where_one_change_is_not_enough_two_are_told() -> None:
    declared = product(
        flight("canary", ["testers"], "2.0.0.0"), audience="private", audience_groups=["beta"]
    )
    found = nearest(case(declared), goal_of("flight:canary", declared))
    assert told(found)[0] == ["join_group beta", "join_group testers"]
    assert found.ways[0].source == "flight canary"


def test_a_work_account_needs_both_a_personal_account_and_its_group_in_the_flight() -> None:
    """A group of a public product's audience counts for nothing until a flight has it."""
    several = product(
        flight("canary", ["testers"], "2.0.0.0"),
        flight("dogfood", ["testers"], "3.0.0.0"),
        audience_groups=["beta"],
    )
    asked = case(several, "beta", "testers", account=ADA | {"kind": "work_or_school"})
    pairs = told(nearest(asked, goal_of("dogfood", several)))
    assert ["use_microsoft_account beta", "add_flight_group beta dogfood"] in pairs


def test_a_flight_that_lacks_both_its_packages_and_its_date_needs_both() -> None:
    """Neither alone makes a difference that a decision shows."""
    empty = {**flight("canary", ["testers"], "2.0.0.0"), "packages": []}
    declared = product({**empty, "publish_at": "2030-01-01T00:00:00Z"})
    found = nearest(case(declared, "testers"), goal_of("canary", declared))
    assert told(found) == [
        ["wait", "add_package canary"],
        ["publish_flight canary", "add_package canary"],
    ]


def test_the_sample_is_searched_in_few_tries(service: Service) -> None:
    """Each takes some 40 microseconds."""
    load_sample(service)
    asked = [
        ("9NCONTOSORDR", "grace@contoso.example", XBOX),
        ("9NCONTOSOSKT", "joe@contoso.example", DESKTOP | {"os_version": "1507"}),
        ("9NCONTOSOMAP", "joe@contoso.example", XBOX),
    ]
    for product_id, account, device in asked:
        query = query_of(product_id=product_id, account={"id": account}, device=device)
        found = nearest(service.states.read(product_id).case(query))
        assert found.ways
        assert found.complete
        assert found.tries < 300


def test_a_rollout_that_left_somebody_out_is_passed_by_hand_or_anew() -> None:
    rollout = {
        "percentage": 0,
        "status": "in_progress",
        "newest_on_manual_check": True,
        "previous_packages": [package("1.0.0.0")],
    }
    declared = product(packages=[package("2.0.0.0")], rollout=rollout)
    asked = case(declared, installed_version="1.0.0.0")
    found = nearest(asked, goal_of("2.0.0.0", declared))
    assert told(found) == [["check_for_updates"], ["reinstall"], ["finalize_rollout"]]


def test_an_account_that_is_not_known_yet_has_to_do_on_either_side_of_a_rollout() -> None:
    """Whoever signs in may be drawn or not: signing in alone is no way to the new package."""
    rollout = {
        "percentage": 50,
        "status": "in_progress",
        "previous_packages": [package("1.0.0.0")],
    }
    declared = product(packages=[package("2.0.0.0")], rollout=rollout)
    asked = case(declared, account=None, installed_version="1.0.0.0")
    found = nearest(asked, goal_of("2.0.0.0", declared))
    assert told(found) == [["reinstall"], ["finalize_rollout"]]


def test_what_is_granted_needs_no_change() -> None:
    assert nearest(case(product())) == LeastChange("the product", (), 1)


@pytest.mark.parametrize("wanting", ["flight:canary", "canary", "2.0.0.0"])
def test_a_flight_or_a_version_can_be_wanted(wanting: str) -> None:
    declared = product(flight("canary", ["testers"], "2.0.0.0"))
    found = nearest(case(declared), goal_of(wanting, declared))
    assert told(found)[0] == ["join_group testers"]


def test_a_flight_that_there_is_not_is_refused_with_what_may_be_meant() -> None:
    declared = product(flight("canary", ["testers"], "2.0.0.0"))
    with pytest.raises(InvalidInput) as error:
        goal_of("canari", declared)
    (fault,) = error.value.faults
    assert fault.code == "UNKNOWN_FLIGHT"
    assert fault.detail.endswith("(`canary`) nor a package version; did you mean `canary`?")


def test_the_only_member_of_a_group_is_not_told_to_leave_it(service: Service) -> None:
    """The edit would be refused: a group needs a member."""
    canary = flight("solo", ["solo"], "2.0.0.0") | {
        "packages": [package("2.0.0.0", Desktop="10.0.10240.0")]
    }
    group(service, "solo", "ada@example.com", "a.lovelace@example.com")
    put(service, "APP", product(canary))
    for aliases, leaves in (((), True), (("a.lovelace@example.com",), False)):
        account = ADA | {"aliases": list(aliases)}
        query = query_of(product_id="APP", account=account, device=XBOX)
        _, asked = service.evaluator.explain(query)
        assert (["leave_group solo"] in told(nearest(asked))) is leaves


def test_the_change_of_a_package_is_data_too() -> None:
    arm = DESKTOP | {"os_version": "1809", "architecture": "arm64"}
    newer = [package("2.0.0.0", Desktop="22000") | {"architectures": ["x64"]}]
    (fit,) = (
        way.changes[0]
        for way in nearest(case(product(packages=newer), device=arm)).ways
        if way.changes[0].action is Action.FIT_PACKAGE
    )
    assert (fit.family, fit.os_version, fit.architecture) == (
        "Windows.Desktop",
        "10.0.17763.0",
        "arm64",
    )


# --- against trying everything ---


def all_candidates(asked: Case, wanted: Goal) -> list[CandidateChange]:
    return [*of_person(asked), *of_publisher(asked, wanted.flight_id)]


def by_trying_everything(asked: Case, wanted: Goal, most: int) -> list[frozenset[str]]:
    """Every set of changes of the least size that does, by what it sets, without any short cut."""
    candidates = all_candidates(asked, wanted)
    for size in range(1, most + 1):
        found = [
            frozenset(one.likeness for one in chosen)
            for chosen in itertools.combinations(candidates, size)
            if at_most_once(chosen) and does(asked, chosen, wanted)
        ]
        if found:
            return found
    return []


def at_most_once(chosen: tuple[CandidateChange, ...]) -> bool:
    parts = [part for one in chosen for part in one.parts]
    return len(parts) == len(set(parts))


def does(asked: Case, chosen: tuple[CandidateChange, ...], wanted: Goal) -> bool:
    for one in chosen:
        asked = one.apply(asked)
    return all(wanted.met_by(decide(world)) for world in worlds(asked))


def cases(query: Body, body: Body, groups: set[str]) -> Iterator[tuple[Case, Goal]]:
    """The world, asked for any package, and for each of its flights."""
    declared = read_product(body)
    mine = frozenset(groups) & declared.groups if query["account"] else frozenset()
    asked = Case(query_of(**query), declared, mine, REQUIREMENTS, NOW)
    for wanted in (GRANTED, *(goal_of(one.flight_id, declared) for one in declared.flights)):
        if not wanted.met_by(decide(asked)):
            yield asked, wanted


def same(asked: Case, wanted: Goal, most: int) -> None:
    found = nearest(asked, wanted, most_changes=most, most_tries=1_000_000)
    by_change = {one.change: one.likeness for one in all_candidates(asked, wanted)}
    reported = [frozenset(by_change[change] for change in way.changes) for way in found.ways]
    assert len(set(reported)) == len(reported)
    assert set(reported) == set(by_trying_everything(asked, wanted, most))


@given(queries, products(), memberships)
@settings(max_examples=examples(120), deadline=None, suppress_health_check=list(HealthCheck))
def test_one_or_two_changes_are_those_that_trying_everything_finds(
    query: Body, body: Body, groups: set[str]
) -> None:
    for asked, wanted in cases(query, body, groups):
        same(asked, wanted, 2)


@given(queries, products(), memberships)
@settings(max_examples=examples(12), deadline=None, suppress_health_check=list(HealthCheck))
def test_three_changes_are_those_that_trying_everything_finds(
    query: Body, body: Body, groups: set[str]
) -> None:
    for asked, wanted in cases(query, body, groups):
        if len(all_candidates(asked, wanted)) <= 30:
            same(asked, wanted, 3)
            return


# --- what is reported, done by hand ---


class World(NamedTuple):
    query: Body
    body: Body
    groups: set[str]
    now: datetime = NOW

    def asked(self, **fields: Any) -> "World":
        return self._replace(query=self.query | fields)

    def declared(self, **fields: Any) -> "World":
        return self._replace(body=self.body | fields)


def signed_in(change: SuggestedChange, world: World) -> World:
    """As the same address, or, where a group is named, as one of its members."""
    if change.group:
        return world.asked(account={"id": "new@example.com"})._replace(groups={change.group})
    return world.asked(account={"id": (world.query["account"] or ADA)["id"]})


def on_device(change: SuggestedChange, world: World, *names: str) -> World:
    told = {name: getattr(change, name) for name in names}
    return world.asked(device=world.query["device"] | told)


def public(change: SuggestedChange, world: World) -> World:
    return world.declared(submission=world.body["submission"] | {"audience": "public"})


BY_HAND: dict[Action, Callable[[SuggestedChange, World], World]] = {
    Action.SIGN_IN: signed_in,
    Action.USE_MICROSOFT_ACCOUNT: signed_in,
    Action.CHECK_FOR_UPDATES: lambda _, w: w.asked(manual_check=True),
    Action.JOIN_GROUP: lambda c, w: w._replace(groups=w.groups | {str(c.group)}),
    Action.LEAVE_GROUP: lambda c, w: w._replace(groups=w.groups - {str(c.group)}),
    Action.UPDATE_OS: lambda c, w: on_device(c, w, "os_version"),
    Action.REINSTALL: lambda _, w: w.asked(installed_version=None),
    Action.USE_OFFERED_MARKET: lambda c, w: w.asked(market=c.market),
    Action.USE_PROMOTIONAL_CODE: lambda _, w: w.asked(promotional_code=True),
    Action.WAIT: lambda c, w: w._replace(now=c.at or NOW),
    Action.USE_ANOTHER_DEVICE: lambda c, w: on_device(c, w, "family", "os_version", "architecture"),
    Action.USE_ACCOUNT_THAT_OWNS: lambda _, w: w.asked(owned=True),
    Action.OFFER_MARKET: lambda c, w: w.declared(markets=[*w.body["markets"], c.market]),
    Action.MAKE_AVAILABLE: lambda _, w: w.declared(availability="available"),
    Action.MAKE_PUBLIC: public,
}
"""What the data of a change says, on the bodies that people send; the rest are edits of packages."""


@given(queries, products(), memberships)
@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
def test_doing_what_is_reported_gives_what_is_reported(
    query: Body, body: Body, groups: set[str]
) -> None:
    declared = read_product(body)
    mine = (groups & declared.groups) if query["account"] else set()
    found = nearest(Case(query_of(**query), declared, frozenset(mine), REQUIREMENTS, NOW))
    for way in found.ways:
        if any(change.action not in BY_HAND for change in way.changes):
            continue
        world = World(query, body, mine)
        for change in way.changes:
            world = BY_HAND[change.action](change, world)
        decision = ask(*world)
        assert decision.granted, way
        flight_id = decision.package.source.flight_id if decision.package.source else None
        assert way.source == (f"flight {flight_id}" if flight_id else "submission")


# --- bounds ---


def large(flights: int, packages: int) -> Product:
    """Every flight too new for the device, private, in other markets: much to try, and to no avail."""
    versions = [package(f"{n + 1}.0.0.0", Desktop="10.0.28000.0") for n in range(packages)]
    listed = [
        {**flight(f"f{n}", [f"g{n}"], "1.0.0.0"), "packages": versions, "name": f"Flight {n}"}
        for n in range(flights)
    ]
    return product(
        *listed, audience="private", audience_groups=["beta"], packages=versions
    ).model_copy(update={"availability": "unavailable", "markets": ("DE",)})


def test_the_search_of_a_large_product_ends() -> None:
    declared = large(flights=20, packages=10)
    started = time.perf_counter()
    found = nearest(case(declared, account=None, device=DESKTOP | {"os_version": "1507"}))
    assert time.perf_counter() - started < 5  # a hundredth of it on an idle machine
    assert found.tries == MOST_TRIES
    assert not found.complete
    assert found.ways == ()


def test_what_was_found_before_the_bound_is_told_as_not_complete() -> None:
    declared = product(audience="private", audience_groups=["beta"])
    found = nearest(case(declared), most_tries=2)
    assert told(found) == [["join_group beta"]]
    assert not found.complete

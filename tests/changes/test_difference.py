"""Who gains, loses or moves between two states: everybody, exactly, and for the right cause."""

from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.codes import AccountKind
from eligibility.access.model import Account, Device
from eligibility.changes.compare import ComparedState, ComparisonRequest
from eligibility.changes.difference import NAMED, ProductDifference
from eligibility.changes.outcome_pairs import OutcomeOrNone, contrast, device_ranges, substance
from eligibility.changes.responses import difference_response
from eligibility.errors import UnknownProduct
from eligibility.explain.outcome import outcome_of
from eligibility.rules.requirements import parse_requirements
from eligibility.service.service import Service
from eligibility.simulation.inputs.devices import NamedDevice, preset
from eligibility.simulation.inputs.drafts import Draft, MemberMoves
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import simulate
from groups.model import MembershipEdit
from tests.helpers.catalog.histories import PEOPLE, P, as_of, histories, lived, moments
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.catalog.strategies import PRODUCT_ID, devices, products
from tests.helpers.clock import Clock
from tests.helpers.examples import examples

ADA, GRACE, LINUS = "ada@x.com", "grace@x.com", "linus@x.com"
LIVE = ComparedState("live")
DESKTOP = NamedDevice("desktop", Device.parse("Desktop", "22631", "x64"))
XBOX = NamedDevice("xbox", Device.parse("Xbox", "19041", "x64"))

EVERYBODY = [
    PLAIN,
    *(Asker(Account(one), "1.0.0.0") for one in PEOPLE),
    *(Asker(Account(one)) for one in PEOPLE),
    Asker(Account(PEOPLE[0], AccountKind.WORK_OR_SCHOOL)),
    Asker(Account("stranger@example.com", aliases=(PEOPLE[1],)), None, True, "US", True, True),
]


@given(histories, products(), moments, moments, st.lists(devices, min_size=1, max_size=4))
@settings(max_examples=examples(40))
def test_each_account_and_device_is_where_its_answers_put_it_and_nowhere_else(
    history: Any, first: Any, one: datetime, other: datetime, wanted: Any
) -> None:
    asked = [NamedDevice(str(n), Device.parse(**device)) for n, device in enumerate(wanted)]
    with lived(history, first) as (service, _):
        sides = ComparedState("a", one), ComparedState("b", other)
        try:
            found = ComparisonRequest(
                service.states, P, sides, asked, Population.of(EVERYBODY)
            ).difference(PRODUCT_ID)
        except UnknownProduct:
            return
        changed = set()
        for account, asker in enumerate(EVERYBODY):
            for device, named in enumerate(asked):
                query = asker.query(PRODUCT_ID, named.device)
                before, after = (
                    answer(as_of(service, query, side.at), asker.installed_version)
                    for side in sides
                )
                told = [
                    change
                    for change in found.changes
                    if account in change.first and device in change.devices
                ]
                assert [change.kind for change in told] == expected(before, after)
                assert all(change.why for change in told)
                if told:
                    changed.add(account)
        assert found.changed == len(changed)
        assert all(change.accounts == len(change.first) for change in found.changes)


def answer(decision: Any, installed: str | None) -> OutcomeOrNone:
    return None if decision is None else substance(outcome_of(decision), installed)


def expected(before: OutcomeOrNone, after: OutcomeOrNone) -> list[str]:
    had, has = (one is not None and one.granted for one in (before, after))
    if before == after or (None in (before, after) and not had and not has):
        return []
    kinds = {(True, True): "moves", (True, False): "loses", (False, True): "gains"}
    return [kinds.get((had, has), "still_denied")]


@pytest.fixture
def world(service: Service, clock: Clock) -> Service:
    group(service, "beta", ADA, GRACE)
    group(service, "canary", GRACE)
    put(service, PRODUCT_ID, BEFORE)
    clock.advance(7_200)
    return service


FLIGHTS = flight("c", ["canary"], "3.0.0.0"), flight("f", ["beta"], "2.0.0.0")
BEFORE = product(*FLIGHTS)


def drafted(service: Service, draft: Draft, *named: NamedDevice, **more: Any) -> ProductDifference:
    sides = LIVE, ComparedState("draft", None, draft)
    request = ComparisonRequest(service.states, P, sides, named or (DESKTOP,), **more)
    return request.difference(PRODUCT_ID)


def only(found: ProductDifference) -> tuple[str, str, tuple[str, ...]]:
    """Of a single change its kind, what it is in words, and why."""
    (change,) = found.changes
    return change.kind, " -> ".join(contrast(change.before, change.after)), change.why


def lasting(*flights: Any, **submission: Any) -> Draft:
    return Draft(P, products={PRODUCT_ID: product(*flights, **submission)})


FLOORS = parse_requirements(
    '[flight]\n"Windows.Desktop" = ">=10.0.26100"\n[private_audience]\n"*" = "any"\n'
    '[rollout]\n"*" = "any"\n',
    "floors",
)


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        (
            Draft(P, {"canary": MemberMoves(added=frozenset({ADA}))}),
            ("moves", "f 2.0.0.0 -> c 3.0.0.0", ("added to group canary",)),
        ),
        (
            Draft(P, {"beta": MemberMoves(removed=frozenset({ADA}))}),
            ("moves", "f 2.0.0.0 -> public 1.0.0.0", ("removed from group beta",)),
        ),
        (
            lasting(FLIGHTS[0], flight("f", ["beta"], "2.5.0.0")),
            (
                "moves",
                "f 2.0.0.0 -> f 2.5.0.0",
                ("flight f: packages.0.version: 2.0.0.0 -> 2.5.0.0",),
            ),
        ),
        (
            lasting(FLIGHTS[1]),
            ("moves", "c 3.0.0.0 -> f 2.0.0.0", ("flight c is gone",)),
        ),
        (
            lasting(*reversed(FLIGHTS)),
            ("moves", "c 3.0.0.0 -> f 2.0.0.0", ("order of flights: c, f -> f, c",)),
        ),
        (
            lasting(*FLIGHTS, discoverability="stop_acquisition"),
            (
                "loses",
                "c 3.0.0.0 -> acquisition stopped (c)",
                ("submission.discoverability: unset -> stop_acquisition",),
            ),
        ),
    ],
)
def test_why_names_what_made_it(
    world: Service, draft: Draft, told: tuple[str, str, tuple[str, ...]]
) -> None:
    who = Population([ADA]) if draft.groups or "2.5" in told[1] else Population([GRACE])
    assert only(drafted(world, draft, population=who)) == told


def test_floors_and_dates_are_causes_too(world: Service, clock: Clock) -> None:
    found = drafted(world, Draft(P, requirements=FLOORS), population=Population([ADA]))
    assert only(found)[2] == (
        "floor of flight: Windows.Desktop: >=10.0.10586.0 -> >=10.0.26100.0; "
        "Windows.Xbox: any -> unset",
    )
    day = clock.moment + timedelta(days=1)
    new = flight("new", ["beta"], "4.0.0.0", publish_at=day.isoformat())
    put(world, PRODUCT_ID, product(new, *FLIGHTS))
    sides = LIVE, ComparedState("tomorrow", day)
    there, back = (
        ComparisonRequest(world.states, P, both, [DESKTOP], Population([ADA])).difference(
            PRODUCT_ID
        )
        for both in (sides, sides[::-1])
    )
    assert only(there)[2] == ("`publish_at` of flight new reached",)
    assert only(back)[2] == ("not yet: `publish_at` of flight new reached",)


def test_what_takes_two_differences_names_both_and_what_does_nothing_is_not_named(
    world: Service,
) -> None:
    draft = Draft(
        P,
        {
            "canary": MemberMoves(added=frozenset({LINUS})),
            "beta": MemberMoves(added=frozenset({LINUS})),
        },
        {PRODUCT_ID: product(flight("c", ["canary"], "3.5.0.0"), FLIGHTS[1])},
    )
    found = drafted(world, draft, population=Population([LINUS]))
    assert only(found)[2] == (
        "added to group canary",
        "flight c: packages.0.version: 3.0.0.0 -> 3.5.0.0",
    )


def test_membership_of_a_group_that_only_one_state_names_is_no_change_of_membership(
    world: Service,
) -> None:
    group(world, "new", ADA)
    draft = lasting(flight("n", ["new"], "5.0.0.0"), *FLIGHTS)
    assert only(drafted(world, draft, population=Population([ADA])))[2] == ("flight n is new",)


def test_a_product_that_comes_or_goes(world: Service) -> None:
    new = Draft(P, products={"NEW": product(audience="private", audience_groups=["beta"])})
    sides = LIVE, ComparedState("draft", None, new)
    came = ComparisonRequest(world.states, P, sides, [DESKTOP]).difference("NEW")
    assert only(came) == ("gains", "no such product -> public 1.0.0.0", ("product declared",))
    assert (came.counts["gains"], came.changed) == (2, 2)  # nobody signed in had, and has, nothing
    gone = drafted(world, Draft(P, deleted=frozenset({PRODUCT_ID})))
    assert {change.why for change in gone.changes} == {("product deleted",)}
    assert gone.counts["loses"] == 3


def test_the_default_population_is_everybody_in_a_group_on_either_side_and_nobody_signed_in(
    world: Service,
) -> None:
    draft = Draft(P, {"beta": MemberMoves(frozenset({LINUS}), frozenset({ADA}))})
    found = drafted(world, draft)
    names = [found.population.asker(place).name for place in range(len(found.population))]
    assert names == [ADA, GRACE, LINUS, "(not signed in)"]
    assert found.public
    assert (found.changed, found.counts["moves"]) == (2, 2)


def test_devices_that_change_alike_are_told_together(world: Service) -> None:
    drafted_ = lasting(
        FLIGHTS[0],
        flight("f", ["beta"], "2.0.0.0", packages=[package("2.0.0.0", Desktop="10.0.19041.0")]),
    )
    desktops = tuple(preset("desktop"))
    found = drafted(world, drafted_, *desktops, population=Population([ADA]))
    (change,) = difference_response(found).changes
    assert change.ranges == ("Windows 10 1511 to 1909, x64, x86", "Windows 10 1709 to 1909, arm64")
    assert change.kind == "loses"


def test_an_architecture_or_a_second_reason_is_told_only_where_it_is_what_differs(
    world: Service,
) -> None:
    both = [{**package("1.1.0.0"), "architectures": ["x64", "arm64"]}]
    desktops = [NamedDevice(one, Device.parse("Desktop", "26100", one)) for one in ("x64", "arm64")]
    found = drafted(world, lasting(packages=both), *desktops, population=Population([LINUS]))
    assert only(found)[1] == "public 1.0.0.0 -> public 1.1.0.0"
    native = [{**package("1.0.0.0"), "architectures": ["arm64"]}]
    found = drafted(world, lasting(packages=native), *desktops, population=Population([LINUS]))
    assert [contrast(one.before, one.after) for one in found.changes] == [
        ("public 1.0.0.0", "no package for the architecture"),
        ("public 1.0.0.0, neutral, install", "public 1.0.0.0, arm64, install"),
    ]


def test_ranges_end_where_a_device_between_is_left_out() -> None:
    desktops = tuple(preset("windows-10"))
    x64 = [n for n, one in enumerate(desktops) if one.device.architecture == "x64"]
    assert device_ranges(desktops, x64[:3] + x64[4:5]) == (
        "Windows 10 1507 to 1607, x64",
        "Windows 10 1709, x64",
    )
    assert device_ranges(desktops, range(len(desktops))) == (f"all {len(desktops)} devices",)


@pytest.mark.parametrize(
    ("installed", "live", "draft", "text", "moved"),
    [
        (None, "1.5.0.0", "1.0.0.0", "public 1.5.0.0 -> public 1.0.0.0", ("version down",)),
        ("0.5.0.0", "1.5.0.0", "1.0.0.0", "public 1.5.0.0 -> public 1.0.0.0", ("version down",)),
        (
            "1.2.0.0",
            "1.5.0.0",
            "1.0.0.0",
            "public 1.5.0.0 -> keeps 1.2.0.0 (public)",
            ("version down", "other action"),
        ),
        (
            "1.5.0.0",
            "1.5.0.0",
            "1.6.0.0",
            "keeps 1.5.0.0 (public) -> public 1.6.0.0",
            ("version up", "other action"),
        ),
        (
            "1.2.0.0",
            "1.0.0.0",
            "1.5.0.0",
            "keeps 1.2.0.0 (public) -> public 1.5.0.0",
            ("version up", "other action"),
        ),
    ],
)
def test_a_move_compares_what_accounts_have_before_and_after(
    world: Service, installed: str | None, live: str, draft: str, text: str, moved: tuple[str, ...]
) -> None:
    put(world, PRODUCT_ID, product(packages=[package(live)]))
    drafted_product = lasting(packages=[package(draft)])
    found = drafted(world, drafted_product, defaults=Asker(installed_version=installed))
    (change,) = difference_response(found).changes
    assert change.kind == "moves"
    assert change.before is not None
    assert change.after is not None
    assert f"{change.before.text} -> {change.after.text}" == text
    assert change.moved == moved


def test_who_keeps_what_is_installed_does_not_move_with_what_is_offered(world: Service) -> None:
    put(world, PRODUCT_ID, product(packages=[package("2.0.0.0")]))
    kept = Asker(installed_version="2.0.0.0")
    assert drafted(world, lasting(), defaults=kept).changes == ()
    assert drafted(world, lasting(packages=[package("1.9.0.0")]), defaults=kept).changes == ()


def test_who_keeps_what_is_installed_may_move_to_another_source(world: Service) -> None:
    kept = Asker(installed_version="4.0.0.0")
    added = Draft(P, {"canary": MemberMoves(added=frozenset([ADA]))})
    found = drafted(world, added, defaults=kept)
    (change,) = difference_response(found).changes
    assert change.before is not None
    assert change.after is not None
    assert (change.before.text, change.after.text) == ("keeps 4.0.0.0 (f)", "keeps 4.0.0.0 (c)")
    assert (change.before.version, change.after.version) == ("4.0.0.0", "4.0.0.0")
    assert change.moved == ("other source",)


def test_another_side_of_a_rollout_with_the_same_package_is_no_difference(world: Service) -> None:
    old = {"percentage": 10, "status": "in_progress", "previous_packages": [package("1.0.0.0")]}
    done = lasting(*FLIGHTS, rollout={**old, "previous_packages": [package("1.0.0.0")]})
    assert drafted(world, done).changes == ()


def test_of_many_the_first_hundred_are_named_and_all_are_counted(world: Service) -> None:
    many = Population([f"m{number:04}@x.com" for number in range(1_000)])
    draft = Draft(P, {"beta": MemberMoves(added=frozenset(many.names))})
    found = drafted(world, draft, population=many)
    (change,) = found.changes
    assert (change.accounts, len(change.first)) == (1_000, NAMED)
    assert difference_response(found).changes[0].first == tuple(many.names[:NAMED])


def test_products_without_a_difference_are_left_out(world: Service, clock: Clock) -> None:
    put(world, "OTHER", product())
    put(world, "GONE", product())
    world.catalog.delete(P, "GONE", actor="t")
    sides = (
        LIVE,
        ComparedState("draft", None, Draft(P, {"beta": MemberMoves(removed=frozenset({ADA}))})),
    )
    found = list(ComparisonRequest(world.states, P, sides, [DESKTOP]).differences())
    assert [one.product_id for one in found] == [PRODUCT_ID]
    before = clock.moment
    clock.advance(60)
    world.catalog.delete(P, "OTHER", actor="t")
    sides = ComparedState("then", before), LIVE
    request = ComparisonRequest(world.states, P, sides, [DESKTOP])
    assert [one.product_id for one in request.differences()] == ["OTHER"]


def test_a_million_accounts_cost_their_classes_only(world: Service) -> None:
    people = Population([f"m{number}@x.com" for number in range(300_000)])
    draft = Draft(P, {"beta": MemberMoves(added=frozenset(people.names[:9_000]))})
    begun = perf_counter()
    found = drafted(world, draft, *preset("all"), population=people)
    assert perf_counter() - begun < 10
    assert found.changed == 9_000


def test_accounts_that_one_write_brought_are_alike_and_their_decisions_exact(
    world: Service, clock: Clock
) -> None:
    first, second = (tuple(f"{name}{n}@x.com" for n in range(2_000)) for name in "ab")
    world.groups.edit(P, "beta", MembershipEdit(add=first), actor="t")
    clock.advance(60)
    world.groups.edit(P, "beta", MembershipEdit(add=second), actor="t")
    state = world.states.read(PRODUCT_ID)
    alias = Asker(Account(LINUS, aliases=(first[0], second[0])))
    people = Population([*first, *second, LINUS, GRACE], others={4_000: alias})
    matrix = simulate(state, people, [DESKTOP])
    assert len(matrix.decisions) == 4
    for place in (0, 1, 1_999, 2_000, 3_999, 4_000, 4_001):
        query = people.asker(place).query(PRODUCT_ID, DESKTOP.device)
        assert matrix.decision(place, 0) == state.decide(query)


def test_gains_come_before_losses_and_moves_and_the_many_before_the_few(world: Service) -> None:
    private = product(audience="private", audience_groups=["beta"])
    put(world, "NEW", private)
    draft = Draft(P, {"beta": MemberMoves(frozenset({LINUS, "more@x.com"}), frozenset({ADA}))})
    sides = LIVE, ComparedState("draft", None, draft)
    found = ComparisonRequest(world.states, P, sides, [DESKTOP, XBOX]).difference("NEW")
    assert [(one.kind, one.accounts) for one in found.changes] == [("gains", 2), ("loses", 1)]

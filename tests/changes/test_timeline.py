"""The moments at which an answer changed or will change: none left out, none too many."""

from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.codes import AccountKind
from eligibility.access.model import Account, Device
from eligibility.changes.moments import read_past
from eligibility.changes.outcome_pairs import OutcomeOrNone, contrast, substance
from eligibility.changes.timeline import Timeline, TimelineTurn
from eligibility.errors import UnknownProduct
from eligibility.explain.outcome import outcome_of
from eligibility.service.service import Service
from eligibility.simulation.inputs.devices import NamedDevice
from groups.model import MembershipEdit
from tests.helpers.catalog.histories import P, as_of, histories, lived, moments
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.catalog.strategies import ACCOUNTS, PRODUCT_ID, devices, products
from tests.helpers.clock import Clock
from tests.helpers.examples import examples

ADA, GRACE, ALIAS = "ada@x.com", "grace@x.com", "a.lovelace@x.com"
DESKTOP = NamedDevice("desktop", Device.parse("Desktop", "22631", "x64"))
XBOX = NamedDevice("xbox", Device.parse("Xbox", "19041", "x64"))


def told(
    service: Service,
    asker: Asker,
    *devices: NamedDevice,
    product_id: str = PRODUCT_ID,
    everything: bool = False,
) -> tuple[TimelineTurn, ...]:
    addresses = asker.account.addresses if asker.account else ()
    past = read_past(service.groups, service.catalog.store, product_id, addresses)
    asked = devices or (DESKTOP,)
    timeline = Timeline(past, asker, asked, service.evaluator.requirements)
    return timeline.turns(everything=everything)


def of(address: str, *aliases: str) -> Asker:
    return Asker(Account(address, AccountKind.MICROSOFT, aliases))


def answer(service: Service, asker: Asker, device: NamedDevice, at: datetime) -> OutcomeOrNone:
    decision = as_of(service, asker.query(PRODUCT_ID, device.device), at)
    installed = asker.installed_version
    return None if decision is None else substance(outcome_of(decision), installed)


askers = st.builds(
    Asker,
    st.none()
    | st.builds(
        Account,
        st.sampled_from(ACCOUNTS[:4]),
        st.just(AccountKind.MICROSOFT),
        st.just(()) | st.just((ACCOUNTS[0],)),
    ),
    st.sampled_from((None, "1.0.0.0", "1.1.0.0")),
)


@given(histories, products(), askers, st.lists(devices, min_size=1, max_size=2), st.lists(moments))
@settings(max_examples=examples(150))
def test_the_answer_changes_at_every_listed_moment_and_at_no_other(
    history: Any, first: Any, asker: Asker, wanted: Any, probes: list[datetime]
) -> None:
    asked = [NamedDevice(str(n), Device.parse(**one)) for n, one in enumerate(wanted)]
    with lived(history, first) as (service, clock):
        listed = told(service, asker, *asked)
        moments = [turn.at for turn in listed]
        assert moments == sorted(set(moments))
        for place, device in enumerate(asked):
            for turn in listed:
                just_before = turn.at - timedelta(microseconds=1)
                assert turn.before[place] == answer(service, asker, device, just_before)
                assert turn.after[place] == answer(service, asker, device, turn.at)
            for probe in [*probes, clock.moment]:
                latest = next((turn for turn in reversed(listed) if turn.at <= probe), None)
                expected = latest.after[place] if latest else None
                assert answer(service, asker, device, probe) == expected
        for turn in listed:
            assert turn.has_effect or "settled" in {cause.kind for cause in turn.causes}


@pytest.fixture
def world(service: Service, clock: Clock) -> Service:
    group(service, "beta", GRACE)
    put(service, PRODUCT_ID, product(flight("f", ["beta"], "2.0.0.0")))
    clock.advance(3_600)
    return service


def edit(service: Service, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    service.groups.edit(P, "beta", MembershipEdit(add=add, remove=remove), actor="meg")


def lines(listed: tuple[TimelineTurn, ...]) -> list[str]:
    """Each turn on the first device, as a person reads it."""
    return [
        f"{' -> '.join(contrast(turn.before[0], turn.after[0]))}  {turn.causes[0].text}"
        if turn.has_effect
        else turn.causes[0].text
        for turn in listed
    ]


def test_each_kind_of_cause(world: Service, clock: Clock) -> None:
    edit(world, add=(ADA,))
    clock.advance(3_600)
    day = clock.moment + timedelta(days=1)
    later = flight("g", ["beta"], "3.0.0.0", publish_at=day.isoformat())
    put(world, PRODUCT_ID, product(later, flight("f", ["beta"], "2.5.0.0")))
    clock.advance(60)
    world.catalog.delete(P, PRODUCT_ID, actor="dan")
    clock.advance(60)
    put(world, PRODUCT_ID, product(later, flight("f", ["beta"], "2.5.0.0")))
    listed = told(world, of(ADA))
    assert lines(listed) == [
        "no such product -> public 1.0.0.0  product declared by test",
        "public 1.0.0.0 -> f 2.0.0.0  added to group beta by meg",
        "settled: from here on, the Store itself applies it too",
        "f 2.0.0.0 -> f 2.5.0.0  product changed by test",
        "f 2.5.0.0 -> no such product  product deleted by dan",
        "no such product -> f 2.5.0.0  product declared again by test",
        "f 2.5.0.0 -> g 3.0.0.0  `publish_at` of flight g reached",
    ]
    assert listed[-1].at == day
    assert [turn.causes[0].revision for turn in listed[:2]] == [1, 2]
    assert "flights: 1 item(s) -> 2 item(s)" in listed[3].causes[0].details


def test_what_is_offered_to_somebody_who_keeps_what_is_installed_is_no_turn(
    world: Service, clock: Clock
) -> None:
    clock.advance(60)
    put(world, PRODUCT_ID, product(flight("f", ["beta"], "1.5.0.0")))
    clock.advance(60)
    put(world, PRODUCT_ID, product(flight("f", ["beta"], "3.0.0.0")))
    installed = Asker(Account(GRACE), "2.0.0.0")
    assert lines(told(world, installed)) == [
        "no such product -> keeps 2.0.0.0 (f)  added to group beta by test",
        "settled: from here on, the Store itself applies it too",
        "keeps 2.0.0.0 (f) -> f 3.0.0.0  product changed by test",
    ]


def test_a_public_date_is_reached_for_everybody(world: Service, clock: Clock) -> None:
    day = (clock.moment + timedelta(days=1)).isoformat()
    put(world, "NEW", product(audience="private", audience_groups=["beta"], public_at=day))
    assert lines(told(world, PLAIN, product_id="NEW")) == [
        "no such product -> not signed in  product declared by test",
        "not signed in -> public 1.0.0.0  `public_at` reached: public from here on",
    ]


def test_a_date_that_a_later_write_moved_is_not_reached(world: Service, clock: Clock) -> None:
    for days in (1, 3):
        day = (clock.moment + timedelta(days=days)).isoformat()
        put(world, PRODUCT_ID, product(flight("f", ["beta"], "2.0.0.0", publish_at=day)))
        clock.advance(60)
    past = clock.moment - timedelta(days=1)
    put(world, "NEW", product(flight("f", ["beta"], "2.0.0.0", publish_at=past.isoformat())))
    for product_id, expected in ((PRODUCT_ID, [2]), ("NEW", [])):
        listed = told(world, of(GRACE), product_id=product_id, everything=True)
        reached = [t.at for t in listed if {cause.kind for cause in t.causes} == {"publish_at"}]
        assert [(one - clock.moment).days for one in reached] == expected


def test_a_change_without_effect_is_listed_on_request_only(world: Service, clock: Clock) -> None:
    group(world, "unused", ADA)
    edit(world, add=(ADA,))
    clock.advance(60)
    edit(world, remove=(ADA,))
    clock.advance(60)
    put(world, PRODUCT_ID, product(flight("f", ["beta"], "2.0.0.0", name="Other name")))
    few, everything = told(world, of(ADA)), told(world, of(ADA), everything=True)
    # One settling for both edits: the second came before the first had settled.
    kinds = ["catalog", "membership", "membership", "settled"]
    assert [turn.causes[0].kind for turn in few] == kinds
    assert lines(everything)[3] == "product changed by test"
    assert len(everything) == 5  # and nothing of a group that the product does not name


def test_an_alias_is_named_where_it_is_not_the_only_address(world: Service) -> None:
    edit(world, add=(ALIAS,))
    text = told(world, of(ADA, ALIAS))[1].causes[0].text
    assert text == f"{ALIAS} added to group beta by meg"


def test_whoever_was_forgotten_was_never_there(world: Service, clock: Clock) -> None:
    edit(world, add=(ADA,))
    clock.advance(60)
    world.groups.forget(P, ADA, actor="t")
    assert len(told(world, of(ADA))) == 1
    clock.advance(60)
    edit(world, add=(ADA,))
    assert len(told(world, of(ADA))) == 3


def test_devices_turn_apart(world: Service, clock: Clock) -> None:
    body = product(flight("f", ["beta"], "2.0.0.0"), packages=[package("1.1.0.0", Desktop="10240")])
    put(world, PRODUCT_ID, body)
    turn = told(world, PLAIN, DESKTOP, XBOX)[-1]
    texts = [contrast(b, a) for b, a in zip(turn.before, turn.after, strict=True)]
    assert texts == [
        ("public 1.0.0.0", "public 1.1.0.0"),
        ("public 1.0.0.0", "family not offered"),
    ]


def test_a_product_that_never_was(world: Service) -> None:
    with pytest.raises(UnknownProduct):
        told(world, of(ADA), product_id="NONE")


def test_thousands_of_writes_take_seconds_at_most(world: Service, clock: Clock) -> None:
    for number in range(1_000):
        clock.advance(2_000)
        edit(world, **{"remove" if number % 2 else "add": (ADA,)})
        put(world, PRODUCT_ID, product(flight("f", ["beta"], f"{number + 2}.0.0.0")))
    begun = perf_counter()
    listed = told(world, of(ADA), DESKTOP, XBOX)
    assert perf_counter() - begun < 10
    assert len(listed) == 1 + 1_000 + 1_000  # one turn for both writes, and each settles

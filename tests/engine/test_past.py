"""Yesterday's answer from yesterday's groups, catalogue and clock; and answers as fresh as asked for."""

from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from eligibility.access.model import Decision
from eligibility.errors import RevisionNotReached, UnknownProduct
from eligibility.explain.step_details import detail_of
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.errors import StoreUnavailable
from groups.model import MembershipEdit
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put, query
from tests.helpers.clock import Clock
from tests.helpers.examples import examples
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import Server
from tests.helpers.stores.outage import Outage

P = "contoso"
ADA, GRACE, LINUS = "ada@x.com", "grace@x.com", "linus@x.com"


@pytest.fixture
def world(service: Service, clock: Clock) -> Service:
    group(service, "beta", ADA, GRACE)
    put(service, "APP", product(flight("f", ["beta"], "2.0.0.0")))
    clock.advance(7_200)
    return service


def edit(service: Service, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    service.groups.edit(P, "beta", MembershipEdit(add=add, remove=remove), actor="t")


def version(decision: Decision) -> str | None:
    return decision.package.package.version if decision.package.package else None


def then(service: Service, clock: Clock, seconds_ago: float, who: str, **more: Any) -> Decision:
    at = (clock.moment - timedelta(seconds=seconds_ago)).isoformat()
    return service.evaluator.decide(query("APP", who, at=at, **more))


def test_a_member_removed_since_was_one_then(world: Service, clock: Clock) -> None:
    edit(world, remove=(ADA,))
    clock.advance(60)
    assert version(world.evaluator.decide(query("APP", ADA))) == "1.0.0.0"
    assert version(then(world, clock, 61, ADA)) == "2.0.0.0"
    assert version(then(world, clock, 60, ADA)) == "1.0.0.0"  # the instant itself counts


def test_the_product_is_as_it_was_declared_then(world: Service, clock: Clock) -> None:
    put(world, "APP", product(flight("f", ["beta"], "3.0.0.0")))
    clock.advance(60)
    world.catalog.delete(P, "APP", actor="t")
    clock.advance(60)
    assert version(then(world, clock, 121, ADA)) == "2.0.0.0"
    assert version(then(world, clock, 61, ADA)) == "3.0.0.0"
    with pytest.raises(UnknownProduct):
        then(world, clock, 60, ADA)


def test_dates_are_reached_by_the_clock_of_then(world: Service, clock: Clock) -> None:
    public_at = (clock.moment + timedelta(hours=1)).isoformat()
    private = {"audience": "private", "audience_groups": ["beta"], "public_at": public_at}
    put(world, "NEW", product(**private))
    asked = query("NEW", LINUS)
    ahead = structs.replace(asked, at=clock.moment + timedelta(hours=1))
    assert not world.evaluator.decide(asked).granted
    assert world.evaluator.decide(ahead).granted
    clock.advance(7_200)
    before = structs.replace(asked, at=clock.moment - timedelta(hours=1, seconds=1))
    assert world.evaluator.decide(asked).granted
    assert not world.evaluator.decide(before).granted


def test_settling_and_revisions_are_those_of_then(world: Service, clock: Clock) -> None:
    edit(world, add=(LINUS,))
    added_at = clock.moment
    clock.advance(1_700)
    edit(world, remove=(GRACE,))
    clock.advance(7_200)
    decision = then(world, clock, 7_200 + 100, LINUS)
    assert decision.settling is not None
    assert (decision.settling.change, decision.settling.changed_at) == ("added", added_at)
    assert (decision.revision.groups, decision.revision.catalog) == (2, 1)
    assert then(world, clock, 7_200 - 200, LINUS).settling is None


def test_the_alias_that_was_listed_then_is_named(world: Service, clock: Clock) -> None:
    account = {"id": LINUS, "aliases": [ADA]}
    at = clock.moment.isoformat()
    edit(world, remove=(ADA,))
    asked = query("APP", at=at, account=account)
    trace = world.evaluator.decide(asked, explain=True).trace
    assert isinstance(trace, tuple)
    assert trace[0].outcome == "no_match"  # the edit happened at that very instant
    earlier = structs.replace(asked, at=clock.moment - timedelta(seconds=1))
    trace = world.evaluator.decide(earlier, explain=True).trace
    assert isinstance(trace, tuple)
    assert (trace[0].outcome, ADA in detail_of(trace[0])) == ("alias", True)


steps = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "put"]), st.sampled_from([ADA, GRACE, LINUS])),
    min_size=1,
    max_size=12,
)


@given(steps)
@settings(max_examples=examples(40), deadline=None)
def test_what_was_answered_once_is_answered_again(taken: list[tuple[str, str]]) -> None:
    """The main promise: any past answer can be asked again, whatever happened since."""
    clock = Clock()
    with (
        TemporaryDirectory() as place,
        Service(Settings(store=f"sqlite:///{place}/s.db"), clock) as service,
    ):
        group(service, "beta", "always@x.com")
        put(service, "APP", product(flight("f", ["beta"], "2.0.0.0")))
        remembered = []
        for number, (what, who) in enumerate(taken):
            clock.advance(400)
            if what == "put":
                put(service, "APP", product(flight("f", ["beta"], f"{number + 2}.0.0.0")))
            else:
                edit(service, **{what: (who,)})
            remembered += [
                (one, clock.moment, service.evaluator.decide(query("APP", one)))
                for one in (ADA, LINUS)
            ]
        clock.advance(4_000)
        for one, moment, answered in remembered:
            asked = structs.replace(query("APP", one), at=moment)
            assert service.evaluator.decide(asked) == answered


# As fresh as asked for


def test_an_answer_is_never_from_before_the_revision_that_is_wanted(
    world: Service, server: Server
) -> None:
    assert world.evaluator.decide(query("APP", ADA, at_least_revision=1)).granted
    with pytest.raises(RevisionNotReached, match="at_least_revision"):
        world.evaluator.decide(query("APP", ADA, at_least_revision=2))
    edit(world, remove=(ADA,))
    decided = world.evaluator.decide(
        query("APP", ADA, at_least_revision={"groups": 2, "catalog": 1})
    )
    assert version(decided) == "1.0.0.0"


def test_a_strong_query_sees_what_another_process_wrote_just_before(
    service: Service, world: Service, store_url: str, clock: Clock
) -> None:
    with Service(Settings(store=store_url), clock) as other:
        for number in range(20):
            who = f"user{number}@x.com"
            assert version(other.evaluator.decide(query("APP", who))) == "1.0.0.0"
            edit(world, add=(who,))
            strong = query("APP", who, consistency="strong")
            assert version(other.evaluator.decide(strong)) == "2.0.0.0"


def test_while_the_store_is_away_only_what_is_fresh_enough_is_answered(
    world: Service, clock: Clock
) -> None:
    outage = Outage(world, clock)
    decide = outage.evaluator.decide
    decide(query("APP", ADA))
    outage.begin()
    assert decide(query("APP", ADA, at_least_revision=1)).stale_seconds
    for more in ({"consistency": "strong"}, {"at_least_revision": 2}):
        with pytest.raises(StoreUnavailable):
            decide(query("APP", ADA, **more))


def test_over_http_it_is_409_and_in_a_batch_a_problem_in_its_place(server: Server) -> None:
    url = "/v1/publishers/fresh/products/FRESH"
    server.http.put(url, json=product().model_dump(mode="json")).raise_for_status()
    asked = {"product_id": "FRESH", "device": DESKTOP, "at_least_revision": 9}
    assert_problem(server.http.post("/v1/access", json=asked), 409, "REVISION_NOT_REACHED")
    strong = {"product_id": "FRESH", "device": DESKTOP, "consistency": "strong"}
    told = server.access({"queries": [asked, strong]}, "/v1/access/batch")["decisions"]
    assert told[0]["status"] == 409
    assert told[1]["granted"]
    wrong = server.http.post("/v1/access", json=strong | {"consistency": "weak"})
    assert "must be `eventual` or `strong`" in wrong.json()["errors"][0]["detail"]

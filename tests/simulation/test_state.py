"""A state is what the evaluator would answer from, now or at a moment; a draft is as if saved."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from eligibility.access.model import AccessQuery, Decision, Revision
from eligibility.access.wire import query_of
from eligibility.catalog.errors import InvalidProduct
from eligibility.catalog.validation import read_product
from eligibility.errors import InvalidInput, UnknownProduct
from eligibility.service.service import Service
from eligibility.simulation.inputs.drafts import NO_DRAFT, Draft, MemberMoves, read_draft
from groups.model import MembershipEdit
from tests.helpers.catalog.histories import (
    KEEPER,
    PEOPLE,
    P,
    as_of,
    histories,
    lived,
    moments,
    write,
)
from tests.helpers.catalog.products import flight, group, package, product, put, query
from tests.helpers.catalog.strategies import GROUPS, PRODUCT_ID, products, queries
from tests.helpers.clock import Clock
from tests.helpers.examples import examples

ADA, GRACE, LINUS = "ada@x.com", "grace@x.com", "linus@x.com"


def told(
    service: Service, query: AccessQuery, at: datetime | None, draft: Draft = NO_DRAFT
) -> Decision | None:
    try:
        return service.states.read(query.product_id, at, draft).decide(query)
    except UnknownProduct:
        return None


def aliased(asked: dict[str, Any]) -> AccessQuery:
    """The query; an account gets an alias as well, which may be listed where it is not."""
    account = asked["account"]
    return query_of(**asked | {"account": account and account | {"aliases": [PEOPLE[0]]}})


@given(
    histories, products(), st.lists(queries, min_size=2, max_size=3), st.lists(moments, max_size=6)
)
@settings(max_examples=examples(60))
def test_any_moment_and_now_are_as_the_evaluator_has_them(
    history: Any, first: Any, asked: Any, at: list[datetime]
) -> None:
    with lived(history, first) as (service, clock):
        wrote = [one.at for one in service.groups.changes_since(P, 0)]
        between = [one + timedelta(seconds=1_800) for one in wrote]
        edges = [one + timedelta(microseconds=us) for one in wrote + between for us in (-1, 0)]
        for one in [*at, *edges, clock.moment, None]:
            for query in [*map(aliased, asked), *(query_of(**body) for body in asked)]:
                assert told(service, query, one) == as_of(service, query, one)


drafted_moves = st.dictionaries(
    st.sampled_from(GROUPS),
    st.dictionaries(st.sampled_from(PEOPLE), st.booleans(), min_size=1),
    max_size=3,
)


@given(
    histories,
    products(),
    st.none() | products(),
    drafted_moves,
    st.lists(queries, min_size=1, max_size=4),
)
@settings(max_examples=examples(60))
def test_a_draft_is_decided_as_if_it_were_saved(
    history: Any, first: Any, drafted: Any, moves: dict[str, dict[str, bool]], asked: Any
) -> None:
    with lived(history, first) as (service, _):
        draft = Draft(
            P,
            {group_id: of_people(people) for group_id, people in moves.items()},
            {PRODUCT_ID: read_product(drafted)} if drafted else {},
        )
        asked_of = [query_of(**body) for body in asked]
        try:
            before = [told(service, query, None, draft) for query in asked_of]
        except InvalidProduct:
            with pytest.raises(InvalidProduct):
                service.catalog.apply(P, draft.products, actor="t")
            return
        for group_id, people in moves.items():
            for address, comes in people.items():
                write(service, ("edit", (group_id, "add" if comes else "remove", address)))
        service.catalog.apply(P, draft.products, actor="t")
        assert [*map(verdict, before)] == [verdict(as_of(service, q, None)) for q in asked_of]


def of_people(people: dict[str, bool]) -> MemberMoves:
    return MemberMoves(
        frozenset(one for one, comes in people.items() if comes),
        frozenset(one for one, comes in people.items() if not comes),
    )


def verdict(decision: Decision | None) -> Decision | None:
    """Without what only a save can stamp: its revisions, and that it is settling."""
    return decision and structs.replace(decision, settling=None, revision=Revision(0, 0))


@pytest.fixture
def world(service: Service, clock: Clock) -> Service:
    group(service, "beta", ADA, GRACE)
    put(service, "APP", product(flight("f", ["beta"], "2.0.0.0")))
    clock.advance(7_200)
    return service


def version(service: Service, who: str, draft: Draft = NO_DRAFT, at: datetime | None = None) -> str:
    decision = service.states.read("APP", at, draft).decide(query("APP", who))
    assert decision.package.package
    return decision.package.package.version


def test_a_write_of_a_machine_whose_clock_is_ahead_counts_from_its_moment_on(
    world: Service, store_url: str, clock: Clock
) -> None:
    clock.advance(60)
    world.groups.edit(P, "beta", MembershipEdit(add=(LINUS,)), actor="ahead")
    written = clock.moment
    clock.advance(-30)
    assert version(world, LINUS) == "2.0.0.0"
    assert version(world, LINUS, at=clock.moment) == "1.0.0.0"
    assert version(world, LINUS, at=written) == "2.0.0.0"


def test_a_draft_of_the_past_is_laid_over_the_past(world: Service, clock: Clock) -> None:
    then = clock.moment
    clock.advance(60)
    world.groups.edit(P, "beta", MembershipEdit(remove=(ADA,)), actor="t")
    draft = Draft(P, {"beta": MemberMoves(added=frozenset({LINUS}))})
    assert [version(world, who, draft, then) for who in (ADA, LINUS)] == ["2.0.0.0"] * 2
    assert [version(world, who, draft) for who in (ADA, LINUS)] == ["1.0.0.0", "2.0.0.0"]


def test_what_a_draft_moves_does_not_settle_and_the_rest_does(world: Service) -> None:
    world.groups.edit(P, "beta", MembershipEdit(add=(LINUS, KEEPER)), actor="t")
    draft = Draft(P, {"beta": MemberMoves(removed=frozenset({LINUS}))})
    state = world.states.read("APP", None, draft)
    settling = [state.decide(query("APP", who)).settling for who in (LINUS, KEEPER)]
    assert [one and one.change for one in settling] == [None, "added"]


def test_a_change_that_has_settled_is_on_one_side_only(world: Service, clock: Clock) -> None:
    world.groups.edit(P, "beta", MembershipEdit(add=(LINUS,)), actor="t")
    ahead = clock.moment + timedelta(seconds=1_800)
    assert world.states.read("APP").earlier()
    assert world.states.read("APP", ahead - timedelta(seconds=1)).earlier()
    assert world.states.read("APP", ahead).earlier() is None


def test_dates_are_reached_in_a_draft_too(world: Service, clock: Clock) -> None:
    day = clock.moment + timedelta(days=1)
    drafted = product(flight("f", ["beta"], "3.0.0.0", publish_at=day.isoformat()))
    draft = Draft(P, products={"APP": drafted})
    assert version(world, ADA, draft) == "1.0.0.0"
    assert version(world, ADA, draft, day) == "3.0.0.0"


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (Draft(P, {"alpha": MemberMoves(added=frozenset({ADA}))}), "UNKNOWN_GROUP"),
        (Draft(P, {"beta": MemberMoves(removed=frozenset({ADA, GRACE}))}), "GROUP_SIZE"),
        (Draft(P, {"other": MemberMoves(removed=frozenset({ADA}))}), "GROUP_SIZE"),
        (
            Draft(P, products={"APP": product(flight("f", ["nowhere"], "2.0.0.0"))}),
            "UNDECLARED_GROUP",
        ),
        (
            Draft(P, products={"APP": product(audience="private", audience_groups=["beta"])}),
            "PRIVATE_AFTER_PUBLIC",
        ),
    ],
)
def test_a_draft_that_could_not_be_saved_is_refused(
    world: Service, draft: Draft, code: str
) -> None:
    group(world, "other", ADA)
    with pytest.raises(InvalidInput) as refused:
        world.states.read("APP", None, draft)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_a_product_that_was_public_before_it_was_deleted_stays_public(world: Service) -> None:
    world.catalog.delete(P, "APP", actor="t")
    private = product(audience="private", audience_groups=["beta"])
    with pytest.raises(InvalidProduct, match="never be private again"):
        world.states.read("APP", None, Draft(P, products={"APP": private}))


def test_a_draft_may_delete(world: Service) -> None:
    with pytest.raises(UnknownProduct):
        world.states.read("APP", None, Draft(P, deleted=frozenset({"APP"})))


def test_floors_of_a_draft_are_read_from_a_file(world: Service, tmp_path: Path) -> None:
    floors = tmp_path / "floors.toml"
    floors.write_text(
        '[flight]\n"Windows.Desktop" = ">=10.0.26100"\n'
        '[private_audience]\n"*" = "any"\n[rollout]\n"*" = "any"\n'
    )
    assert version(world, ADA, read_draft(P, requirements=floors)) == "1.0.0.0"


def test_a_revision_is_a_moment(world: Service, clock: Clock) -> None:
    first = world.states.moment_of(P, "groups", 1)
    world.groups.edit(P, "beta", MembershipEdit(add=(LINUS,)), actor="t")
    put(world, "APP", product(packages=[package("4.0.0.0")]))
    assert world.states.moment_of(P, "groups", 2) == clock.moment
    assert world.states.moment_of(P, "catalog", 2) == clock.moment
    assert first == clock.moment - timedelta(seconds=7_200)
    for part, number in (("groups", 3), ("groups", 0), ("catalog", 9)):
        with pytest.raises(InvalidInput, match=f"{part}:{number}` does not exist"):
            world.states.moment_of(P, part, number)  # type: ignore[arg-type]


def test_whoever_was_forgotten_was_never_there(world: Service, clock: Clock) -> None:
    world.groups.edit(P, "beta", MembershipEdit(add=(LINUS,)), actor="t")
    then = clock.moment
    clock.advance(60)
    world.groups.forget(P, LINUS, actor="t")
    state = world.states.read("APP", then)
    assert state.decide(query("APP", LINUS)).settling is None
    assert version(world, LINUS, at=then) == "1.0.0.0"

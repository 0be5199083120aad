"""What an edit or a plan would do to access, against `decide` itself and in words."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.catalog import files
from eligibility.catalog.plan import apply_plan, make_plan
from eligibility.catalog.validation import read_product
from eligibility.changes import effects as effects_module
from eligibility.changes import preview
from eligibility.changes.effects import AccessChange, Effects, effects_on
from eligibility.service.service import Service
from groups.model import Consent, MembershipEdit
from tests.helpers.catalog.expected_effects import expected, of_account
from tests.helpers.catalog.products import flight, group, product, put
from tests.helpers.catalog.strategies import ACCOUNTS, GROUPS, NOW, products
from tests.helpers.clock import Clock
from tests.helpers.examples import examples

ADA, GRACE, LINUS = "ada@x.com", "grace@x.com", "linus@x.com"
P = "contoso"
Body = dict[str, Any]
group_sets = st.frozensets(st.sampled_from(GROUPS))


@given(
    products(),
    products() | st.none(),
    st.dictionaries(st.sampled_from(ACCOUNTS), st.tuples(group_sets, group_sets)),
)
@settings(max_examples=examples(300))
def test_effects_are_the_difference_that_decide_makes(
    declared: Body,
    changed: Body | None,
    memberships: dict[str, tuple[frozenset[str], frozenset[str]]],
) -> None:
    before, after = read_product(declared), read_product(changed or declared)
    effects = effects_on("APP", before, after, memberships, NOW)
    for address, (was_in, is_in) in memberships.items():
        found = of_account(effects, address)
        assert len(found) == len(set(found))
        assert set(found) == expected(before, after, was_in, is_in, address)
    for change in effects.changes:
        assert change.first == tuple(sorted(change.first))
        assert change.accounts == len(change.first)
        gone, came = change.from_flight is None, change.to_flight is None
        if change.kind == "flight":
            assert change.change == {(True, False): "gains", (False, True): "loses"}.get(
                (gone, came), "moves"
            )


@pytest.fixture
def world(service: Service) -> Service:
    """A private product; `canary` outranks `beta`, whose people are its audience."""
    group(service, "beta", ADA, GRACE)
    group(service, "canary", GRACE)
    flights = (flight("c", ["canary"], "3.0.0.0"), flight("b", ["beta"], "2.0.0.0"))
    put(service, "APP", product(*flights, audience="private", audience_groups=["beta"]))
    put(service, "OPEN", product(flight("o", ["canary"], "2.0.0.0")))
    put(service, "OTHER", product())
    return service


def effects_of(service: Service, group_id: str, *add: str, remove: tuple[str, ...] = ()) -> Effects:
    edit = MembershipEdit(add=add, remove=remove)
    return service.effects(service.groups.edit(P, group_id, edit, actor="t", dry_run=True))


def told(effects: Effects) -> list[tuple[str, str, str, str | None, str | None, bool, int]]:
    return [
        (
            one.product_id,
            change.kind,
            change.change,
            change.from_flight,
            change.to_flight,
            change.blocked_by_audience,
            change.accounts,
        )
        for one in effects.products
        for change in one.changes
    ]


def test_somebody_new_in_the_audience_gains_sight_and_the_flight(world: Service) -> None:
    assert told(effects_of(world, "beta", LINUS)) == [
        ("APP", "audience", "gains", None, None, False, 1),
        ("APP", "flight", "gains", None, "b", False, 1),
    ]


def test_a_member_moves_to_the_higher_flight_and_one_outside_the_audience_gets_nothing(
    world: Service,
) -> None:
    assert told(effects_of(world, "canary", ADA, LINUS)) == [
        ("APP", "flight", "gains", None, "c", True, 1),
        ("APP", "flight", "moves", "b", "c", False, 1),
        ("OPEN", "flight", "gains", None, "o", False, 2),
    ]


def test_who_leaves_the_higher_flight_falls_to_the_next(world: Service) -> None:
    found = effects_of(world, "canary", LINUS, remove=(GRACE,))
    assert ("APP", "flight", "moves", "c", "b", False, 1) in told(found)
    assert found.products[0].changes[-1].first == (GRACE,)


def test_an_edit_that_changes_nothing_has_no_effects(world: Service) -> None:
    assert effects_of(world, "beta", ADA) == Effects(products=())


def test_groups_that_do_not_count_yet_have_no_effect_until_they_do(
    world: Service, clock: Clock
) -> None:
    later = (clock.moment + timedelta(hours=1)).isoformat()
    put(world, "APP", product(flight("b", ["beta"], "2.0.0.0", publish_at=later)))
    assert told(effects_of(world, "beta", LINUS)) == []
    clock.advance(3_600)
    assert told(effects_of(world, "beta", LINUS)) == [
        ("APP", "flight", "gains", None, "b", False, 1)
    ]


def test_who_comes_into_the_audience_gains_the_flight_waiting_there_and_loses_it_with_it(
    world: Service,
) -> None:
    group(world, "early", LINUS)
    put(
        world,
        "APP",
        product(flight("e", ["early"], "2.0.0.0"), audience="private", audience_groups=["beta"]),
    )
    assert told(effects_of(world, "beta", LINUS)) == [
        ("APP", "audience", "gains", None, None, False, 1),
        ("APP", "flight", "gains", None, "e", False, 1),
    ]
    world.groups.edit(P, "beta", MembershipEdit(add=(LINUS,)), actor="t")
    assert told(effects_of(world, "beta", remove=(LINUS,))) == [
        ("APP", "audience", "loses", None, None, False, 1),
        ("APP", "flight", "loses", "e", None, False, 1),
    ]


def test_a_write_that_was_done_tells_what_its_dry_run_told(world: Service) -> None:
    edit = MembershipEdit(add=(ADA, LINUS), remove=(GRACE,))
    planned = world.groups.edit(P, "canary", edit, actor="t", dry_run=True)
    foretold = world.effects(planned)
    done = world.groups.edit(P, "canary", edit, actor="t")
    assert world.effects(done) == foretold
    assert foretold.products


def test_a_product_that_becomes_public_is_told_to_be_for_everybody() -> None:
    before = product(audience="private", audience_groups=["beta"])
    effects = effects_on("APP", before, product(), {}, NOW)
    assert (effects.becomes_public, effects.changes, effects.is_empty) == (True, (), False)
    assert not effects_on("APP", None, product(), {}, NOW).becomes_public
    assert not effects_on("APP", before, None, {}, NOW).becomes_public


def test_counts_are_of_all_and_the_first_hundred_are_named(
    world: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, standing = [], effects_module._standing

    def counted(*args: Any) -> Any:
        compared.append(args)
        return standing(*args)

    monkeypatch.setattr(effects_module, "_standing", counted)
    crowd = [f"user{number:05}@x.com" for number in range(9_990)]
    (effects,) = effects_of(world, "beta", *crowd).products
    assert len(compared) < 20  # people in the same groups are compared once
    gains = effects.changes[0]
    assert (gains.accounts, gains.first) == (9_990, tuple(sorted(crowd)[:100]))


def test_a_plan_tells_what_products_and_groups_do_together(world: Service, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        f"""
publisher: contoso
groups: {{beta: {{name: beta, emails: [{ADA}, {LINUS}]}}}}
products:
  OPEN: {{name: Open, submission: {{packages: []}}}}
""",
        "utf-8",
    )
    (declared,) = files.read_directory(tmp_path)
    plan = make_plan(declared, world.groups, world.catalog)
    effects = preview.of_plan(plan, declared, world.groups, world.catalog.store, NOW)
    assert told(effects) == [
        ("APP", "audience", "gains", None, None, False, 1),
        ("APP", "audience", "loses", None, None, False, 1),
        ("APP", "flight", "gains", None, "b", False, 1),
        ("APP", "flight", "loses", "c", None, False, 1),
        ("OPEN", "flight", "loses", "o", None, False, 1),
    ]
    apply_plan(plan, declared, world.groups, world.catalog, actor="t")
    again = make_plan(declared, world.groups, world.catalog)
    assert preview.of_plan(again, declared, world.groups, world.catalog.store, NOW).products == ()


def test_a_plan_that_notes_consent_alone_has_no_effect(world: Service, tmp_path: Path) -> None:
    note = "consent: {confirmed_by: Lin, at: 2026-05-01T08:00:00Z}"
    (tmp_path / "c.yaml").write_text(
        f"publisher: contoso\ngroups: {{beta: {{name: beta, {note}}}}}\n", "utf-8"
    )
    (declared,) = files.read_directory(tmp_path)
    plan = make_plan(declared, world.groups, world.catalog)
    assert [one.action for one in plan.groups] == ["change"]
    assert preview.of_plan(plan, declared, world.groups, world.catalog.store, NOW).products == ()


# Consent


def test_a_used_group_without_a_consent_note_is_warned_of_and_never_blocks(
    world: Service, tmp_path: Path
) -> None:
    (tmp_path / "c.yaml").write_text(
        """
publisher: contoso
products:
  APP:
    name: App
    submission: {audience: private, audience_groups: [beta], packages: []}
    flights: [{flight_id: b, name: B, groups: [beta, canary], packages: []}]
""",
        "utf-8",
    )
    (declared,) = files.read_directory(tmp_path)

    def warned() -> dict[str, tuple[str, ...]]:
        plan = make_plan(declared, world.groups, world.catalog)
        notes = [warning for warning in plan.warnings if warning.code == "NO_CONSENT_NOTE"]
        return {warning.group_id: warning.used_by for warning in notes}

    assert warned() == {"beta": ("APP audience", "APP flight b"), "canary": ("APP flight b",)}
    world.groups.set_consent(P, "beta", Consent(confirmed_by="Lin", at=NOW), actor="t")
    assert warned() == {"canary": ("APP flight b",)}


def test_changes_are_ordered_audience_first() -> None:
    declared = product(flight("b", ["g1"], "2.0.0.0"), audience="private", audience_groups=["g1"])
    changes = effects_on("APP", None, declared, {ADA: (frozenset(), frozenset({"g1"}))}, NOW)
    assert changes.changes == (
        AccessChange(kind="audience", change="gains", accounts=1, first=(ADA,)),
        AccessChange(kind="flight", change="gains", to_flight="b", accounts=1, first=(ADA,)),
    )

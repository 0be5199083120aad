"""The evaluator: live, fresh, honest about staleness and settling, and the same as the rules."""

import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from msgspec import UNSET, structs

from eligibility.access import wire
from eligibility.access.codes import AccountKind, Reason
from eligibility.access.model import Decision
from eligibility.errors import InvalidInput, UnknownProduct
from eligibility.explain.step_details import detail_of
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.errors import StoreUnavailable
from groups.model import MembershipEdit
from tests.helpers.catalog.products import DESKTOP, flight, group, package, product, put, query
from tests.helpers.clock import Clock
from tests.helpers.stores.outage import Outage

ADA, GRACE, LINUS = "ada@example.com", "grace@example.com", "linus@example.com"


def version(decision: Decision) -> str | None:
    offered = decision.package.package
    return offered.version if offered else None


def add(service: Service, group_id: str, *emails: str) -> int:
    edit = MembershipEdit(add=emails)
    return service.groups.edit("contoso", group_id, edit, actor="test").revision


def remove(service: Service, group_id: str, *emails: str) -> int:
    edit = MembershipEdit(remove=emails)
    return service.groups.edit("contoso", group_id, edit, actor="test").revision


@pytest.fixture
def world(service: Service, clock: Clock) -> Service:
    """APP with two flights, canary over beta; Grace is in beta. Everything an hour old."""
    group(service, "canary", LINUS)
    group(service, "beta", GRACE)
    put(
        service,
        "APP",
        product(flight("f1", ["canary"], "3.0.0.0"), flight("f2", ["beta"], "2.0.0.0")),
    )
    clock.advance(3_600)
    return service


# --- live ---


def test_an_edit_is_in_force_in_the_next_answer(world: Service) -> None:
    decide = world.evaluator.decide
    assert version(decide(query("APP", ADA))) == "1.0.0.0"
    add(world, "beta", ADA)
    assert version(decide(query("APP", ADA))) == "2.0.0.0"
    add(world, "canary", ADA)
    assert version(decide(query("APP", ADA))) == "3.0.0.0"
    remove(world, "canary", ADA)
    assert version(decide(query("APP", ADA))) == "2.0.0.0"
    world.groups.replace("contoso", "beta", [LINUS], actor="test")
    assert version(decide(query("APP", ADA))) == "1.0.0.0"


def test_an_edit_by_another_process_is_in_force_too(
    world: Service, store_url: str, clock: Clock
) -> None:
    import time

    decide = world.evaluator.decide
    assert version(decide(query("APP", ADA))) == "1.0.0.0"
    with Service(Settings(store=store_url), clock) as other:
        add(other, "beta", ADA)
    time.sleep(0.006)  # the file is looked at every 2 ms; 5 ms is the promise
    assert version(decide(query("APP", ADA))) == "2.0.0.0"


def test_a_product_changes_and_goes(world: Service) -> None:
    decide = world.evaluator.decide
    assert version(decide(query("APP", GRACE))) == "2.0.0.0"
    put(world, "APP", product(flight("f2", ["beta"], "2.1.0.0")))
    assert version(decide(query("APP", GRACE))) == "2.1.0.0"
    world.catalog.delete("contoso", "APP", actor="test")
    with pytest.raises(UnknownProduct, match="APP"):
        decide(query("APP", GRACE))
    put(world, "APP", product())
    assert version(decide(query("APP", GRACE))) == "1.0.0.0"


def test_a_product_that_changes_within_the_same_groups_is_decided_anew(world: Service) -> None:
    """Nothing remembered of the one before counts: not decisions, not classes of devices."""
    old = query("APP", GRACE, device={**DESKTOP, "os_version": "17762"})
    for least, number in (("10.0.10240.0", "2.5.0.0"), ("10.0.17763.0", "2.6.0.0")):
        changed = flight("f2", ["beta"], number) | {"packages": [package(number, Desktop=least)]}
        put(world, "APP", product(flight("f1", ["canary"], "3.0.0.0"), changed))
        assert version(world.evaluator.decide(query("APP", GRACE))) == number
        body = {"product_id": "APP", "account": {"id": GRACE}, "device": DESKTOP}
        sent = wire.decode_query(json.dumps(body).encode())
        held = world.evaluator.warm("APP")
        assert held is not None
        assert number.encode() in bytes(held.answer_json(sent, world.evaluator.clock()))
    assert version(world.evaluator.decide(old)) is None


def test_a_product_nobody_declared_is_unknown(service: Service) -> None:
    with pytest.raises(UnknownProduct, match="NOPE"):
        service.evaluator.decide(query("NOPE", ADA))


def test_large_edits_are_right_too(world: Service) -> None:
    decide = world.evaluator.decide
    decide(query("APP", ADA))
    many = [f"tester{n}@example.com" for n in range(2_500)]  # more than is patched
    add(world, "beta", *many)
    assert version(decide(query("APP", many[-1]))) == "2.0.0.0"
    remove(world, "beta", *many[1:])
    assert version(decide(query("APP", many[-1]))) == "1.0.0.0"
    assert version(decide(query("APP", many[0]))) == "2.0.0.0"


def test_the_answer_carries_the_revisions_it_was_made_from(world: Service) -> None:
    before = world.evaluator.decide(query("APP", ADA)).revision
    groups_revision = add(world, "beta", ADA)
    catalog_revision = put(world, "APP", product())
    after = world.evaluator.decide(query("APP", ADA)).revision
    assert (after.groups, after.catalog) == (groups_revision, catalog_revision)
    assert (after.groups, after.catalog) == (before.groups + 1, before.catalog + 1)


def test_publishers_share_nothing(world: Service) -> None:
    group(world, "beta", ADA, publisher="fabrikam")
    assert version(world.evaluator.decide(query("APP", ADA))) == "1.0.0.0"
    put(world, "THEIRS", product(flight("f", ["beta"], "9.0.0.0")), publisher="fabrikam")
    assert version(world.evaluator.decide(query("THEIRS", ADA))) == "9.0.0.0"
    assert version(world.evaluator.decide(query("THEIRS", GRACE))) == "1.0.0.0"


# --- who counts as a member ---


def test_every_form_of_an_address_is_one_account(world: Service) -> None:
    assert version(world.evaluator.decide(query("APP", "  GRACE@Example.COM "))) == "2.0.0.0"


def test_an_alias_counts_and_the_trace_says_so(world: Service) -> None:
    asked = query("APP", account={"id": ADA, "aliases": [GRACE]})
    assert version(world.evaluator.decide(asked)) == "2.0.0.0"
    trace = world.evaluator.decide(asked, explain=True).trace
    assert trace
    assert (trace[0].step, trace[0].outcome) == ("aliases", "alias")
    assert GRACE in detail_of(trace[0])


def test_aliases_together_reach_all_their_groups(world: Service) -> None:
    asked = query("APP", account={"id": GRACE, "aliases": [LINUS]})
    assert version(world.evaluator.decide(asked)) == "3.0.0.0"


def test_the_same_address_with_a_work_account_is_no_member(world: Service) -> None:
    asked = query("APP", account={"id": GRACE, "kind": AccountKind.WORK_OR_SCHOOL})
    assert version(world.evaluator.decide(asked)) == "1.0.0.0"


# --- time ---


def test_a_public_date_takes_effect_at_its_moment(service: Service, clock: Clock) -> None:
    group(service, "beta", GRACE)
    public_at = (clock.moment + timedelta(seconds=10)).isoformat()
    private = {"audience": "private", "audience_groups": ["beta"], "public_at": public_at}
    put(service, "APP", product(**private))
    decide = service.evaluator.decide
    assert not decide(query("APP", ADA)).granted
    clock.advance(9.999)
    assert not decide(query("APP", ADA)).granted
    clock.advance(0.001)
    assert decide(query("APP", ADA)).granted
    clock.advance(-1)  # a clock set back: the moment counts, not what was answered before
    assert not decide(query("APP", ADA)).granted


def test_a_flight_begins_at_its_publish_date(service: Service, clock: Clock) -> None:
    group(service, "beta", GRACE)
    publish_at = (clock.moment + timedelta(hours=1)).isoformat()
    put(service, "APP", product(flight("f", ["beta"], "2.0.0.0", publish_at=publish_at)))
    assert version(service.evaluator.decide(query("APP", GRACE))) == "1.0.0.0"
    clock.advance(3_600)
    assert version(service.evaluator.decide(query("APP", GRACE))) == "2.0.0.0"


def test_before_a_product_was_declared_it_is_unknown(world: Service) -> None:
    with pytest.raises(UnknownProduct, match="at 2026-01-01"):
        world.evaluator.decide(query("APP", ADA, at="2026-01-01T00:00:00Z"))


# --- settling ---


def test_a_change_settles_for_thirty_minutes(world: Service, clock: Clock) -> None:
    assert world.evaluator.decide(query("APP", ADA)).settling is None
    add(world, "beta", ADA)
    settling = world.evaluator.decide(query("APP", ADA)).settling
    assert settling is not None
    assert (settling.group_id, settling.change) == ("beta", "added")
    assert settling.changed_at == clock.moment
    assert settling.settled_at == clock.moment + timedelta(minutes=30)
    clock.advance(1_799)
    assert world.evaluator.decide(query("APP", ADA)).settling is not None
    clock.advance(1)
    assert world.evaluator.decide(query("APP", ADA)).settling is None


def test_a_removal_settles_as_well(world: Service) -> None:
    remove(world, "beta", LINUS)  # a stranger: no change
    assert world.evaluator.decide(query("APP", LINUS)).settling is None
    add(world, "canary", ADA)
    remove(world, "canary", LINUS)
    settling = world.evaluator.decide(query("APP", LINUS)).settling
    assert settling is not None
    assert (settling.group_id, settling.change) == ("canary", "removed")


@pytest.mark.parametrize("at", [None, "2026-06-01T12:05:00Z"])
def test_of_several_changes_the_one_that_decides_settles(
    world: Service, clock: Clock, at: str | None
) -> None:
    """Added to canary, then to insiders of a lower rank: canary decides what she gets."""
    for group_id in ("high", "low"):
        group(world, group_id, GRACE)
    flights = flight("h", ["high"], "3.0.0.0"), flight("l", ["low"], "2.0.0.0")
    put(world, "TWO", product(*flights))
    clock.advance(3_600)
    add(world, "high", ADA)
    clock.advance(60)
    add(world, "low", ADA)
    clock.advance(60)
    moment = None if at is None else f"{clock.moment:%Y-%m-%dT%H:%M:%SZ}"
    settling = world.evaluator.decide(query("TWO", ADA, at=moment)).settling
    assert settling is not None
    assert (settling.group_id, settling.change) == ("high", "added")
    remove(world, "high", ADA)
    settling = world.evaluator.decide(query("TWO", ADA)).settling
    assert settling is not None
    assert (settling.group_id, settling.change) == ("high", "removed")
    clock.advance(1_700)  # the newest change alone is left
    remove(world, "low", ADA)
    settling = world.evaluator.decide(query("TWO", ADA)).settling
    assert settling is not None
    assert (settling.group_id, settling.change) == ("low", "removed")


def test_settling_is_the_accounts_own_and_the_products_own(world: Service) -> None:
    group(world, "elsewhere", ADA)
    add(world, "beta", ADA)
    assert world.evaluator.decide(query("APP", GRACE)).settling is None
    settling = world.evaluator.decide(query("APP", ADA)).settling
    assert settling is not None
    assert settling.group_id == "beta"
    assert world.evaluator.decide(query("APP")).settling is None


def test_a_change_by_an_alias_settles(world: Service) -> None:
    add(world, "beta", ADA)
    asked = query("APP", account={"id": "other@example.com", "aliases": [ADA]})
    assert world.evaluator.decide(asked).settling is not None


def test_settling_survives_a_restart(world: Service, store_url: str, clock: Clock) -> None:
    add(world, "beta", ADA)
    with Service(Settings(store=store_url), clock) as restarted:
        assert restarted.evaluator.decide(query("APP", ADA)).settling is not None


# --- explanation ---


def test_a_trace_is_there_when_asked_for_and_changes_nothing_else(world: Service) -> None:
    plain = world.evaluator.decide(query("APP", GRACE))
    told = world.evaluator.decide(query("APP", GRACE), explain=True)
    assert not plain.trace
    assert told.trace
    steps = [step.step for step in told.trace]
    assert steps[:2] == ["groups", "audience"]
    assert {"flight_floor", "flight:f1", "flight:f2", "package"} <= set(steps)
    assert all(step.source for step in told.trace)
    assert (plain.package, plain.submission, plain.remedies) == (
        told.package,
        told.submission,
        told.remedies,
    )


def test_the_trace_says_that_an_architecture_nobody_told_was_not_tested(world: Service) -> None:
    untold = query("APP", device={"family": "Desktop", "os_version": "22631"})
    for asked, said in ((untold, True), (query("APP"), False)):
        trace = world.evaluator.decide(asked, explain=True).trace
        assert trace
        (step,) = [step for step in trace if step.step == "package"]
        assert ("architecture unknown, so not tested" in detail_of(step)) == said


def test_only_active_groups_count(service: Service, clock: Clock) -> None:
    """Those of an audience that is public by now, and of flights that do not exist yet, do not."""
    for name in ("audience", "later", "empty", "now"):
        group(service, name, GRACE)
    moment = clock.moment.isoformat()
    later = (clock.moment + timedelta(hours=1)).isoformat()
    empty = {"flight_id": "e", "name": "e", "groups": ["empty"]}
    put(
        service,
        "APP",
        product(
            flight("l", ["later"], "3.0.0.0", publish_at=later),
            empty,
            flight("n", ["now"], "2.0.0.0"),
            audience="private",
            audience_groups=["audience"],
            public_at=moment,
        ),
    )
    trace = service.evaluator.decide(query("APP", GRACE), explain=True).trace
    assert trace
    assert detail_of(trace[0]) == "active groups: `now`; the account counts as a member of: `now`"


def test_the_trace_names_the_active_groups(world: Service) -> None:
    told = world.evaluator.decide(query("APP", GRACE), explain=True)
    assert told.trace
    assert "`beta`, `canary`" in detail_of(told.trace[0])


# --- the store away ---


@pytest.fixture
def outage(world: Service, clock: Clock) -> Outage:
    return Outage(world, clock)


def test_while_the_store_is_away_memory_answers_and_says_how_old_it_is(
    outage: Outage, clock: Clock
) -> None:
    assert outage.evaluator.decide(query("APP", GRACE)).stale_seconds == 0
    outage.begin()
    clock.advance(60)
    decision = outage.evaluator.decide(query("APP", GRACE))
    assert (version(decision), decision.stale_seconds) == ("2.0.0.0", 60)


def test_past_the_limit_there_is_no_answer(outage: Outage, clock: Clock) -> None:
    outage.evaluator.decide(query("APP", GRACE))
    outage.begin()
    clock.advance(1_800)
    assert outage.evaluator.decide(query("APP", GRACE)).stale_seconds == 1_800
    clock.advance(1)
    with pytest.raises(StoreUnavailable, match="1801 s"):
        outage.evaluator.decide(query("APP", GRACE))


def test_a_product_not_in_memory_gets_no_guess(outage: Outage) -> None:
    outage.begin()
    with pytest.raises(StoreUnavailable):
        outage.evaluator.decide(query("APP", GRACE))


def test_when_the_store_is_back_answers_are_fresh_again(
    outage: Outage, world: Service, clock: Clock
) -> None:
    outage.evaluator.decide(query("APP", ADA))
    outage.begin()
    add(world, "beta", ADA)
    clock.advance(2_000)
    outage.begin(away=False)
    decision = outage.evaluator.decide(query("APP", ADA))
    assert (version(decision), decision.stale_seconds) == ("2.0.0.0", 0)


def test_staleness_counts_from_when_the_store_last_answered(outage: Outage, clock: Clock) -> None:
    outage.evaluator.decide(query("APP", GRACE))
    clock.advance(100)
    outage.evaluator.decide(query("APP", GRACE))  # unchanged, and known to be
    outage.begin()
    clock.advance(5)
    assert outage.evaluator.decide(query("APP", GRACE)).stale_seconds == 5


def test_readiness_is_whether_the_store_answers(outage: Outage) -> None:
    outage.evaluator.check_ready()
    outage.begin()
    with pytest.raises(StoreUnavailable):
        outage.evaluator.check_ready()


# --- the warm path ---


def test_warm_answers_only_from_a_memory_that_is_current(outage: Outage, world: Service) -> None:
    evaluator = outage.evaluator
    assert evaluator.warm("APP") is None
    evaluator.decide(query("APP", GRACE))
    assert evaluator.warm("APP") is not None
    add(world, "beta", ADA)
    assert evaluator.warm("APP") is None
    evaluator.decide(query("APP", GRACE))
    assert evaluator.warm("APP") is not None
    outage.begin()
    assert evaluator.warm("APP") is None


def test_answers_are_right_under_many_threads(world: Service) -> None:
    """Each thread adds an account of its own, and must see it, whatever the others do."""
    wrong: list[str] = []

    def tester(number: int) -> None:
        for turn in range(8):
            email = f"t{number}.{turn}@example.com"
            if version(world.evaluator.decide(query("APP", email))) != "1.0.0.0":
                wrong.append(f"{email} before")
            add(world, "canary", email)
            if version(world.evaluator.decide(query("APP", email))) != "3.0.0.0":
                wrong.append(f"{email} after")

    threads = [threading.Thread(target=tester, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_memo_of_decisions_never_mixes_what_rules_tell_apart(world: Service) -> None:
    """Neighbouring queries, asked in turn, each with the answer it has alone."""
    put(
        world,
        "APP",
        product(
            flight("f2", ["beta"], "2.0.0.0"),
            packages=[package("1.0.0.0", Desktop="10.0.17763.0", Xbox="10.0.17763.0")],
            discoverability="stop_acquisition",
        ),
    )
    old, new = {**DESKTOP, "os_version": "17762"}, {**DESKTOP, "os_version": "17763"}
    variants: list[dict[str, Any]] = [
        {"device": device, "owned": owned, "installed_version": installed, "promotional_code": code}
        for device in (old, new)
        for owned in (False, True)
        for installed in (None, "1.0.0.0", "1.5.0.0")
        for code in (False, True)
    ]
    for _ in range(2):  # the second time from the memo
        for variant in variants:
            for email in (None, ADA, GRACE):
                asked = query("APP", email, **variant)
                alone = world.evaluator.decide(asked, explain=True)
                assert world.evaluator.decide(asked).package == alone.package
    assert Reason.ACQUISITION_STOPPED in world.evaluator.decide(query("APP")).package.reasons


def test_a_memo_of_queries_as_sent_never_mixes_what_rules_tell_apart(world: Service) -> None:
    """Every field on its own changes the answer here, and each answer is the one it has alone."""
    rollout = {"percentage": 50, "status": "in_progress", "newest_on_manual_check": True}
    put(
        world,
        "APP",
        product(
            flight("f2", ["beta"], "2.0.0.0"),
            packages=[package("1.2.0.0", Desktop="10.0.17763.0")],
            rollout=rollout | {"previous_packages": [package("1.1.0.0", Desktop="10.0.17763.0")]},
            discoverability="stop_acquisition",
        ).model_copy(update={"markets": ("US",)}),
    )
    usual: dict[str, Any] = {
        "product_id": "APP",
        "account": {"id": GRACE},
        "device": DESKTOP,
        "installed_version": "1.0.0.0",
        "owned": True,
        "market": "US",
    }
    changes: list[dict[str, Any]] = [
        {},
        {"account": {"id": ADA}},
        {"account": {"id": LINUS}},
        {"account": {"id": GRACE, "kind": "work_or_school"}},
        {"account": {"id": ADA, "aliases": [GRACE]}},
        {"account": None},
        {"device": {**DESKTOP, "os_version": "17762"}},
        {"device": {**DESKTOP, "family": "Xbox"}},
        {"installed_version": None},
        {"installed_version": "1.1.0.0"},
        {"installed_version": "3.0.0.0"},
        {"owned": False},
        {"owned": False, "promotional_code": True},
        {"account": {"id": ADA}, "manual_check": True},
        {"market": "FR"},
        {"market": None},
    ]
    alone = []
    for change in changes:
        asked = query(**usual | change)
        decision = world.evaluator.decide(asked, explain=True)
        alone.append(wire.encode(structs.replace(decision, trace=UNSET)))
    assert len(set(alone)) >= 9
    held = world.evaluator.warm("APP")
    assert held is not None
    for _ in range(3):
        for change, expected in zip(changes, alone, strict=True):
            sent = wire.decode_query(json.dumps(usual | change).encode())
            assert held.answer_json(sent, world.evaluator.clock()) == expected, change
        every = json.dumps({"queries": [usual | change for change in changes]})
        batch: Any = wire.decode_batch(every.encode())
        assert held.answers_json(batch, world.evaluator.clock()) == alone


def test_the_same_words_after_an_edit_get_the_new_revision(world: Service) -> None:
    body = {"product_id": "APP", "account": {"id": GRACE}, "device": DESKTOP}
    sent = wire.decode_query(json.dumps(body).encode())
    for _ in range(3):
        decision = world.evaluator.decide(query("APP", GRACE))
        held = world.evaluator.warm("APP")
        assert held is not None
        for _ in range(2):
            assert held.answer_json(sent, world.evaluator.clock()) == wire.encode(decision)
            assert held.answers_json([sent], world.evaluator.clock()) == [wire.encode(decision)]
        add(world, "beta", f"{uuid.uuid4()}@example.com")


@pytest.mark.parametrize(
    "change",
    [
        {"market": "usa"},
        {"installed_version": "1.0"},
        {"account": {"id": "grace@"}},
        {"account": {"id": GRACE, "aliases": ["x"]}},
        {"device": {**DESKTOP, "os_version": "22H2"}},
        {"at": "yesterday"},
    ],
)
def test_what_cannot_be_read_is_refused_however_often_the_rest_was_asked(
    world: Service, change: dict[str, Any]
) -> None:
    usual = {"product_id": "APP", "account": {"id": GRACE}, "device": DESKTOP}
    world.evaluator.decide(query("APP", GRACE))
    held = world.evaluator.warm("APP")
    assert held is not None
    for _ in range(2):
        held.answer_json(wire.decode_query(json.dumps(usual).encode()), 0)
        sent = wire.decode_query(json.dumps(usual | change).encode())
        with pytest.raises(InvalidInput) as refused:
            held.answer_json(sent, 0)
        (together,) = held.answers_json([sent], 0)
        assert isinstance(together, InvalidInput)
        assert together.faults == refused.value.faults

"""What is noted of decisions: each once, whoever asked and by whatever route; and what never is."""

import json
import logging
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from redis import Redis
from typer.testing import CliRunner

from eligibility.access import wire
from eligibility.activity.buffer import LATEST, MOST_ASKERS
from eligibility.activity.model import CountKey, LastAnswer, RecentDecision
from eligibility.activity.sqlite_store import path_beside
from eligibility.activity.store import FORGOTTEN_FOR
from eligibility.callers.model import Scope
from eligibility.cli.app import application
from eligibility.engine.decision_cache import DecisionBody
from eligibility.service.copy import copy
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from eligibility.service.stores import open_stores
from groups.errors import StoreFull, StoreUnavailable
from groups.model import MembershipEdit
from tests.helpers.catalog.products import DESKTOP, flight, group, package, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, asking
from tests.helpers.servers.process import running
from tests.helpers.standards.authzen import EVALUATION, EVALUATIONS, ask
from tests.helpers.stores import redis_servers as servers

ADA, GRACE, STRANGER = "ada@example.com", "grace@example.com", "stranger@example.com"
EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
OLD = {"family": "Windows.Desktop", "os_version": "10.0.10240.0"}
OFREP = "/ofrep/v1/evaluate/flags"

GETS_FLIGHT = CountKey("APP", "flight", "f", "FLIGHT_MEMBER")
GETS_PUBLIC = CountKey("APP", "submission", "", "NON_FLIGHTED_SUBMISSION")


class World:
    """APP with flight f for Ada, who is asked about by every route."""

    def __init__(self, app: App) -> None:
        self.app, self.service = app, app.service
        self.key = app.key(Scope.ADMIN)

    def post(self, path: str, body: Any) -> Any:
        answer = self.app.post(path, body, self.key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def access(self, *addresses: str | None, path: str = "/v1/access", **more: Any) -> None:
        for address in addresses:
            self.post(path, query(address, **more))

    def batch(self, *queries: Any) -> Any:
        return self.post("/v1/access/batch", {"queries": queries})

    def counts(self, *, by_minute: bool = True) -> Counter[CountKey]:
        """What was counted until now, written and read back."""
        self.service.recorder.flush()
        found = Counter[CountKey]()
        for one in self.service.activity.counts("contoso", *EVER, by_minute=by_minute):
            found[one.key] += one.decisions
        return found

    def last(self, product_id: str = "APP") -> dict[int, LastAnswer]:
        self.service.recorder.flush()
        return dict(self.service.activity.last_answers("contoso", product_id))

    def last_of(self, address: str) -> LastAnswer | None:
        return self.last().get(self.digest(address))

    def seen(self) -> list[RecentDecision]:
        self.service.recorder.flush()
        return self.service.activity.seen("contoso", 0)

    def digest(self, address: str) -> int:
        return self.service.evaluator.digester().of(address)


def query(address: str | None = ADA, **more: Any) -> dict[str, Any]:
    account = None if address is None else {"id": address}
    return {"product_id": "APP", "account": account, "device": DESKTOP, **more}


def stock(service: Service, *, packages: str = "2.0.0.0") -> None:
    group(service, "beta", ADA, GRACE)
    put(service, "APP", product(flight("f", ["beta"], packages)))


@contextmanager
def world_of(service: Service, clock: Clock) -> Iterator[World]:
    """An hour after the groups were made, so that memberships are not settling; APP is in memory."""
    stock(service)
    clock.advance(3_600)
    with asking(service) as app:
        made = World(app)
        made.access(None)
        service.recorder.flush()
        service.activity.clear("contoso")
        service.recorder.totals.clear()
        yield made


@pytest.fixture
def world(service: Service, clock: Clock) -> Iterator[World]:
    with world_of(service, clock) as made:
        yield made


# Every decision is counted once


FLAGS = {"context": {"targetingKey": ADA, "device_family": "desktop", "os_version": "10.0.22631.0"}}
ROUTES: dict[str, tuple[str, Any]] = {
    "a query": ("/v1/access", query()),
    "a query that reads the store": ("/v1/access", query(consistency="strong")),
    "a query with its trace": ("/v1/access?explain=true", query()),
    "a batch": ("/v1/access/batch", {"queries": [query()]}),
    "a batch that reads the store": (
        "/v1/access/batch",
        {"queries": [query(consistency="strong")]},
    ),
    "an evaluation": (EVALUATION, ask()),
    "a batch of evaluations": (EVALUATIONS, {"evaluations": [ask()]}),
    "a batch of defaults alone": (EVALUATIONS, ask()),
    "a flag": (f"{OFREP}/flight:APP:f", FLAGS),
    "all flags": (OFREP, FLAGS),
}


@pytest.mark.parametrize("how", ROUTES)
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_decision_is_counted_once_by_whatever_route(world: World, how: str, warm: bool) -> None:
    path, body = ROUTES[how]
    for times in (1, 2, 3):
        if not warm:  # memory has to be brought up to the store first
            group(world.service, f"g{times}", STRANGER)
        world.post(path, body)
        assert world.counts() == {GETS_FLIGHT: times}
        assert world.counts(by_minute=False) == {GETS_FLIGHT: times}
    assert world.service.recorder.totals == {("flight", "FLIGHT_MEMBER"): 3}


@pytest.mark.parametrize("how", ROUTES)
def test_what_a_member_was_told_last_is_known_by_whatever_route(
    world: World, clock: Clock, how: str
) -> None:
    path, body = ROUTES[how]
    world.post(path, body)
    answer = world.last_of(ADA)
    assert answer is not None
    assert (answer.kind, answer.flight_id, answer.version) == ("flight", "f", "2.0.0.0")
    assert (answer.at, answer.family) == (clock(), "Windows.Desktop")
    assert world.last_of(GRACE) is None


def test_the_first_query_of_a_product_is_counted_too(service: Service, clock: Clock) -> None:
    stock(service)
    with asking(service) as app:
        world = World(app)
        world.access(ADA)
        assert world.counts() == {GETS_FLIGHT: 1}


def test_decisions_are_counted_apart_by_what_they_come_to(world: World) -> None:
    put(world.service, "SHUT", product(audience="private", audience_groups=["beta"]))
    world.access(ADA, ADA, STRANGER, None)
    world.access(ADA, device=OLD)  # too old for flights
    world.batch(query(), query(STRANGER), query(STRANGER, product_id="SHUT"), query(STRANGER))
    world.access(ADA, product_id="SHUT")
    assert world.counts() == {
        GETS_FLIGHT: 2 + 1,
        GETS_PUBLIC: 5,
        CountKey("SHUT", "denied", "", "NOT_IN_AUDIENCE"): 1,
        GETS_PUBLIC._replace(product_id="SHUT"): 1,
    }


def test_a_no_of_a_flight_is_counted_under_it(world: World) -> None:
    shut = flight("f", ["beta"], "2.0.0.0", packages=[package("2.0.0.0", Xbox="10.0.0.0")])
    put(world.service, "APP", product(shut))
    world.access(ADA)
    assert world.counts() == {CountKey("APP", "denied", "f", "NO_PACKAGE_FOR_FAMILY"): 1}


def test_the_minute_is_that_of_the_decision(world: World, clock: Clock) -> None:
    clock.advance(59)
    begins = clock.moment - timedelta(seconds=59)
    for _ in range(3):
        world.access(ADA)
        clock.advance(1)
    world.batch(query())
    world.service.recorder.flush()
    found = world.service.activity.counts("contoso", *EVER, by_minute=True)
    assert [(one.at, one.decisions) for one in found] == [
        (begins, 1),
        (begins + timedelta(minutes=1), 3),
    ]


def test_every_one_of_many_at_once_is_counted(world: World) -> None:
    recorder = world.service.recorder
    held = world.service.evaluator.in_memory("APP")
    assert held is not None
    sent = wire.decode_query(json.dumps(query()).encode())
    now = world.service.evaluator.clock()
    told = held.answer_json(sent, now)

    def hear() -> None:
        for _ in range(2_000):
            recorder.record(sent, told, now)
            recorder.record_batch([sent] * 3, [told] * 3, now)

    threads = [Thread(target=hear) for _ in range(4)]
    for one in threads:
        one.start()
    while any(one.is_alive() for one in threads):
        recorder.flush()
    assert world.counts() == {GETS_FLIGHT: 4 * 2_000 * 4}


def test_what_is_told_in_the_same_words_is_counted_apart(world: World, clock: Clock) -> None:
    held = world.service.evaluator.current("APP")
    sent = [wire.decode_query(json.dumps(query(one)).encode()) for one in (ADA, STRANGER)]
    told = held.answers_json(sent, clock(), lambda _: b"true")
    assert told[0] == told[1]
    world.service.recorder.record_batch(sent, told, clock())
    for one, answer in zip(sent, told, strict=True):
        assert isinstance(answer, DecisionBody)
        world.service.recorder.record(one, answer, clock())
    assert world.counts() == {GETS_FLIGHT: 2, GETS_PUBLIC: 2}


# What is not counted


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/access", query(at="2026-06-01T12:30:00Z"), 200),
        ("/v1/access", query(device={"family": "Windows.Desktop", "os_version": "x"}), 400),
        ("/v1/access", query("no address"), 400),
        ("/v1/access", query(product_id="NONE"), 404),
        ("/v1/access/batch", {"queries": [query(at="2026-06-01T12:30:00Z")]}, 200),
        ("/v1/access/batch", {"queries": [query("no address"), query(product_id="NONE")]}, 200),
        (EVALUATION, ask(context={**ask()["context"], "time": "2026-06-01T12:30:00Z"}), 200),
        (EVALUATION, ask(of="product:NONE"), 200),
        (f"{OFREP}/flight:APP:f", {"context": {"targetingKey": "nobody", "os_version": "1"}}, 400),
    ],
)
def test_what_is_of_another_moment_or_no_decision_is_not_counted(
    world: World, path: str, body: Any, status: int
) -> None:
    assert world.app.post(path, body, world.key).status_code == status
    assert world.counts() == {}
    assert (world.last(), world.seen()) == ({}, [])


def test_faults_in_a_batch_are_left_out(world: World) -> None:
    faulty = [query("no address"), query(), {"product_id": 5}, query(STRANGER), query("@")]
    for _ in range(2):
        assert [one.get("granted") for one in world.batch(*faulty)["decisions"]] == [
            None,
            True,
            None,
            True,
            None,
        ]
    assert world.counts() == {GETS_FLIGHT: 2, GETS_PUBLIC: 2}
    assert set(world.last()) == {world.digest(ADA)}


def test_a_simulation_is_not_counted(world: World, clock: Clock) -> None:
    state = world.service.states.read("APP")
    state.decide(wire.to_query(wire.decode_query(json.dumps(query()).encode())))
    world.service.evaluator.current("APP").answer(
        wire.to_query(wire.decode_query(json.dumps(query()).encode())), clock()
    )
    assert world.counts() == {}


# Whose they were


def test_a_stranger_leaves_no_last_answer(world: World) -> None:
    world.access(STRANGER, None)
    world.batch(query(STRANGER), query(None))
    world.access(STRANGER, consistency="strong")
    assert world.last() == {}
    assert [one.member for one in world.seen()] == [False] * 5
    assert world.seen()[1].digest is None


def test_an_alias_in_a_group_is_the_member(world: World) -> None:
    world.post("/v1/access", query() | {"account": {"id": STRANGER, "aliases": [GRACE, "x@y.zz"]}})
    assert set(world.last()) == {world.digest(GRACE)}
    (seen,) = world.seen()
    assert (seen.digest, seen.member) == (world.digest(STRANGER), True)


def test_the_last_answer_is_the_last_one_of_the_product(world: World, clock: Clock) -> None:
    world.access(ADA)
    clock.advance(30)
    world.access(ADA.upper(), device=OLD)
    found = world.last_of(ADA)
    assert found is not None
    assert (found.at, found.kind, found.version) == (clock(), "submission", "1.0.0.0")
    assert (found.family, found.os_version, found.architecture) == (
        "Windows.Desktop",
        "10.0.10240.0",
        "",
    )


def test_who_leaves_the_group_after_the_answer_leaves_none(world: World) -> None:
    world.access(ADA)
    world.service.groups.edit("contoso", "beta", MembershipEdit(remove=(ADA,)), actor="tests")
    world.access(GRACE)
    assert set(world.last()) == {world.digest(GRACE)}


def test_so_many_members_are_noted_and_all_are_counted(world: World) -> None:
    everybody = tuple(f"m{number}@example.com" for number in range(MOST_ASKERS + 500))
    world.service.groups.edit("contoso", "beta", MembershipEdit(add=everybody), actor="tests")
    for start in (0, 750):
        world.batch(*map(query, everybody[start : start + 750]))
    world.access(*everybody[-3:])
    assert world.counts() == {GETS_FLIGHT: MOST_ASKERS + 503}
    assert len(world.last()) == MOST_ASKERS


def test_strangers_take_no_room_from_members(world: World) -> None:
    strangers = [f"s{number}@example.com" for number in range(MOST_ASKERS)]
    world.batch(*map(query, strangers))
    world.access(*strangers[:5])
    world.access(ADA)
    assert set(world.last()) == {world.digest(ADA)}


def test_of_the_latest_so_many_are_kept_a_step(world: World, clock: Clock) -> None:
    for _ in range(LATEST + 20):
        clock.advance(0.1)
        world.access(STRANGER)
    latest = world.seen()
    assert len(latest) == LATEST
    assert latest[-1].answer.at == clock()
    world.batch(*[query()] * 100)
    assert len(world.seen()) == LATEST + 10


# When it cannot be kept


class Broken:
    """A store that fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise self.error

        return fail


@pytest.mark.parametrize(
    "error", [StoreUnavailable("away"), StoreFull("full"), RuntimeError("a mistake of ours")]
)
def test_what_cannot_be_written_is_dropped_and_no_answer_waits_or_fails(
    world: World, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    recorder = world.service.recorder
    monkeypatch.setattr("eligibility.activity.recorder._EVERY_S", 0.01)
    monkeypatch.setattr(recorder, "_store", Broken(error))
    recorder.start()
    for _ in range(50):
        world.access(ADA)
    ours = isinstance(error, RuntimeError)
    told = "Traceback" if ours else "activity cannot be stored and is lost"
    servers.until(lambda: told in caplog.text, "the thread to have tried")
    recorder._stop.set()
    assert recorder._thread is not None
    recorder._thread.join()
    monkeypatch.undo()
    if not ours:
        assert recorder.dropped > 0
        assert recorder.dropped + sum(world.counts().values()) == 50
        assert caplog.text.count(told) == 1


def test_a_full_disk_is_said_once_and_so_is_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder, store = world.service.recorder, world.service.activity
    monkeypatch.setattr(recorder, "_store", Broken(StoreFull("the disk is full")))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            world.access(ADA)
            recorder.flush()
        monkeypatch.setattr(recorder, "_store", store)
        world.access(ADA)
    assert world.counts() == {GETS_FLIGHT: 1}
    assert recorder.dropped == 3
    told = [one.getMessage() for one in caplog.records if one.name == "eligibility.activity"]
    assert told == [
        "activity cannot be stored and is lost: the store is unavailable: the disk is full",
        "activity is stored again",
    ]


def test_a_flush_waits_for_a_write_that_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, store = world.service.recorder, world.service.activity
    writing, go_on = Event(), Event()

    class Slow:
        def add(self, *arguments: Any) -> None:
            writing.set()
            assert go_on.wait(20)
            store.add(*arguments)

    monkeypatch.setattr(recorder, "_store", Slow())
    world.access(ADA)
    first = Thread(target=recorder.flush)
    first.start()
    assert writing.wait(20)
    second = Thread(target=recorder.flush)  # as of a page that reads afterwards
    second.start()
    second.join(0.2)
    assert second.is_alive()
    go_on.set()
    first.join()
    second.join()
    assert world.counts() == {GETS_FLIGHT: 1}


def test_decisions_on_a_product_that_is_gone_are_dropped(world: World) -> None:
    world.access(ADA)
    world.service.catalog.store.apply("contoso", {}, ["APP"], actor="tests")
    assert world.app.post("/v1/access", query(), world.key).status_code == 404
    assert world.counts() == {}
    assert world.service.recorder.dropped == 1


# What is kept, and how long


def test_nothing_is_kept_where_nothing_is_to_be(store_url: str, clock: Clock) -> None:
    with Service(Settings(store=store_url), clock) as service:
        stock(service)
        with asking(service) as app:
            World(app).access(ADA, STRANGER)
    with Service(Settings(store=store_url, activity_days=0), clock) as service:
        with asking(service) as app:
            world = World(app)
            service.recorder.prune()  # as the server does when it starts
            world.access(ADA)
            assert (world.counts(), world.last(), world.seen()) == ({}, {}, [])
        assert service.activity.publishers() == ()
        assert service.recorder.totals == {("flight", "FLIGHT_MEMBER"): 1}  # for /metrics


def test_a_store_where_nothing_was_ever_to_be_kept_has_no_file(
    store_url: str, clock: Clock
) -> None:
    with Service(Settings(store=store_url, activity_days=0), clock) as service:
        stock(service)
        with asking(service) as app:
            World(app).access(ADA)
    assert not beside(store_url).exists()


def test_what_is_older_than_the_setting_goes(store_url: str, clock: Clock) -> None:
    with Service(Settings(store=store_url, activity_days=2), clock) as service:
        stock(service)
        with asking(service) as app:
            world = World(app)
            world.access(ADA)
            clock.advance(86_400 * 2)
            world.access(GRACE)
            world.service.recorder.flush()
            service.recorder.prune()
            assert set(world.last()) == {world.digest(ADA), world.digest(GRACE)}
            clock.advance(1)
            service.recorder.prune()
            assert set(world.last()) == {world.digest(GRACE)}
            assert len(world.seen()) == 1


def ask_about_everybody(world: World) -> None:
    world.access(ADA, STRANGER)
    world.batch(query(GRACE))
    world.post("/v1/access", query() | {"account": {"id": "a@alias.example", "aliases": [ADA]}})
    assert world.counts()


def test_no_address_is_in_the_file(world: World, store_url: str) -> None:
    ask_about_everybody(world)
    path = beside(store_url)
    written = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    assert b"FLIGHT_MEMBER" in written
    assert b"example" not in written
    assert b"ada" not in written.lower()


def test_no_address_is_in_the_keys_of_a_server(clock: Clock) -> None:
    prefix = f"t{secrets.token_hex(6)}"
    url = servers.url("valkey")
    with (
        Service(Settings(store=f"{url}?prefix={prefix}"), clock) as service,
        world_of(service, clock) as world,
    ):
        ask_about_everybody(world)
    with Redis.from_url(url) as client:
        keys = [key for key in client.keys(f"{prefix}:*") if b":activity" in key]
        written = b"".join(key + client.dump(key) for key in keys)
    assert len(keys) > 5
    assert b"flight" in written
    assert b"example" not in written


def test_a_server_that_is_killed_takes_activity_with_it_and_nothing_else(
    clock: Clock,
) -> None:
    with (
        servers.valkey("--appendonly", "yes") as server,
        Service(Settings(store=server.url), clock) as service,
        world_of(service, clock) as world,
    ):
        world.access(ADA)
        server.kill()
        for _ in range(3):
            world.access(ADA)
            service.recorder.flush()
        assert service.recorder.dropped == 1 + 3
        server.start()
        servers.until(lambda: is_written(world), "activity to be written again")


def is_written(world: World) -> bool:
    world.access(ADA)
    world.service.recorder.flush()
    try:
        return bool(world.service.activity.last_answers("contoso", "APP"))
    except StoreUnavailable:
        return False


def beside(store_url: str) -> Path:
    return path_beside(Path(store_url.removeprefix("sqlite:///")))


# Forgetting


FORGET = "/v1/publishers/contoso/forget"


@pytest.mark.parametrize("written", [True, False], ids=["written", "pending in memory"])
def test_who_is_forgotten_over_http_is_forgotten_here_too(world: World, written: bool) -> None:
    world.access(ADA, GRACE)
    if written:
        world.counts()
    world.post(FORGET, {"address": ADA, "dry_run": True})
    if written:
        assert world.last_of(ADA) is not None
    world.post(FORGET, {"address": ADA.upper()})
    assert set(world.last()) == {world.digest(GRACE)}
    assert [one.digest for one in world.seen()] == [world.digest(GRACE)]
    assert world.counts() == {GETS_FLIGHT: 2}


def test_what_another_process_still_had_in_memory_is_not_written_after_all(
    world: World, store_url: str, clock: Clock
) -> None:
    world.access(GRACE)
    world.counts()
    with Service(Settings(store=store_url), clock) as other, asking(other) as app:
        World(app).access(ADA)  # pending there
        world.post(FORGET, {"address": ADA})
        other.recorder.flush()
    assert set(world.last()) == {world.digest(GRACE)}
    assert world.digest(ADA) not in {one.digest for one in world.seen()}
    clock.advance(FORGOTTEN_FOR.total_seconds() + 1)
    world.access(ADA)
    assert world.seen()[-1].digest == world.digest(ADA)


def test_nothing_of_whom_was_forgotten_stays_in_unused_pages_of_the_file(
    world: World, store_url: str
) -> None:
    odd = {"family": "Windows.Desktop", "os_version": "10.0.31337.7331"}
    everybody = [f"s{number}@example.com" for number in range(40)]
    world.access(*everybody)
    world.access(ADA, device=odd)
    world.counts()
    world.access(*everybody)
    world.counts()
    path = beside(store_url)
    assert b"10.0.31337.7331" in b"".join(one.read_bytes() for one in path.parent.iterdir())
    world.post(FORGET, {"address": ADA})
    assert b"10.0.31337.7331" not in b"".join(one.read_bytes() for one in path.parent.iterdir())


def test_a_stranger_who_asked_can_be_forgotten(world: World) -> None:
    world.access(STRANGER)
    assert len(world.seen()) == 1
    world.post(FORGET, {"address": STRANGER})
    assert world.seen() == []


@pytest.mark.parametrize("address", [ADA, STRANGER])
def test_the_command_forgets_here_too_and_only_when_it_does(
    world: World, store_url: str, address: str
) -> None:
    world.access(address, GRACE)
    world.counts()
    runner, told = CliRunner(), ["groups", "forget", address, "--store", store_url]
    assert runner.invoke(application(), [*told, "--dry-run"]).exit_code == 0
    assert len(world.seen()) == 2
    assert runner.invoke(application(), told).exit_code != 0  # nobody to ask
    assert len(world.seen()) == 2
    assert runner.invoke(application(), [*told, "--yes"]).exit_code == 0
    assert [one.digest for one in world.seen()] == [world.digest(GRACE)]
    assert set(world.last()) == {world.digest(GRACE)}


def test_commands_make_no_file(service: Service, store_url: str) -> None:
    stock(service)
    runner = CliRunner()
    for told in (
        ["groups", "list", "-P", "contoso"],
        ["check", "--product", "APP", "--account", ADA, "--family", "Desktop", "--os", "24H2"],
        ["groups", "forget", ADA, "--yes"],
        ["groups", "forget", STRANGER, "--yes"],
    ):
        assert runner.invoke(application(), [*told, "--store", store_url]).exit_code == 0
    assert not beside(store_url).exists()


# Processes


def test_workers_add_up_and_a_stop_writes_what_is_pending(store_url: str) -> None:
    with Service(Settings(store=store_url)) as service:
        stock(service)
    asked = 0
    with running(store_url, "--workers", "2") as server:
        for number in range(40):
            with server.http.stream("POST", "/v1/access", json=query()) as answer:
                answer.read()
            server.http.post("/v1/access", json=query(), headers={"connection": "close"})
            server.access({"queries": [query()] * (number % 3 + 1)}, "/v1/access/batch")
            asked += 2 + number % 3 + 1
    with Service(Settings(store=store_url)) as service:
        found = service.activity.counts("contoso", *EVER, by_minute=True)
        assert sum(one.decisions for one in found) == asked
        (last,) = service.activity.last_answers("contoso", "APP").values()
        assert last.flight_id == "f"


def test_a_copy_of_the_store_is_without_it(world: World, tmp_path: Path) -> None:
    ask_about_everybody(world)
    source = open_stores(world.service.settings.store)
    target = open_stores(f"sqlite:///{tmp_path / 'other' / 'store.db'}")
    try:
        assert copy(source, target).publishers
        assert target.activity.publishers() == ()
    finally:
        source.close()
        target.close()
    assert not list((tmp_path / "other").glob("*activity*"))

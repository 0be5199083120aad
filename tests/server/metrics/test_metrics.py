"""GET /metrics: what it counts, that workers add up, and that nothing in it is anybody's address."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from eligibility.callers.model import Scope
from eligibility.engine.histogram import Histogram
from eligibility.server.metrics import sharing as sharing_module
from eligibility.server.metrics.families import FAMILIES
from eligibility.server.metrics.sharing import Sharing, is_running, together
from eligibility.server.metrics.snapshot import ProcessMetrics
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.errors import StoreUnavailable
from groups.model import MembershipEdit
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.clock import Clock
from tests.helpers.machine import program
from tests.helpers.servers.application import App, asking
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import bearer, running
from tests.helpers.standards.authzen import EVALUATION, ask
from tests.helpers.stores import redis_servers as servers

ADA = "ada@example.com"
QUERY = {"product_id": "APP", "account": {"id": ADA}, "device": DESKTOP}
FLAGS = {"context": {"targetingKey": ADA, "device_family": "desktop", "os_version": "10.0.22631.0"}}
ACCESS = 'route="POST /v1/access",status="200"'

Numbers = dict[str, float]


def numbers_of(text: str) -> Numbers:
    """Each sample of a scrape, by its name and labels as they are written."""
    return {
        sample.name + (f"{{{labels}}}" if (labels := _labels(sample.labels)) else ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))


def stock(service: Service) -> None:
    group(service, "beta", ADA)
    put(service, "APP", product(flight("f", ["beta"], "2.0.0.0")))


class Scraped:
    """An application, and its numbers."""

    def __init__(self, app: App) -> None:
        self.app, self.service = app, app.service
        self.key = app.key(Scope.ADMIN)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        return self.app.post(path, body, self.key if headers is None else headers)

    def text(self) -> str:
        answer = self.app.ask("GET", "/metrics", self.app.key(Scope.METRICS))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        return answer.text

    def numbers(self) -> Numbers:
        return numbers_of(self.text())

    def requests(self) -> Numbers:
        """How many requests of each route and status."""
        begins = "eligibility_requests_total{"
        found = self.numbers()
        return {k.removeprefix(begins): n for k, n in found.items() if k.startswith(begins)}


@pytest.fixture
def scraped(service: Service, clock: Clock) -> Iterator[Scraped]:
    stock(service)
    clock.advance(3_600)
    with asking(service) as app:
        yield Scraped(app)


# What is counted


def test_before_anything_is_asked_every_metric_is_there(scraped: Scraped) -> None:
    told = {one.name for one in text_string_to_metric_families(scraped.text())}
    assert {f"eligibility_{one.name}" for one in FAMILIES} <= told
    assert {"eligibility_build_info", "process_resident_memory_bytes"} <= told


def test_requests_are_counted_by_route_and_status(scraped: Scraped) -> None:
    for _ in range(3):
        scraped.post("/v1/access", QUERY)
    scraped.post("/v1/access", QUERY, {})
    scraped.post("/v1/access", {**QUERY, "product_id": "NONE"})
    scraped.post("/v1/access/batch", {"queries": [QUERY] * 5})
    scraped.post(EVALUATION, ask())
    scraped.post(f"/contoso{EVALUATION}", ask())
    scraped.post("/ofrep/v1/evaluate/flags/flight:APP:f", FLAGS)
    scraped.post("/ofrep/v1/evaluate/flags", FLAGS)
    scraped.app.ask("GET", "/v1/access", scraped.key)
    scraped.app.ask("GET", "/v1/publishers/contoso/groups/beta", scraped.key)
    scraped.app.ask("GET", "/healthz")
    assert scraped.requests() == {
        f"{ACCESS}}}": 3,
        'route="POST /v1/access",status="401"}': 1,
        'route="POST /v1/access",status="404"}': 1,
        'route="POST /v1/access",status="405"}': 1,
        'route="POST /v1/access/batch",status="200"}': 1,
        'route="POST /access/v1/evaluation",status="200"}': 2,
        'route="POST /ofrep/v1/evaluate/flags/{key}",status="200"}': 1,
        'route="POST /ofrep/v1/evaluate/flags",status="200"}': 1,
        'route="GET /v1/publishers/{publisher}/groups/{group_id}",status="200"}': 1,
        'route="GET /healthz",status="200"}': 1,
    }
    found = scraped.numbers()
    assert {
        api: found[f'eligibility_request_seconds_count{{api="{api}"}}']
        for api in ("access", "batch", "authzen", "ofrep", "others")
    } == {"access": 6, "batch": 1, "authzen": 2, "ofrep": 2, "others": 3}
    assert found['eligibility_refusals_total{code="UNKNOWN_PRODUCT"}'] == 1
    assert found['eligibility_refusals_total{code="CREDENTIALS_MISSING"}'] == 1


def test_what_anybody_sends_makes_no_new_series(scraped: Scraped) -> None:
    for path in ("/v1/ada@example.com", "/x", "/y", "/v1/publishers/contoso/groups/a/b/c"):
        for method in ("GET", "BREW", "ADA"):
            scraped.app.ask(method, path, scraped.key)
    scraped.app.ask("BREW", "/v1/publishers/contoso/groups", scraped.key)
    scraped.app.ask("GET", "/v1/nothing")
    assert set(scraped.requests()) == {
        'route="unmatched",status="404"}',
        'route="unmatched",status="401"}',
        'route="unmatched",status="405"}',
    }


def test_decisions_are_counted_by_outcome_and_reason(scraped: Scraped) -> None:
    scraped.post("/v1/access", QUERY)
    scraped.post("/v1/access/batch", {"queries": [QUERY, {**QUERY, "account": None}]})
    scraped.post("/v1/access", {**QUERY, "at": "2026-06-01T12:30:00Z"})
    found = scraped.numbers()
    assert found['eligibility_decisions_total{outcome="flight",reason="FLIGHT_MEMBER"}'] == 2
    public = '{outcome="submission",reason="NON_FLIGHTED_SUBMISSION"}'
    assert found[f"eligibility_decisions_total{public}"] == 1
    assert len([one for one in found if one.startswith("eligibility_decisions")]) == 2


def test_what_is_held_and_its_revisions(scraped: Scraped) -> None:
    assert scraped.numbers()["eligibility_products_held"] == 0
    scraped.post("/v1/access", QUERY)
    group(scraped.service, "more", ADA)
    scraped.post("/v1/access", QUERY)
    found = scraped.numbers()
    assert found["eligibility_products_held"] == found["eligibility_members_held"] == 1
    assert found["eligibility_answers_held"] == 1
    scraped.post("/v1/access", QUERY)
    assert scraped.numbers()["eligibility_answers_held"] == 2  # the words of the query, too
    assert found["eligibility_members_held_bytes"] > 0
    assert found['eligibility_revision{of="groups",publisher="contoso"}'] == 2
    assert found['eligibility_revision{of="catalog",publisher="contoso"}'] == 1
    assert found["eligibility_workers"] == found["eligibility_store_up"] == 1
    assert found["eligibility_requests_under_way"] == 1  # the scrape


def test_how_long_a_write_took_to_be_in_force(scraped: Scraped, clock: Clock) -> None:
    scraped.post("/v1/access", QUERY)
    for wait, noted in ((0.02, 1), (3_000, 1), (0.3, 2)):  # nobody asked for fifty minutes
        add = (f"m{noted}{wait}@example.com",)
        scraped.service.groups.edit("contoso", "beta", MembershipEdit(add=add), actor="tests")
        clock.advance(wait)
        scraped.post("/v1/access", QUERY)
        found = scraped.numbers()
        assert found["eligibility_propagation_seconds_count"] == noted
    assert found["eligibility_propagation_seconds_sum"] == pytest.approx(0.32, abs=0.001)
    assert found['eligibility_propagation_seconds_bucket{le="0.025"}'] == 1


def test_a_store_that_is_away_shows(clock: Clock) -> None:
    with servers.valkey() as server, Service(Settings(store=server.url), clock) as service:
        stock(service)
        with asking(service) as app:
            scraped = Scraped(app)
            scraped.post("/v1/access", QUERY)
            before = scraped.numbers()
            assert (before["eligibility_store_up"], before["eligibility_stale_seconds"]) == (1, 0)
            server.kill()
            servers.until(lambda: is_away(service), "the loss to be seen")
            clock.advance(90)
            assert scraped.post("/v1/access", QUERY).status_code == 200
            missing = scraped.post("/v1/access", {**QUERY, "product_id": "NONE"})
            assert missing.status_code == 503
            found = scraped.numbers()
    assert found["eligibility_store_up"] == 0
    assert 90 <= found["eligibility_stale_seconds"] <= 91
    assert found["eligibility_stale_answers_total"] == 1
    assert found["eligibility_store_errors_total"] == 2
    assert found['eligibility_refusals_total{code="STORE_UNAVAILABLE"}'] == 1


def is_away(service: Service) -> bool:
    try:
        service.groups.change_token("contoso")
    except StoreUnavailable:
        return True
    return False


def test_no_address_is_in_it(scraped: Scraped) -> None:
    scraped.post("/v1/access", QUERY)
    scraped.post("/v1/access", {**QUERY, "account": {"id": "no address"}})
    scraped.app.ask("GET", f"/v1/publishers/{ADA}/groups", scraped.key)
    text = scraped.text()
    assert "example" not in text
    assert "ada" not in text


# Who may read it


def test_callers_need_the_scope_and_every_publisher(scraped: Scraped) -> None:
    app = scraped.app
    assert_problem(app.ask("GET", "/metrics"), 401, "CREDENTIALS_MISSING")
    assert_problem(app.ask("GET", "/metrics", app.key(Scope.QUERY)), 403, "SCOPE_MISSING")
    some = app.key(Scope.METRICS, publishers=["contoso"])
    assert_problem(app.ask("GET", "/metrics", some), 403, "ALL_PUBLISHERS_NEEDED")


def test_the_setting_opens_it_to_anybody_and_nothing_else(store_url: str) -> None:
    with Service(Settings(store=store_url, metrics_public=True)) as service, asking(service) as app:
        for headers in ({}, {"authorization": "Bearer nonsense"}, app.key(Scope.QUERY)):
            answer = app.ask("GET", "/metrics", headers)
            assert answer.status_code == 200
            assert "eligibility_requests_total" in answer.text
        assert_problem(app.ask("GET", "/v1/keys"), 401, "CREDENTIALS_MISSING")
        (operation,) = app.ask("GET", "/openapi.json").json()["paths"]["/metrics"].values()
        assert "x-scope" not in operation


def test_who_understands_openmetrics_gets_it(scraped: Scraped) -> None:
    headers = {**scraped.key, "accept": "application/openmetrics-text; version=1.0.0"}
    answer = scraped.app.ask("GET", "/metrics", headers)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_prometheus_finds_no_fault_with_it(scraped: Scraped) -> None:
    scraped.post("/v1/access", QUERY)
    assert faults(scraped.text()) == []


@pytest.mark.parametrize("wrong", ["garbage {{{\n", "eligibility_x 1\n"])
def test_prometheus_would_find_one(wrong: str) -> None:
    assert faults(wrong)


def faults(metrics: str) -> list[str]:
    """What Prometheus's own checker says of ours; names that others chose (process_...) are theirs."""
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=metrics, capture_output=True, text=True
    )
    told = checked.stderr.splitlines()
    if checked.returncode not in (0, 3):  # 3: read, and found wanting
        return told
    return [one for one in told if one.startswith("eligibility")]


# Several processes


def test_workers_add_up_and_a_counter_never_falls(store_url: str) -> None:
    with Service(Settings(store=store_url)) as service:
        stock(service)
    with running(store_url, "--workers", "2") as server:
        alone = {**bearer(server.key), "connection": "close"}  # so that both have some

        def asked(number: int) -> None:
            for _ in range(number):
                answer = server.http.post("/v1/access", json=QUERY, headers=alone)
                assert answer.status_code == 200

        def scrape() -> Numbers:
            return numbers_of(server.http.get("/metrics", headers=alone).text)

        requests = f"eligibility_requests_total{{{ACCESS}}}"
        servers.until(lambda: scrape()["eligibility_workers"] == 2, "two workers", 30)
        asked(40)
        for _ in range(5):  # whichever worker answers
            found = scrape()
            assert found[requests] == found['eligibility_request_seconds_count{api="access"}'] == 40
            decided = '{outcome="flight",reason="FLIGHT_MEMBER"}'
            assert found[f"eligibility_decisions_total{decided}"] == 40
            assert found["eligibility_workers"] == 2
        pids = workers_of(found)
        assert len(pids) == 2
        os.kill(pids[0], signal.SIGKILL)
        servers.until(lambda: set(workers_of(scrape())) - set(pids) != set(), "a new worker", 30)
        servers.until(lambda: scrape()["eligibility_workers"] == 2, "two workers")
        assert scrape()[requests] == 40
        asked(10)
        assert scrape()[requests] == 50
        assert pids[0] not in workers_of(scrape())


def workers_of(found: Numbers) -> list[int]:
    begins = 'process_cpu_seconds_total{pid="'
    return [int(one.removeprefix(begins)[:-2]) for one in found if one.startswith(begins)]


class Counting:
    """In the place of Metrics: a worker that has answered so many requests."""

    def __init__(self, requests: int) -> None:
        self.requests = requests
        self.waits = Event()
        self.waits.set()

    def snapshot(self) -> ProcessMetrics:
        self.waits.wait()
        return ProcessMetrics(
            os.getpid(), {("requests", "POST /v1/access", "200"): self.requests}, {}
        )


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sharing, Sharing, Any]]:
    """Two workers of 1 and 10 requests, and the second one's count."""
    monkeypatch.setattr(sharing_module, "_WAIT_S", 0.2)
    counts: list[Any] = [Counting(1), Counting(10)]
    with TemporaryDirectory() as directory:
        one, other = (Sharing(count, Path(directory)) for count in counts)
        one.start()
        other.start()
        yield one, other, counts[1]
        counts[1].waits.set()
        one.close()
        other.close()


def added(sharing: Sharing) -> float:
    numbers, _ = together(sharing.all())
    return numbers["requests", "POST /v1/access", "200"]


def test_a_worker_is_told_as_it_is_now_or_as_it_was_told_last(
    pair: tuple[Sharing, Sharing, Any], caplog: pytest.LogCaptureFixture
) -> None:
    one, other, count = pair
    assert added(one) == added(other) == 11
    count.requests = 20
    assert added(one) == 21
    count.requests = 30
    count.waits.clear()  # too busy to answer
    assert added(one) == 21
    assert "a worker did not send its metrics: timed out" in caplog.text
    count.waits.set()
    servers.until(lambda: added(one) == 31, "the worker to answer")
    other.close()
    count.requests = 40
    assert added(one) == 31


def test_a_worker_that_ends_halfway_is_told_as_it_was_told_last(
    pair: tuple[Sharing, Sharing, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _, count = pair
    assert added(one) == 11
    monkeypatch.setattr(sharing_module, "_pack", lambda _: b"\x93")
    count.requests = 20
    sharing_module._fetch(next(place for place in places(one) if place.stem != one._name))
    monkeypatch.undo()
    assert added(one) == 21


def places(sharing: Sharing) -> list[Path]:
    assert sharing._directory is not None
    return list(sharing._directory.glob("*.sock"))


def test_where_there_can_be_no_socket_the_server_runs_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    counting: Any = Counting(1)
    sharing = Sharing(counting, deep)
    sharing.start()
    assert "/metrics of other workers will not count this one" in caplog.text
    assert added(sharing) == 1
    sharing.close()


def test_of_a_process_that_ended_only_counters_are_left() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert not is_running(ended.pid)
    assert is_running(os.getpid())
    made = [
        ProcessMetrics(
            pid,
            {("store_errors",): errors, ("workers",): 1, ("stale_seconds",): age},
            {("request_seconds", "access"): [1.0, errors]},
        )
        for pid, errors, age in ((os.getpid(), 1.0, 5.0), (ended.pid, 2.0, 50.0))
    ]
    numbers, histograms = together(made)
    assert numbers == {("store_errors",): 3, ("workers",): 1, ("stale_seconds",): 5}
    assert histograms == {("request_seconds", "access"): [2, 3]}


@given(st.lists(st.floats(0, 10)))
def test_a_histogram_counts_each_in_the_first_bucket_that_holds_it(values: list[float]) -> None:
    bounds = (0.5, 1.0, 5.0)
    made = Histogram(bounds)
    for value in values:
        made.add(value)
    expected = [sum(value <= bound for value in values) for bound in bounds]
    *counts, total = made.numbers()
    assert [sum(counts[: place + 1]) for place in range(3)] == expected
    assert sum(counts) == len(values)
    assert total == pytest.approx(sum(values))

"""Traces: a span a request, what it tells and what it does not, and that it arrives."""

import gzip
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from typer.testing import CliRunner

from eligibility.app import app as application
from eligibility.app.app import create_app
from eligibility.cli.app import application as command_line
from eligibility.errors import InvalidSettings
from eligibility.server.http.traces import Traces
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.servers.application import App, asking
from tests.helpers.servers.process import running

ADA = "ada@example.com"
QUERY = {"product_id": "APP", "account": {"id": ADA}, "device": DESKTOP}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def stock(service: Service) -> None:
    group(service, "beta", ADA)
    put(service, "APP", product(flight("f", ["beta"], "2.0.0.0")))


class Traced:
    """An application whose spans are kept."""

    def __init__(self, app: App, kept: InMemorySpanExporter, traces: Traces) -> None:
        self.app, self._kept, self._traces = app, kept, traces
        self.key = app.key("admin")

    def post(self, path: str, body: Any, **headers: str) -> None:
        self.app.post(path, body, {**self.key, **headers})

    def spans(self) -> tuple[ReadableSpan, ...]:
        self._traces._provider.force_flush()
        return self._kept.get_finished_spans()


@contextmanager
def traced_by(service: Service, share: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    kept = InMemorySpanExporter()
    traces = Traces(kept, share)
    monkeypatch.setattr(application, "traces_of", lambda _: traces)
    with asking(service) as app:
        yield Traced(app, kept, traces)
    traces.close()


@pytest.fixture
def traced(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    stock(service)
    with traced_by(service, 1.0, monkeypatch) as made:
        yield made


def test_a_span_tells_route_status_product_and_outcome(traced: Traced) -> None:
    traced.post("/v1/access", QUERY)  # from the store
    traced.post("/v1/access", QUERY)  # from memory
    traced.post("/v1/access/batch", {"queries": [QUERY]})
    traced.app.ask("GET", "/v1/publishers/contoso/groups/beta", traced.key)
    traced.post("/v1/access", {**QUERY, "product_id": "NONE"})
    traced.app.ask("BREW", f"/{ADA}", traced.key)
    told = [(span.name, dict(span.attributes or {})) for span in traced.spans()]
    access = {"http.route": "/v1/access", "http.request.method": "POST"}
    decided = {
        "http.response.status_code": 200,
        "eligibility.product_id": "APP",
        "eligibility.outcome": "flight",
        "eligibility.reason": "FLIGHT_MEMBER",
    }
    path = "/v1/publishers/{publisher}/groups/{group_id}"
    nobodys = {"http.route": "unmatched", "http.request.method": "_OTHER"}
    ok = {"http.response.status_code": 200}
    missing = {"http.response.status_code": 404}
    assert told == [
        ("POST /v1/access", access | decided),
        ("POST /v1/access", access | decided),
        ("POST /v1/access/batch", access | {"http.route": "/v1/access/batch"} | ok),
        (f"GET {path}", {"http.route": path, "http.request.method": "GET"} | ok),
        ("POST /v1/access", access | missing | {"error.type": "UNKNOWN_PRODUCT"}),
        ("unmatched", nobodys | missing | {"error.type": "NO_SUCH_PATH"}),
    ]
    assert "example" not in repr([span.to_json() for span in traced.spans()])


def test_a_span_lasts_as_long_as_the_request_and_fails_with_it(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced.post("/v1/access", QUERY)
    (span,) = traced.spans()
    assert span.start_time is not None
    assert span.end_time is not None
    assert 0 < span.end_time - span.start_time < 30e9
    assert span.status.status_code is StatusCode.UNSET
    monkeypatch.setattr(traced.app.service.evaluator, "_products", None)
    traced.post("/v1/access", QUERY)
    assert traced.spans()[-1].status.status_code is StatusCode.ERROR


def test_a_trace_goes_on_and_others_begin_by_share(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(service)
    with traced_by(service, 0.0, monkeypatch) as traced:
        traced.post("/v1/access", QUERY)
        traced.post("/v1/access", QUERY, traceparent=PARENT[:-1] + "0")
        assert traced.spans() == ()
        traced.post("/v1/access", QUERY, traceparent=PARENT)
        traced.post("/v1/access", QUERY, traceparent="nonsense")
        (span,) = traced.spans()
        assert span.context is not None
        assert span.parent is not None
        assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
        assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]


def test_without_the_setting_there_are_none(service: Service) -> None:
    assert create_app(service)._observers.traces is None


def test_what_is_not_installed_is_said_before_anything_listens(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.setenv("ELIGIBILITY_TRACES_TO", "http://127.0.0.1:4318/v1/traces")
    ran = CliRunner().invoke(command_line("serve"), ["serve", "--store", store_url])
    assert isinstance(ran.exception, InvalidSettings)
    assert "traces_to" in str(ran.exception)
    assert "flight-eligibility[tracing]" in str(ran.exception)


class Collector(BaseHTTPRequestHandler):
    """Takes what an OpenTelemetry collector takes."""

    received: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        packed = self.headers.get("content-encoding") == "gzip"
        self.received.append(gzip.decompress(body) if packed else body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_spans_arrive_at_a_collector_when_the_server_stops(store_url: str) -> None:
    Collector.received = []
    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        with Service(Settings(store=store_url)) as service:
            stock(service)
        traces_to = f"http://127.0.0.1:{collector.server_port}/v1/traces"
        env = {"ELIGIBILITY_TRACES_TO": traces_to, "ELIGIBILITY_TRACES_SHARE": "1"}
        with running(store_url, **env) as server:
            server.access(QUERY)
        collector.shutdown()
    names = set()
    for one in Collector.received:
        request = ExportTraceServiceRequest.FromString(one)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                names |= {span.name for span in scope.spans}
    assert "POST /v1/access" in names
    assert b"example" not in b"".join(Collector.received)

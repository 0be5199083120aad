"""Send an OpenTelemetry span for each request, if the settings name a collector.

A span has the route, status, error code, product and outcome, but never an address or a caller. It
continues the trace in the request's header `traceparent`. Needs the extra `tracing`.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from eligibility import __version__
from eligibility.errors import Fault, InvalidSettings
from eligibility.explain.outcome import outcome_of
from eligibility.server.http.exchange import HttpExchange
from eligibility.service.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_MISSING = "the extra `tracing` is not installed: pip install 'flight-eligibility[tracing]'"


class Traces:
    """Creates spans. share: fraction (0 to 1) of the requests without `traceparent` to trace."""

    def __init__(self, exporter: "SpanExporter", share: float) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource.create({"service.name": "eligibility", "service.version": __version__})
        self._provider = TracerProvider(
            ParentBasedTraceIdRatio(share), resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("eligibility", __version__)
        self._extract = TraceContextTextMapPropagator().extract
        self._server, self._error = SpanKind.SERVER, StatusCode.ERROR

    def note(self, exchange: HttpExchange, headers: Mapping[bytes, bytes], route: str) -> None:
        """Create the span of a request that has ended."""
        took = int((time.perf_counter() - exchange.began) * 1e9)
        ended = time.time_ns()
        carrier = {
            name: headers[name.encode()].decode("latin-1")
            for name in ("traceparent", "tracestate")
            if name.encode() in headers
        }
        span = self._tracer.start_span(
            route, self._extract(carrier), self._server, start_time=ended - took
        )
        if span.is_recording():
            span.set_attributes(_attributes(exchange, route))
            if (exchange.status or 500) >= 500:
                span.set_status(self._error)
        span.end(ended)

    def close(self) -> None:
        """Send the remaining spans."""
        self._provider.shutdown()


def traces_of(settings: Settings) -> Traces | None:
    """Build Traces; None if tracing is off. Raises: InvalidSettings if the extra is not installed."""
    if settings.traces_to is None:
        return None
    return Traces(exporters()(settings.traces_to), settings.traces_share)


def exporters() -> "Callable[[str], SpanExporter]":
    """Return the exporter class, which takes a URL. Raises: InvalidSettings without the extra."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise InvalidSettings("settings", [Fault("traces_to", "MISSING", _MISSING)]) from None
    return OTLPSpanExporter


def _attributes(exchange: HttpExchange, route: str) -> dict[str, Any]:
    """Return a span's attributes. Names without `eligibility` at the beginning are OpenTelemetry's."""
    method, _, path = route.rpartition(" ")
    attributes: dict[str, Any] = {"http.route": path, "http.request.method": method or "_OTHER"}
    if exchange.status is not None:
        attributes["http.response.status_code"] = exchange.status
    if exchange.error is not None:
        attributes["error.type"] = getattr(exchange.error, "code", "INTERNAL_ERROR")
    if exchange.decision is not None:
        outcome = outcome_of(exchange.decision)
        attributes["eligibility.product_id"] = exchange.decision.product_id
        attributes["eligibility.outcome"] = outcome.kind
        attributes["eligibility.reason"] = outcome.reasons[0]
    return attributes

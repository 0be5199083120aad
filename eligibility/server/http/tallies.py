"""Count requests by route and status, and their time. Not thread-safe: for the event loop only."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eligibility.engine.histogram import Histogram
from eligibility.server.http.endpoint import Endpoint
from eligibility.server.http.exchange import HttpExchange

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the histogram's buckets, in seconds."""
OTHERS = "others"
_CLIENT_LEFT = 499
"""The status that is counted if the client disconnected before a status was sent."""
_UNMATCHED = "unmatched"
"""Counted as the route of requests without a route, because their path and method may be anything."""


@dataclass(eq=False, slots=True)
class RouteCounter:
    """The requests of a route, such as `POST /v1/access`. Routes may share the histogram `took`."""

    route: str
    took: Histogram
    statuses: Counter[int] = field(default_factory=Counter)


class RouteCounters:
    """Counts every request. endpoints: the gate's, by route, such as `POST /v1/access`."""

    def __init__(self, endpoints: Mapping[str, Endpoint[Any]]) -> None:
        self.took: dict[str, Histogram] = {}
        self.routes: dict[str, RouteCounter] = {}
        self.refusals: Counter[str] = Counter()
        self._took_others = self._histogram(OTHERS)
        self._endpoints = {
            endpoint: self._counter(route, self._histogram(api_of(route)))
            for route, endpoint in endpoints.items()
        }

    def note(self, exchange: HttpExchange, endpoint: Endpoint[Any] | None) -> RouteCounter:
        """Count a request that was answered or whose sender disconnected; return its route's counter."""
        counter = (endpoint and self._endpoints.get(endpoint)) or self._other(exchange)
        counter.statuses[exchange.status or _CLIENT_LEFT] += 1
        took, seconds = counter.took, time.perf_counter() - exchange.began
        took.counts[bisect_left(SECONDS, seconds)] += 1  # Histogram.add, inlined for speed
        took.total += seconds
        if exchange.error is not None:
            self.refusals[getattr(exchange.error, "code", "INTERNAL_ERROR")] += 1
        return counter

    def _other(self, exchange: HttpExchange) -> RouteCounter:
        matched, method = exchange.scope.get("route"), exchange.scope["method"]
        route = _UNMATCHED
        if matched is not None and method in (matched.methods or ()):
            route = f"{method} {matched.path}"
        return self.routes.get(route) or self._counter(route, self._took_others)

    def _counter(self, route: str, took: Histogram) -> RouteCounter:
        counter = self.routes[route] = RouteCounter(route, took)
        return counter

    def _histogram(self, api: str) -> Histogram:
        return self.took.setdefault(api, Histogram(SECONDS))


def api_of(route: str) -> str:
    """Return the API that a route belongs to: access, batch, authzen, ofrep or others."""
    path = route.partition(" ")[2]
    if "/access/v1/" in path:
        return "authzen"
    if path.startswith("/ofrep/"):
        return "ofrep"
    return {"/v1/access": "access", "/v1/access/batch": "batch"}.get(path, OTHERS)

"""Tallies: requests counted by route and status, with how long they took. For the event loop alone."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from eligibility.engine.histogram import Histogram
from eligibility.server.http.endpoint import Endpoint
from eligibility.server.http.exchange import HttpExchange

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
OTHERS = "others"
_LEFT = 499
"""The status of a request whose sender went away; none was sent."""
_UNMATCHED = "unmatched"
"""The route of what is nobody's: path and method may be anything that somebody sent."""


class RouteCounter:
    """The requests of one route, as `POST /v1/access`; `took` may be shared by several."""

    __slots__ = ("route", "statuses", "took")

    def __init__(self, route: str, took: Histogram) -> None:
        self.route = route
        self.statuses: Counter[int] = Counter()
        self.took = took


class RouteCounters:
    """Every request of a process.

    endpoints: those that the gate answers, with their routes as `POST /v1/access`. A route's API is
    what its latency is told under.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint[Any]]) -> None:
        self.took: dict[str, Histogram] = {}
        self.routes: dict[str, RouteCounter] = {}
        self.refusals: Counter[str] = Counter()
        self._endpoints = {one: self._tally(route) for route, one in endpoints.items()}
        self._took_others = self._histogram(OTHERS)

    def note(self, exchange: HttpExchange, endpoint: Endpoint[Any] | None) -> RouteCounter:
        """Count a request that was answered, or whose sender went away; under what it was."""
        tally = (endpoint and self._endpoints.get(endpoint)) or self._other(exchange)
        tally.statuses[exchange.status or _LEFT] += 1
        tally.took.add(time.perf_counter() - exchange.began)
        if exchange.error is not None:
            self.refusals[getattr(exchange.error, "code", "INTERNAL_ERROR")] += 1
        return tally

    def _other(self, exchange: HttpExchange) -> RouteCounter:
        matched, method = exchange.scope.get("route"), exchange.scope["method"]
        route = _UNMATCHED
        if matched is not None and method in (matched.methods or ()):
            route = f"{method} {matched.path}"
        tally = self.routes.get(route)
        if tally is None:
            tally = self.routes[route] = RouteCounter(route, self._took_others)
        return tally

    def _tally(self, route: str) -> RouteCounter:
        tally = self.routes[route] = RouteCounter(route, self._histogram(api_of(route)))
        return tally

    def _histogram(self, api: str) -> Histogram:
        return self.took.setdefault(api, Histogram(SECONDS))


def api_of(route: str) -> str:
    """The API that a route is of: access, batch, authzen, ofrep or others."""
    path = route.partition(" ")[2]
    if "/access/v1/" in path:
        return "authzen"
    if path.startswith("/ofrep/"):
        return "ofrep"
    return {"/v1/access": "access", "/v1/access/batch": "batch"}.get(path, OTHERS)

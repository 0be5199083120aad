"""Gate: the way in. Every request gets an id, a caller and a turn, or is refused.

The gate checks in this order: how much is under way (503), who asks (401), how often (429). Only then
does it call the route. It answers access queries and the standards' endpoints itself, at the price of a
few calls; everything else goes on to FastAPI.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Match

from eligibility.engine.decision_cache import DecisionBody
from eligibility.errors import EligibilityError
from eligibility.server.http import problems
from eligibility.server.http.asgi import AsgiScope, Receive, Send
from eligibility.server.http.authentication import (
    AuthenticatedCaller,
    Authenticator,
    credentials,
)
from eligibility.server.http.endpoint import Endpoint, EndpointPaths
from eligibility.server.http.exchange import HttpExchange, whole_body
from eligibility.server.http.limits import SMALL_DIGITS, Overloaded, ProcessLoad
from eligibility.server.http.logs import RequestLog
from eligibility.server.http.tallies import RouteCounters
from eligibility.server.http.traces import Traces
from groups.errors import GroupsError

_OPEN_FAMILIES = ("/.well-known/", "/dashboard")
"""Paths below these are open to everybody: documents that tell clients where to ask, and pages, which
ask for a session in place of an `authorization` header."""
_NOT_LOGGED = (200, 304)
"""An endpoint's answers with these statuses are logged only where the settings ask for all."""

_log = logging.getLogger("eligibility.server")


@dataclass(frozen=True, slots=True)
class Observers:
    """What notes every answered request: the counters, the log and, where the settings say so, traces."""

    counters: RouteCounters
    log: RequestLog
    traces: Traces | None = None

    def note(
        self, exchange: HttpExchange, headers: dict[bytes, bytes], endpoint: Endpoint[Any] | None
    ) -> None:
        """Note a request that was answered, or whose sender went away."""
        counter = self.counters.note(exchange, endpoint)
        if self.traces is not None:
            self.traces.note(exchange, headers, counter.route)
        if self.log.logs_all or endpoint is None or exchange.status not in _NOT_LOGGED:
            self.log.note(exchange)


class Gate:
    """The ASGI application: answers the endpoints itself, and stands in front of all other routes.

    others: FastAPI's routes; they find `scope["exchange"]`, whose `authenticated` is the caller.
    public_paths: what anybody may have of them.
    """

    def __init__(
        self,
        paths: EndpointPaths,
        authenticator: Authenticator,
        load: ProcessLoad,
        observers: Observers,
        others: Starlette,
        max_body_bytes: int,
        public_paths: Collection[str],
    ) -> None:
        self._paths, self._others = paths, others
        self._authenticator = authenticator
        self._load = load
        self._observers, self._logs_all = observers, observers.log.logs_all
        self._keeps_decisions = observers.traces is not None
        self._public_paths = public_paths
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request; an error goes out in its endpoint's own form, or as a problem."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        headers = dict(scope["headers"])
        exchange = HttpExchange(scope, headers.get(b"x-request-id") or None, send)
        path = scope["path"]
        endpoint = self._paths.by_path.get(path) or self._paths.endpoint(path)
        load = self._load
        if load.requests >= load.most_requests and path != "/healthz":  # busy is not dead
            await exchange.refuse(Overloaded(f"{load.most_requests} requests"), endpoint)
        else:
            load.requests += 1
            length = headers.get(b"content-length")
            is_small = length is not None and len(length) <= SMALL_DIGITS
            counted_receive = receive if is_small else load.counted(headers, receive)
            try:
                if endpoint is None:
                    await self._pass_on(exchange, headers, counted_receive)
                else:
                    await self._answer(endpoint, exchange, headers, counted_receive)
            except (EligibilityError, GroupsError) as error:
                await exchange.refuse(error, endpoint)
            except Exception:  # noqa: BLE001 - the last resort: logged, and answered as a problem
                _log.exception("request %s failed", exchange.logged_id)
                await exchange.refuse(problems.internal_error(), endpoint)
            finally:
                load.requests -= 1
                if counted_receive is not receive:
                    load.let_go(counted_receive)
        if endpoint is None and "router" not in scope:  # refused before FastAPI looked for a route
            scope["route"] = self._other_route(scope)
        self._observers.note(exchange, headers, endpoint)

    async def _answer(
        self,
        endpoint: Endpoint[Any],
        exchange: HttpExchange,
        headers: dict[bytes, bytes],
        receive: Receive,
    ) -> None:
        """Have an endpoint answer; in a thread where memory alone cannot."""
        by = await self._authenticate(exchange, headers)
        head = endpoint.check(exchange.scope, headers, by)
        message = await receive()
        body = message.get("body", b"")
        if message.get("more_body") or len(body) > self._max_body_bytes:
            body = await whole_body(message, receive, self._max_body_bytes)
        answer = endpoint.answer(body, head, by)
        if callable(answer):
            answer = await run_in_threadpool(answer)
        if self._keeps_decisions and isinstance(answer, DecisionBody):
            exchange.decision = answer.decision
        if isinstance(answer, bytes):
            await exchange.send_json(answer, self._logs_all)
        else:
            await exchange.send(answer)

    async def _pass_on(
        self, exchange: HttpExchange, headers: dict[bytes, bytes], receive: Receive
    ) -> None:
        """Let FastAPI answer, once the caller is known."""
        scope = exchange.scope
        path = scope["path"]
        if path not in self._public_paths and not path.startswith(_OPEN_FAMILIES):
            await self._authenticate(exchange, headers)
        scope["exchange"] = exchange
        await self._others(scope, receive, exchange.send_others)

    async def _authenticate(
        self, exchange: HttpExchange, headers: dict[bytes, bytes]
    ) -> AuthenticatedCaller:
        """Find out who asks, and count the request against the caller's allowance."""
        authorization = credentials(headers)
        by = self._authenticator.known(authorization)
        if by is None:
            by = await run_in_threadpool(self._authenticator.authenticate, authorization)
        exchange.authenticated = by
        if by.allowance is not None:
            by.allowance.take()
        return by

    def _other_route(self, scope: AsgiScope) -> object:
        """Find FastAPI's route of a request, for counters and log; None where there is none."""
        for route in self._others.routes:
            match, matched_scope = route.matches(scope)
            if match is Match.FULL:
                return matched_scope.get("route", route)
        return None

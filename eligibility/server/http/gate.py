"""The gate: the entry point of every request.

It checks, in this order, the load of the process (503), the caller (401) and the caller's rate (429).
Then it answers access queries and the standards' endpoints itself, which takes only a few calls, and
passes all other requests to FastAPI.
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
from eligibility.server.http.authentication import AuthenticatedCaller, Authenticator, credentials
from eligibility.server.http.endpoint import Endpoint, EndpointPaths
from eligibility.server.http.exchange import HttpExchange, whole_body
from eligibility.server.http.limits import SMALL_DIGITS, Overloaded, ProcessLoad
from eligibility.server.http.logs import RequestLog
from eligibility.server.http.tallies import RouteCounters
from eligibility.server.http.traces import Traces
from groups.errors import GroupsError

_OPEN_FAMILIES = ("/.well-known/", "/dashboard")
"""Paths below these need no credentials here: documents for the configuration of clients, and pages,
which require a session instead of an `authorization` header."""
_NOT_LOGGED = (200, 304)
"""Answers of endpoints with these statuses are logged only if the settings ask for all requests."""

_log = logging.getLogger("eligibility.server")


@dataclass(frozen=True, slots=True)
class Observers:
    """Records requests: in the counters, in the log and, if the settings ask for it, as traces."""

    counters: RouteCounters
    log: RequestLog
    traces: Traces | None = None

    def note(
        self, exchange: HttpExchange, headers: dict[bytes, bytes], endpoint: Endpoint[Any] | None
    ) -> None:
        """Record a request that was answered, or whose sender disconnected."""
        counter = self.counters.note(exchange, endpoint)
        if self.traces is not None:
            self.traces.note(exchange, headers, counter.route)
        if self.log.logs_all or endpoint is None or exchange.status not in _NOT_LOGGED:
            self.log.note(exchange)


class Gate:
    """The ASGI application: answers the endpoints itself, and passes other requests to FastAPI.

    others: the FastAPI application; its routes read the caller from `scope["exchange"].authenticated`.
    public_paths: paths of `others` that need no credentials.
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
        """Answer a request. Errors are sent in the form of the endpoint, or as a problem (RFC 9457)."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        headers = dict(scope["headers"])
        exchange = HttpExchange(scope, headers.get(b"x-request-id") or None, send)
        path = scope["path"]
        endpoint = self._paths.by_path.get(path) or self._paths.endpoint(path)
        load = self._load
        if load.requests >= load.most_requests and path != "/healthz":  # alive, even if busy
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
            except Exception:  # noqa: BLE001 - any other error is logged and answered with 500
                _log.exception("request %s failed", exchange.logged_id)
                await exchange.refuse(problems.internal_error(), endpoint)
            finally:
                load.requests -= 1
                if counted_receive is not receive:
                    load.let_go(counted_receive)
        if endpoint is None and "router" not in scope:  # refused before FastAPI found the route
            scope["route"] = self._other_route(scope)
        self._observers.note(exchange, headers, endpoint)

    async def _answer(
        self,
        endpoint: Endpoint[Any],
        exchange: HttpExchange,
        headers: dict[bytes, bytes],
        receive: Receive,
    ) -> None:
        """Let an endpoint answer: from memory, or in a thread if it needs the store."""
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
        """Authenticate the caller, unless the path is public, and let FastAPI answer."""
        scope = exchange.scope
        path = scope["path"]
        if path not in self._public_paths and not path.startswith(_OPEN_FAMILIES):
            await self._authenticate(exchange, headers)
        scope["exchange"] = exchange
        await self._others(scope, receive, exchange.send_others)

    async def _authenticate(
        self, exchange: HttpExchange, headers: dict[bytes, bytes]
    ) -> AuthenticatedCaller:
        """Find the caller, and charge the request to the caller's rate limit."""
        authorization = credentials(headers)
        by = self._authenticator.known(authorization)
        if by is None:
            by = await run_in_threadpool(self._authenticator.authenticate, authorization)
        exchange.authenticated = by
        if by.allowance is not None:
            by.allowance.take()
        return by

    def _other_route(self, scope: AsgiScope) -> object:
        """Find FastAPI's route for a request, for the counters and the log; None if there is no route."""
        for route in self._others.routes:
            match, matched_scope = route.matches(scope)
            if match is Match.FULL:
                return matched_scope.get("route", route)
        return None

"""The way in: every request gets an id, a caller, and a place among those under way, or is refused.

In order: too much under way (503), who asks (401), how often (429); only then the route. Access
queries are answered from here, at the price of a few calls; everything else goes on to FastAPI.
"""

import logging
from collections.abc import Collection
from typing import Any

from starlette.concurrency import run_in_threadpool

from eligibility.engine.decision_cache import DecisionBody as Told
from eligibility.errors import EligibilityError
from eligibility.server.http import problems
from eligibility.server.http.asgi import Application, AsgiScope, Receive, Send
from eligibility.server.http.authentication import AuthenticatedCaller, Authenticator, credentials
from eligibility.server.http.endpoint import Endpoint, EndpointPaths
from eligibility.server.http.exchange import HttpExchange
from eligibility.server.http.logs import RequestLog
from eligibility.server.http.rate_limit import Overloaded, ProcessLoad
from eligibility.server.http.strict_route import whole_body
from eligibility.server.http.tallies import RouteCounters
from eligibility.server.http.traces import Traces
from groups.errors import GroupsError

_OPEN = ("/.well-known/", "/dashboard")
"""What is below these is open, too: documents that tell clients where to ask, and pages, which ask for
a session in place of an `authorization` header."""
_WENT_WELL = (200, 304)
"""Statuses of endpoints that are not worth a line of log each."""

_log = logging.getLogger("eligibility.server")


class Gate:
    """The ASGI application: answers endpoints itself, and is in front of all other routes.

    others find `scope["exchange"]`, whose `admitted` tells the caller.
    """

    def __init__(
        self,
        paths: EndpointPaths,
        admission: Authenticator,
        load: ProcessLoad,
        log: RequestLog,
        tallies: RouteCounters,
        others: Application,
        max_body_bytes: int,
        public_paths: Collection[str],
        traces: Traces | None = None,
    ) -> None:
        self._paths = paths
        self._admission = admission
        self._load = load
        self._log, self._logs_all = log, log.access_too
        self._note = tallies.note
        self._others = others
        self._public_paths = public_paths
        self._traces = traces
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request; every error is told as its endpoint tells errors, or as a problem."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        headers = dict(scope["headers"])
        exchange = HttpExchange(scope, headers.get(b"x-request-id") or None, send)
        endpoint = self._paths.endpoint(scope["path"])
        load = self._load
        if load.requests >= load.most_requests and scope["path"] != "/healthz":  # it is alive
            await exchange.refuse(Overloaded(f"{load.most_requests} requests"), endpoint)
            self._note(exchange, None)
            self._log.note(exchange)
            return
        load.requests += 1
        intake = load.counted(headers, receive)
        try:
            if endpoint is None:
                await self._pass_on(exchange, headers, intake)
            else:
                await self._answer(endpoint, exchange, headers, intake)
        except (EligibilityError, GroupsError) as error:
            await exchange.refuse(error, endpoint)
        except Exception:  # noqa: BLE001 - the last resort: logged, and told as a problem
            _log.exception("request %s failed", exchange.logged_id)
            await exchange.refuse(problems.internal_error(), endpoint)
        finally:
            load.requests -= 1
            if intake is not receive:
                load.let_go(intake)
        tally = self._note(exchange, endpoint)
        if self._traces is not None:
            self._traces.note(exchange, headers, tally.route)
        if self._logs_all or endpoint is None or exchange.status not in _WENT_WELL:
            self._log.note(exchange)

    async def _answer(
        self,
        endpoint: Endpoint[Any],
        exchange: HttpExchange,
        headers: dict[bytes, bytes],
        receive: Receive,
    ) -> None:
        """Have an endpoint answer, in a thread where memory cannot."""
        authorization = credentials(headers)
        admitted = self._admission.known(authorization) or await self._admitted(authorization)
        exchange.admitted = admitted
        if admitted.allowance is not None:
            admitted.allowance.take()
        head = endpoint.check(exchange.scope, headers, admitted)
        message = await receive()
        body = message.get("body", b"")
        if message.get("more_body") or len(body) > self._max_body_bytes:
            body = await whole_body(message, receive, self._max_body_bytes)
        answer = endpoint.answer(body, head, admitted)
        if callable(answer):
            answer = await run_in_threadpool(answer)
        if self._traces is not None and isinstance(answer, Told):
            exchange.decision = answer.decision
        if isinstance(answer, bytes):
            await exchange.send_json(answer, self._logs_all)
        else:
            await exchange.send(answer)

    async def _pass_on(
        self, exchange: HttpExchange, headers: dict[bytes, bytes], receive: Receive
    ) -> None:
        """Let FastAPI answer, once it is known who asks."""
        scope = exchange.scope
        if not self._is_public(scope["path"]):
            authorization = credentials(headers)
            admitted = self._admission.known(authorization) or await self._admitted(authorization)
            exchange.admitted = admitted
            if admitted.allowance is not None:
                admitted.allowance.take()
        scope["exchange"] = exchange
        await self._others(scope, receive, exchange.send_others)

    def _is_public(self, path: str) -> bool:
        """Whether anybody may have a path, as far as the gate is concerned."""
        return path in self._public_paths or path.startswith(_OPEN)

    async def _admitted(self, authorization: bytes | None) -> AuthenticatedCaller:
        return await run_in_threadpool(self._admission.admit, authorization)

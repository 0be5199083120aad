"""The way in: every request gets an id, a caller, and a place among those under way, or is refused.

In order: too much under way (503), who asks (401), how often (429); only then the route. Access
queries are answered from here, at the price of a few calls; everything else goes on to FastAPI.
"""

import logging
import re

from starlette.concurrency import run_in_threadpool

from eligibility.callers.model import Scope as CallerScope
from eligibility.errors import EligibilityError
from eligibility.server import docs_page, problems
from eligibility.server.access import Access, wants_trace
from eligibility.server.admission import Admission, Admitted
from eligibility.server.asgi import Application, Receive, Scope, Send
from eligibility.server.exchange import Exchange
from eligibility.server.load import Load, Overloaded
from eligibility.server.problems import RequestProblem
from eligibility.server.request_log import RequestLog
from eligibility.server.requests import JSON_HEADER, check_content_type, whole_body
from groups.errors import GroupsError

PUBLIC_PATHS = docs_page.PATHS | {"/healthz", "/readyz", "/openapi.json"}
"""What anybody may see: whether the server is well, and what it offers."""

_PLAIN_ID = re.compile(rb"[A-Za-z0-9._:/+=|~-]{1,128}")
"""A request id as it may be sent; any other could be an address, and would stand in logs."""

_log = logging.getLogger("eligibility.server")


class Gate:
    """The ASGI application: access queries itself, and in front of all other routes.

    others find `scope["exchange"]`, whose `admitted` tells the caller.
    """

    def __init__(
        self,
        access: Access,
        admission: Admission,
        load: Load,
        log: RequestLog,
        others: Application,
        max_body_bytes: int,
    ) -> None:
        self._routes = access.routes
        self._admission = admission
        self._load = load
        self._log, self._logs_all = log, log.access_too
        self._others = others
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; every error becomes a problem."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        headers = dict(scope["headers"])
        sent_id = headers.get(b"x-request-id")
        if sent_id is not None and not _PLAIN_ID.fullmatch(sent_id):
            sent_id = None
        exchange = Exchange(scope, sent_id, send)
        load = self._load
        if load.requests >= load.most_requests:
            await exchange.send_problem(Overloaded(f"{load.most_requests} requests"))
            self._log.note(exchange)
            return
        load.requests += 1
        intake = load.counted(headers, receive)
        try:
            await self._answer(exchange, headers, intake)
        except (EligibilityError, GroupsError) as error:
            await exchange.send_problem(error)
        except Exception:  # noqa: BLE001 - the last resort: logged, and told as a problem
            _log.exception("request %s failed", exchange.request_id.decode("latin-1"))
            await exchange.send_problem(problems.internal_error())
        finally:
            load.requests -= 1
            if intake is not receive:
                load.let_go(intake)
        if exchange.status != 200 or self._logs_all or scope["path"] not in self._routes:
            self._log.note(exchange)

    async def _answer(
        self, exchange: Exchange, headers: dict[bytes, bytes], receive: Receive
    ) -> None:
        """Answer an access query, or let FastAPI answer the request."""
        scope = exchange.scope
        authorization = headers.get(b"authorization")
        admitted = self._admission.known(authorization)
        if admitted is None and scope["path"] not in PUBLIC_PATHS:
            admitted = await run_in_threadpool(self._admission.admit, authorization)
        exchange.admitted = admitted
        if admitted is not None and admitted.allowance is not None:
            admitted.allowance.take()
        route = self._routes.get(scope["path"])
        if route is None or admitted is None:
            scope["exchange"] = exchange
            await self._others(scope, receive, exchange.send_others)
            return
        explain = _checked(scope, admitted)
        message = await receive()
        body = message.get("body", b"")
        if message.get("more_body") or len(body) > self._max_body_bytes:
            body = await whole_body(message, receive, self._max_body_bytes)
        answer = route(body, explain, admitted)
        if not isinstance(answer, bytes):
            answer = await run_in_threadpool(answer)
        await exchange.send_json(answer, self._logs_all)


def _checked(scope: Scope, by: Admitted) -> bool:
    """Refuse what cannot be an access query of the caller's; tell whether the trace is wanted."""
    if scope["method"] != "POST":
        raise RequestProblem(405, "METHOD_NOT_ALLOWED", "access queries are sent by POST")
    if not by.queries:
        by.caller.check(CallerScope.QUERY)
    if JSON_HEADER not in scope["headers"]:  # what nearly everybody sends
        check_content_type(scope)
    query_string = scope["query_string"]
    if not query_string or not wants_trace(query_string):
        return False
    by.check_explain()
    return True

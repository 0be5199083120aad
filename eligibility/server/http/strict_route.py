"""Requests to the FastAPI routes: bodies read within limits, as strict JSON; no unknown parameter.

A route whose OpenAPI says that it takes text/csv takes it: a file of addresses is then what a JSON
body of `emails` is.
"""

import re
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from eligibility.errors import Fault, InvalidInput
from eligibility.formats import strict_json
from eligibility.server.http.asgi import AsgiMessage, AsgiScope, Receive
from eligibility.server.http.authorization import ScopeCheck
from eligibility.server.http.problems import RequestProblem
from groups import csv_file

JSON = "application/json"
JSON_HEADER = (b"content-type", JSON.encode())


async def whole_body(message: AsgiMessage, receive: Receive, limit: int) -> bytes:
    """The body that begins with a message.

    Raises: RequestProblem 413 as soon as it is too large; 400 where the sender went away in the
    middle, for half a list of members reads like a whole one.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        if parts:
            message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestProblem(400, "BODY_INCOMPLETE", "the sender went away before its end")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise RequestProblem(413, "BODY_TOO_LARGE", f"the body is larger than {limit} bytes")
        more = message.get("more_body", False)
    return b"".join(parts)


def check_content_type(scope: AsgiScope, taken: Sequence[str] = (JSON,)) -> str:
    """The media type of a body, which has to be one of some; none said is taken as the first.

    Raises: RequestProblem 415.
    """
    found = taken[0]
    for name, value in scope["headers"]:
        if name != b"content-type":
            continue
        found = value.partition(b";")[0].strip().lower().decode("latin-1")
        if found not in taken:
            shown = value.decode("latin-1")[:60]
            detail = f"content-type `{shown}` is not read here; send {' or '.join(taken)}"
            raise RequestProblem(415, "UNSUPPORTED_MEDIA_TYPE", detail)
    return found


_UPLOADS = re.compile(r"/v1/publishers/[^/]+/groups(/[^/]+/members)?")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
CSV = "text/csv"


class _ReadRequest(Request):
    """A request whose JSON body has been read and found strict already."""

    strict_body: Any = None

    async def json(self) -> Any:
        return self.strict_body


class StrictRoute(APIRoute):
    """A route that takes JSON bodies only as strict_json.py reads them, and no unknown parameter.

    The limits are the application's `state.max_body_bytes`, and `state.max_upload_bytes` on the
    paths where members are uploaded.
    """

    needs: ScopeCheck
    """What the route needs of its caller."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler; what is raised here reaches the application's error handlers."""
        handle = super().get_route_handler()
        self.needs = needs = _needs_of(self)
        known = frozenset(_parameters(self.dependant))

        async def strictly(request: Request) -> Response:
            needs.check(request)
            _check_parameters(request, known)
            if request.method not in _WITH_BODY or self.body_field is None:
                return await handle(request)
            return await handle(await self._read(request))

        return strictly

    async def _read(self, request: Request) -> Request:
        """The request with its body read, within the limit and strictly."""
        state = request.app.state
        uploads = _UPLOADS.fullmatch(request.url.path)
        limit = state.max_upload_bytes if uploads else state.max_body_bytes
        kind = check_content_type(request.scope, (JSON, CSV) if self._takes_csv else (JSON,))
        body = await whole_body(await request.receive(), request.receive, limit)
        read = _ReadRequest(_as_json(request.scope), request.receive)
        read._body = body  # starlette's own cache of a body read once
        if kind == CSV:
            read.strict_body = {"emails": await run_in_threadpool(lambda: [*csv_file.read(body)])}
        else:
            read.strict_body = strict_json.loads(body)
        return read

    @property
    def _takes_csv(self) -> bool:
        extra = self.openapi_extra or {}
        return CSV in extra.get("requestBody", {}).get("content", {})


def _needs_of(route: APIRoute) -> ScopeCheck:
    """What the route needs of its caller. Raises TypeError for one that does not say."""
    found = [one.call for one in route.dependant.dependencies if isinstance(one.call, ScopeCheck)]
    if len(found) != 1:
        raise TypeError(f"{route.path} has to say once which scope it needs: `by: ... needs(...)`")
    return found[0]


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The names of query parameters that a route, or what it depends on, knows."""
    yield from (one.alias for one in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


def _check_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse what a route does not know: `dry-run` in place of `dry_run` would be no dry run."""
    faults = []
    for name in request.query_params:
        shown = name[:60]
        if name not in known:
            what = f"known are {', '.join(sorted(known))}" if known else "none is known here"
            faults.append(Fault(f"query.{shown}", "UNKNOWN_PARAMETER", f"is unknown; {what}"))
        elif len(request.query_params.getlist(name)) > 1:
            faults.append(Fault(f"query.{shown}", "REPEATED_PARAMETER", "is given more than once"))
    if faults:
        raise InvalidInput(faults)


def _as_json(scope: AsgiScope) -> AsgiScope:
    """The scope of a request whose body was read: to FastAPI it is JSON, whatever was sent."""
    headers = [one for one in scope["headers"] if one[0] != b"content-type"]
    return {**scope, "headers": [*headers, JSON_HEADER]}

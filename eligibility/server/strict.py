"""Requests to the FastAPI routes: bodies read within limits, as strict JSON; no unknown parameter.

A route whose OpenAPI says that it takes text/csv takes it: a file of addresses is then what a JSON
body of `emails` is.
"""

import re
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from eligibility import strict_json
from eligibility.errors import Fault, InvalidInput
from eligibility.server.needs import Needs
from eligibility.server.requests import JSON, JSON_HEADER, check_content_type, whole_body
from groups import csv_file

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

    needs: Needs
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


def _needs_of(route: APIRoute) -> Needs:
    """What the route needs of its caller. Raises TypeError for one that does not say."""
    found = [one.call for one in route.dependant.dependencies if isinstance(one.call, Needs)]
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


def _as_json(scope: Scope) -> Scope:
    """The scope of a request whose body was read: to FastAPI it is JSON, whatever was sent."""
    headers = [one for one in scope["headers"] if one[0] != b"content-type"]
    return {**scope, "headers": [*headers, JSON_HEADER]}

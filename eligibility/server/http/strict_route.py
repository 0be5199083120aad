"""Read requests to the FastAPI routes: limit sizes, parse strict JSON, refuse unknown parameters.

A route accepts text/csv if its `openapi_extra` lists it. A file of addresses is then read as a JSON
body with the field `emails`.
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
from eligibility.server.http.asgi import AsgiScope
from eligibility.server.http.authorization import ScopeCheck
from eligibility.server.http.exchange import JSON_HEADER, whole_body
from eligibility.server.http.problems import RequestProblem
from groups import csv_file

JSON = "application/json"


def check_content_type(scope: AsgiScope, taken: Sequence[str] = (JSON,)) -> str:
    """Return a body's media type, else the first of `taken`. Raises: RequestProblem 415."""
    media_type = taken[0]
    for name, value in scope["headers"]:
        if name != b"content-type":
            continue
        media_type = value.partition(b";")[0].strip().lower().decode("latin-1")
        if media_type not in taken:
            shown = value.decode("latin-1")[:60]
            detail = f"content-type `{shown}` is not accepted; send {' or '.join(taken)}"
            raise RequestProblem(415, "UNSUPPORTED_MEDIA_TYPE", detail)
    return media_type


_UPLOADS = re.compile(r"/v1/publishers/[^/]+/groups(/[^/]+/members)?")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
CSV = "text/csv"


class _ReadRequest(Request):
    """A request whose body was already parsed by our strict reader."""

    strict_body: Any = None

    async def json(self) -> Any:
        return self.strict_body


class StrictRoute(APIRoute):
    """A route that reads JSON strictly, up to a size limit, and refuses unknown parameters."""

    needs: ScopeCheck
    """The route's check of its caller's scope."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler; errors raised here reach the application's error handlers."""
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
        """Read and parse the body, within the limit; return a request that contains it."""
        state = request.app.state
        uploads = _UPLOADS.fullmatch(request.url.path)
        limit = state.max_upload_bytes if uploads else state.max_body_bytes
        kind = check_content_type(request.scope, (JSON, CSV) if self._takes_csv else (JSON,))
        body = await whole_body(await request.receive(), request.receive, limit)
        read = _ReadRequest(_as_json(request.scope), request.receive)
        read._body = body  # Starlette's cache of the body
        if kind == CSV:
            emails = await run_in_threadpool(csv_file.read, body, state.header_ranks)
            read.strict_body = {"emails": list(emails)}
        else:
            read.strict_body = strict_json.loads(body)
        return read

    @property
    def _takes_csv(self) -> bool:
        extra = self.openapi_extra or {}
        return CSV in extra.get("requestBody", {}).get("content", {})


def _needs_of(route: APIRoute) -> ScopeCheck:
    """Return the scope check of a route. Raises: TypeError if the route does not have exactly one check."""
    calls = [dependency.call for dependency in route.dependant.dependencies]
    checks = [call for call in calls if isinstance(call, ScopeCheck)]
    if len(checks) != 1:
        raise TypeError(
            f"{route.path} must name exactly one scope that it needs: `by: ... needs(...)`"
        )
    return checks[0]


def _parameters(dependant: Dependant) -> Iterator[str]:
    """Yield the names of the query parameters of a route and of its dependencies."""
    yield from (parameter.alias for parameter in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


def _check_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse unknown or repeated parameters: to ignore a misspelt `dry_run` would write for real."""
    faults = []
    for name in request.query_params:
        shown = name[:60]
        if name not in known:
            what = (
                f"the parameters are {', '.join(sorted(known))}"
                if known
                else "this path has no parameters"
            )
            faults.append(Fault(f"query.{shown}", "UNKNOWN_PARAMETER", f"is unknown; {what}"))
        elif len(request.query_params.getlist(name)) > 1:
            faults.append(Fault(f"query.{shown}", "REPEATED_PARAMETER", "occurs more than once"))
    if faults:
        raise InvalidInput(faults)


def _as_json(scope: AsgiScope) -> AsgiScope:
    """Return a scope with the media type JSON, so that FastAPI uses the parsed body, even of a CSV file."""
    headers = [header for header in scope["headers"] if header[0] != b"content-type"]
    return {**scope, "headers": [*headers, JSON_HEADER]}

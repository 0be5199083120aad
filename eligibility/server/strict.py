"""Bodies of the FastAPI routes: read within limits before FastAPI sees them, as strict JSON.

A route whose OpenAPI says that it takes text/csv takes it: a file of addresses is then what a JSON
body of `emails` is.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from eligibility import strict_json
from eligibility.server.access import check_content_type, whole_body
from groups import csv_file

_UPLOADS = re.compile(r"/v1/publishers/[^/]+/groups(/[^/]+/members)?")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
CSV = "text/csv"
_JSON_HEADER = (b"content-type", b"application/json")


class _ReadRequest(Request):
    """A request whose JSON body has been read and found strict already."""

    strict_body: Any = None

    async def json(self) -> Any:
        return self.strict_body


class StrictRoute(APIRoute):
    """A route that takes JSON bodies only as strict_json.py reads them.

    The limits are the application's `state.max_body_bytes`, and `state.max_upload_bytes` on the
    paths where members are uploaded.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler; what is raised here reaches the application's error handlers."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            if request.method not in _WITH_BODY or self.body_field is None:
                return await handle(request)
            state = request.app.state
            uploads = _UPLOADS.fullmatch(request.url.path)
            limit = state.max_upload_bytes if uploads else state.max_body_bytes
            is_csv = self._takes_csv and _media_type(request) == CSV
            if not is_csv:
                check_content_type(request.scope)
            body = await whole_body(await request.receive(), request.receive, limit)
            read = _ReadRequest(_as_json(request.scope), request.receive)
            read._body = body  # starlette's own cache of a body read once
            if is_csv:
                read.strict_body = {
                    "emails": await run_in_threadpool(lambda: list(csv_file.read(body)))
                }
            else:
                read.strict_body = strict_json.loads(body)
            return await handle(read)

        return strictly

    @property
    def _takes_csv(self) -> bool:
        extra = self.openapi_extra or {}
        return CSV in extra.get("requestBody", {}).get("content", {})


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _as_json(scope: Scope) -> Scope:
    """The scope of a request whose body was read: to FastAPI it is JSON, whatever was sent."""
    headers = [one for one in scope["headers"] if one[0] != b"content-type"]
    return {**scope, "headers": [*headers, _JSON_HEADER]}

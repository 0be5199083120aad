"""Bodies of the FastAPI routes: read within limits and as strict JSON before FastAPI sees them."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from eligibility import strict_json
from eligibility.server.access import read_body

_UPLOADS = re.compile(r"/v1/publishers/[^/]+/groups(/[^/]+/members)?")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


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
            body = await read_body(request.scope, request.receive, limit)
            read = _ReadRequest(request.scope, request.receive)
            read._body = body  # starlette's own cache of a body read once
            read.strict_body = strict_json.loads(body)
            return await handle(read)

        return strictly

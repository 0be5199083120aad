"""One request under way: its id, its body, who sent it and since when; and the response to it.

A warm answer goes out in one write on uvicorn's connection, in place of ASGI's two messages: a third of the
cost of an access query is uvicorn turning two messages into two writes (docs/decisions.md 0027). The bytes
are those uvicorn would send. The response also arrives whole or not at all if the process is killed.
"""

import itertools
import re
import secrets
import time
from hashlib import blake2b
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from eligibility.access.model import Decision
from eligibility.server.http.asgi import AsgiMessage, AsgiScope, HeaderList, Receive, Send
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import JSON, Endpoint, HttpReply, problem_reply
from eligibility.server.http.problems import RequestProblem

JSON_HEADER = (b"content-type", JSON)
_process, _numbers = secrets.token_hex(6).encode(), itertools.count()
_PLAIN_ID = re.compile(rb"[A-Za-z0-9._:/+=|~-]{1,128}")
"""An id that a log may show; any other may be an address, or anything else."""


async def whole_body(message: AsgiMessage, receive: Receive, limit: int) -> bytes:
    """Receive the whole body, of which a message is the beginning.

    Raises: RequestProblem 413 as soon as it is too large; 400 where the sender left in the middle,
    for half a list of members reads like a whole one.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        if parts:
            message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestProblem(400, "BODY_INCOMPLETE", "the connection ended before the body did")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise RequestProblem(413, "BODY_TOO_LARGE", f"the body is larger than {limit} bytes")
        more = message.get("more_body", False)
    return b"".join(parts)


class HttpExchange:
    """A request and its response. status is None until a response is sent.

    error: what was sent in place of an answer, for the log. sent_id: the id that the request came with.
    decision: what was decided, where it is one decision and traces want to know.
    """

    __slots__ = (
        "_send",
        "authenticated",
        "began",
        "decision",
        "error",
        "scope",
        "sent_id",
        "status",
    )

    def __init__(self, scope: AsgiScope, sent_id: bytes | None, send: Send) -> None:
        self.scope = scope
        self.sent_id = sent_id
        self.authenticated: AuthenticatedCaller | None = None
        self.status: int | None = None
        self.error: Exception | None = None
        self.decision: Decision | None = None
        self.began = time.perf_counter()
        self._send = send

    @property
    def request_id(self) -> bytes:
        """Return the id that the request came with; without one, make one up when it is first wanted."""
        if self.sent_id is None:
            self.sent_id = b"%b-%x" % (_process, next(_numbers))
        return self.sent_id

    @property
    def logged_id(self) -> str:
        """Return the id for the log: a digest that means nothing elsewhere, unless the id is plain."""
        if _PLAIN_ID.fullmatch(self.request_id):
            return self.request_id.decode("ascii")
        return f"sent-{blake2b(self.request_id, key=_process, digest_size=8).hexdigest()}"

    async def send_json(self, body: bytes, logged: bool) -> None:
        """Answer 200 with JSON. No id is made up where neither the client nor the log has one."""
        headers = [JSON_HEADER, (b"content-length", b"%d" % len(body))]
        if logged or self.sent_id is not None:
            headers.append((b"x-request-id", self.request_id))
        if self.authenticated is not None and self.authenticated.allowance is not None:
            headers += self.authenticated.allowance.headers
        self.status = 200
        if not sent_at_once(self._send, headers, body):
            await self._send_whole(headers, body)

    async def refuse(self, error: Exception, endpoint: Endpoint[Any] | None = None) -> None:
        """Send an error, in the form of its endpoint if it has one; nothing if a response has begun."""
        if self.status is None:
            self.error = error
            await self.send(problem_reply(error) if endpoint is None else endpoint.refusal(error))

    async def send(self, reply: HttpReply) -> None:
        """Send a reply."""
        self.status = reply.status
        headers = [*reply.headers, *self._own_headers()]
        if reply.status != 304:  # whose length would be that of the answer it stands for
            headers += [
                (b"content-type", reply.media_type),
                (b"content-length", b"%d" % len(reply.body)),
            ]
        await self._send_whole(headers, reply.body)

    async def send_others(self, message: AsgiMessage) -> None:
        """Send a message of FastAPI's, with our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._own_headers()]
        await self._send(message)

    async def _send_whole(self, headers: HeaderList, body: bytes) -> None:
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _own_headers(self) -> HeaderList:
        headers = [(b"x-request-id", self.request_id)]
        if self.authenticated is not None and self.authenticated.allowance is not None:
            headers += self.authenticated.allowance.headers
        return headers


# --- one write in place of two messages ---------------------------------------------------------

_OK = STATUS_LINE[200]
_LARGEST = 65_536
"""Bytes of a body; copying a larger one costs more than a second write."""
_cached: tuple[object, bytes] = (None, b"")


def sent_at_once(send: Send, headers: HeaderList, body: bytes) -> bool:
    """Send a response with status 200, and say whether it was sent; if not, nothing was.

    Args: headers = names in lower case, `content-length` among them.
    """
    cycle: Any = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle:
        return False  # another server, or none
    if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
        return False
    if not cycle.keep_alive or cycle.access_log or len(body) > _LARGEST:
        return False
    if cycle.scope["method"] != "POST":
        return False
    parts = [_OK, _defaults(cycle.default_headers)]
    for name, value in headers:
        if HEADER_VALUE_RE.search(value):
            return False
        parts += (name, b": ", value, b"\r\n")
    parts += (b"\r\n", body)
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = cycle.chunked_encoding = False
    cycle.expected_content_length = 0
    cycle.transport.write(b"".join(parts))
    cycle.message_event.set()
    cycle.on_response()
    return True


def _defaults(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return uvicorn's own headers as lines; it makes a new list of them once a second, for the date."""
    global _cached
    if _cached[0] is not headers:
        _cached = headers, b"".join(b"%b: %b\r\n" % header for header in headers)
    return _cached[1]

"""One request in progress (its id, body, sender and start time) and its response.

An answer from memory is sent in one write on uvicorn's connection, instead of ASGI's two messages, which
uvicorn turns into two writes for a third of the cost of an access query (docs/decisions.md 0027). The bytes
are the same. If the process is killed, the response arrives completely or not at all.
"""

import itertools
import re
import secrets
import time
from hashlib import blake2b
from typing import Any

from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

from eligibility.access.model import Decision
from eligibility.server.http.asgi import AsgiMessage, AsgiScope, HeaderList, Receive, Send
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import JSON, Endpoint, HttpReply, problem_reply
from eligibility.server.http.problems import RequestProblem

JSON_HEADER = (b"content-type", JSON)
_process, _numbers = secrets.token_hex(6).encode(), itertools.count()
_PLAIN_ID = re.compile(rb"[A-Za-z0-9._:/+=|~-]{1,128}")
"""Request ids that a log may show. Other ids may contain an address or anything else."""


async def whole_body(message: AsgiMessage, receive: Receive, limit: int) -> bytes:
    """Receive the rest of a body and return all of it. Args: message = its first part.

    Raises: RequestProblem 413 as soon as it is too large; 400 if the sender disconnects before the end,
    because half a list of members could be taken for a complete list.
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

    error: the error that was sent, for the log. sent_id: the id in the request. decision: the decision, if
    there is exactly one and tracing is on.
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
        """Return the id in the request; if it has none, create an id at the first use."""
        if self.sent_id is None:
            self.sent_id = b"%b-%x" % (_process, next(_numbers))
        return self.sent_id

    @property
    def logged_id(self) -> str:
        """Return the id for the log. If the id is not plain text, it is replaced by a digest."""
        if _PLAIN_ID.fullmatch(self.request_id):
            return self.request_id.decode("ascii")
        return f"sent-{blake2b(self.request_id, key=_process, digest_size=8).hexdigest()}"

    async def send_json(self, body: bytes, logged: bool) -> None:
        """Send JSON with status 200; create an id only if the log needs it, to save time."""
        headers = [JSON_HEADER, (b"content-length", b"%d" % len(body))]
        if logged or self.sent_id is not None:
            headers.append((b"x-request-id", self.request_id))
        if self.authenticated is not None and self.authenticated.allowance is not None:
            headers += self.authenticated.allowance.headers
        self.status = 200
        if not sent_at_once(self._send, headers, body):
            await self._send_whole(headers, body)

    async def refuse(self, error: Exception, endpoint: Endpoint[Any] | None = None) -> None:
        """Send an error, in the form of its endpoint; do nothing if a response has begun."""
        if self.status is None:
            self.error = error
            await self.send(problem_reply(error) if endpoint is None else endpoint.refusal(error))

    async def send(self, reply: HttpReply) -> None:
        """Send a reply, with the headers for request id and rate limit."""
        self.status = reply.status
        headers = [*reply.headers, *self._own_headers()]
        if reply.status != 304:  # a 304 has no body to describe
            headers += [
                (b"content-type", reply.media_type),
                (b"content-length", b"%d" % len(reply.body)),
            ]
        await self._send_whole(headers, reply.body)

    async def send_others(self, message: AsgiMessage) -> None:
        """Send an ASGI message from FastAPI, and add our headers."""
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


# --- one write instead of two messages ----------------------------------------------------------

_OK = STATUS_LINE[200]
_LARGEST = 65_536
"""The longest body, in bytes: to copy a longer body would cost more than a second write."""
_cached: tuple[object, bytes] = (None, b"")


def sent_at_once(send: Send, headers: HeaderList, body: bytes) -> bool:
    """Send a response with status 200 in one write; return False if nothing was sent.

    Args: headers = must include `content-length`; names in lower case.
    """
    cycle: Any = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle:
        return False  # not uvicorn, or a test without a server
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
    """Encode uvicorn's default headers; cached until uvicorn replaces them, once a second (date)."""
    global _cached
    if _cached[0] is not headers:
        _cached = headers, b"".join(b"%b: %b\r\n" % header for header in headers)
    return _cached[1]

"""One request under way: its id, who sent it and since when; and the response to it."""

import itertools
import re
import secrets
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from eligibility.access.model import Decision
from eligibility.server.http.asgi import AsgiMessage, AsgiScope, HeaderList, Send
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import Endpoint, HttpReply, problem_reply
from eligibility.server.http.strict_route import JSON_HEADER

_process, _numbers = secrets.token_hex(6).encode(), itertools.count()
_PLAIN_ID = re.compile(rb"[A-Za-z0-9._:/+=|~-]{1,128}")
"""An id that a log may show; any other may be an address, or anything else."""

SendAtOnce = Callable[[Send, HeaderList, bytes], bool]
"""Sends headers and a body with status 200 in one write, and says whether it did; nothing is sent where
it did not. See app/one_write.py."""


def in_two_messages(_: Send, __: HeaderList, ___: bytes) -> bool:
    """Leave a response to ASGI's two messages."""
    return False


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
        """Give the id that the request came with; without one, make one up when it is first wanted."""
        if self.sent_id is None:
            self.sent_id = b"%b-%x" % (_process, next(_numbers))
        return self.sent_id

    @property
    def logged_id(self) -> str:
        """Give the id for the log: a digest that means nothing elsewhere, unless the id is plain."""
        if _PLAIN_ID.fullmatch(self.request_id):
            return self.request_id.decode("ascii")
        return f"sent-{blake2b(self.request_id, key=_process, digest_size=8).hexdigest()}"

    async def send_json(self, body: bytes, logged: bool, send_at_once: SendAtOnce) -> None:
        """Answer 200 with JSON. No id is made up where neither the client nor the log has one."""
        headers = [JSON_HEADER, (b"content-length", b"%d" % len(body))]
        if logged or self.sent_id is not None:
            headers.append((b"x-request-id", self.request_id))
        if self.authenticated is not None and self.authenticated.allowance is not None:
            headers += self.authenticated.allowance.headers
        self.status = 200
        if not send_at_once(self._send, headers, body):
            await self._send_whole(headers, body)

    async def refuse(self, error: Exception, endpoint: Endpoint[Any] | None = None) -> None:
        """Send an error, in the form of its endpoint if it has one; nothing if a response has begun."""
        if self.status is None:
            self.note(error)
            await self.send(problem_reply(error) if endpoint is None else endpoint.refusal(error))

    def note(self, error: Exception) -> None:
        """Remember why there is no answer, for the log."""
        self.error = error

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

"""One request under way: its id, who sent it, since when; and what is sent back."""

import itertools
import re
import secrets
import time
from hashlib import blake2b
from typing import Any

from eligibility.access.model import Decision
from eligibility.server.http import one_write
from eligibility.server.http.asgi import AsgiMessage, AsgiScope, Send
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import Endpoint, HttpReply, problem_reply
from eligibility.server.http.strict_route import JSON_HEADER

_process, _numbers = secrets.token_hex(6).encode(), itertools.count()
_PLAIN_ID = re.compile(rb"[A-Za-z0-9._:/+=|~-]{1,128}")
"""An id as it may stand in a log; any other may be an address, or anything else."""


class HttpExchange:
    """A request and its answer. status is None until one is sent.

    error: what was answered in place of an answer, for the log. sent_id: the id that the request came with.
    decision: the one that was told, where it is one and traces want to know.
    """

    __slots__ = ("_send", "admitted", "began", "decision", "error", "scope", "sent_id", "status")

    def __init__(self, scope: AsgiScope, sent_id: bytes | None, send: Send) -> None:
        self.scope = scope
        self.sent_id = sent_id
        self.admitted: AuthenticatedCaller | None = None
        self.status: int | None = None
        self.error: Exception | None = None
        self.decision: Decision | None = None
        self.began = time.perf_counter()
        self._send = send

    @property
    def request_id(self) -> bytes:
        """The id that the request came with, or one made when it is first wanted."""
        if self.sent_id is None:
            self.sent_id = b"%b-%x" % (_process, next(_numbers))
        return self.sent_id

    @property
    def logged_id(self) -> str:
        """The id as the log has it: where it may be anything, a digest that means nothing elsewhere."""
        if _PLAIN_ID.fullmatch(self.request_id):
            return self.request_id.decode("ascii")
        return f"sent-{blake2b(self.request_id, key=_process, digest_size=8).hexdigest()}"

    async def send_json(self, body: bytes, logged: bool) -> None:
        """Answer 200 with JSON. An id that neither the client nor the log has is not made up."""
        headers = [JSON_HEADER, (b"content-length", b"%d" % len(body))]
        if logged or self.sent_id is not None:
            headers.append((b"x-request-id", self.request_id))
        if self.admitted is not None and self.admitted.allowance is not None:
            headers += self.admitted.allowance.headers
        self.status = 200
        if one_write.sent(self._send, headers, body):
            return
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, error: Exception, endpoint: Endpoint[Any] | None = None) -> None:
        """Answer an error, in the endpoint's own form where it is one's; nothing if an answer has begun."""
        if self.status is None:
            self.note(error)
            await self.send(problem_reply(error) if endpoint is None else endpoint.refusal(error))

    def note(self, error: Exception) -> None:
        """Remember why there is no answer, for the log."""
        self.error = error

    async def send(self, reply: HttpReply) -> None:
        """Answer with a reply."""
        self.status = reply.status
        headers = [*reply.headers, *self._headers()]
        if reply.status != 304:  # whose length would be that of the answer it stands for
            headers += [
                (b"content-type", reply.media_type),
                (b"content-length", b"%d" % len(reply.body)),
            ]
        await self._send(
            {"type": "http.response.start", "status": reply.status, "headers": headers}
        )
        await self._send({"type": "http.response.body", "body": reply.body})

    async def send_others(self, message: AsgiMessage) -> None:
        """What FastAPI sends, with our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers()]
        await self._send(message)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        mine = [(b"x-request-id", self.request_id)]
        admitted = self.admitted
        if admitted is not None and admitted.allowance is not None:
            mine += admitted.allowance.headers
        return mine

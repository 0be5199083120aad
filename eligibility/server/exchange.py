"""One request under way: its id, who sent it, since when; and what is sent back."""

import itertools
import secrets
import time

from eligibility.server import problems
from eligibility.server.admission import Admitted
from eligibility.server.asgi import Message, Scope, Send
from eligibility.server.requests import JSON_HEADER

_process, _numbers = secrets.token_hex(6).encode(), itertools.count()


class Exchange:
    """A request and its answer. status and code are None until they are sent, or there is none.

    code: of the problem that was answered. sent_id: the id that the request came with, if it
    is one that may be taken over.
    """

    __slots__ = ("_send", "admitted", "began", "code", "scope", "sent_id", "status")

    def __init__(self, scope: Scope, sent_id: bytes | None, send: Send) -> None:
        self.scope = scope
        self.sent_id = sent_id
        self.admitted: Admitted | None = None
        self.status: int | None = None
        self.code: str | None = None
        self.began = time.perf_counter()
        self._send = send

    @property
    def request_id(self) -> bytes:
        """The id that the request came with, or one made when it is first wanted."""
        if self.sent_id is None:
            self.sent_id = b"%b-%x" % (_process, next(_numbers))
        return self.sent_id

    async def send_json(self, body: bytes, logged: bool) -> None:
        """Answer 200 with JSON. An id that neither the client nor the log has is not made up."""
        headers = [JSON_HEADER, (b"content-length", b"%d" % len(body))]
        if logged or self.sent_id is not None:
            headers.append((b"x-request-id", self.request_id))
        if self.admitted is not None and self.admitted.allowance is not None:
            headers += self.admitted.allowance.headers
        self.status = 200
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def send_problem(self, error: Exception) -> None:
        """Answer an error as a problem; nothing if an answer has begun."""
        if self.status is not None:
            return
        document = problems.problem(error)
        self.status, self.code = document["status"], document["code"]
        body = problems.encoded(document)
        headers = [
            (b"content-type", problems.MEDIA_TYPE.encode()),
            (b"content-length", b"%d" % len(body)),
            *((n.encode(), v.encode()) for n, v in problems.headers_for(document).items()),
            *self._headers(),
        ]
        if self.status == 405:
            headers.append((b"allow", b"POST"))
        await self._send({"type": "http.response.start", "status": self.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def send_others(self, message: Message) -> None:
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

"""How much a server process takes on at once: requests, and bytes of bodies that are being read.

Beyond it requests are refused at once with 503 and Retry-After, long before memory runs out.
"""

from collections.abc import Mapping

from eligibility.errors import EligibilityError
from eligibility.server.asgi import Message, Receive

_SMALL = 5
"""Digits of a content-length that is too small to be counted: below 100,000 bytes."""


class Overloaded(EligibilityError):
    """As much is under way as the server takes on; nothing was done."""

    code = "OVERLOADED"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} are under way already; try again")


class Load:
    """Counts what is under way. most_requests, most_bytes: the limits of this process.

    requests is counted by the gate, which does so for every request.
    """

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self.most_requests, self._most_bytes = most_requests, most_bytes
        self.requests = self.bytes = 0

    def counted(self, headers: Mapping[bytes, bytes], receive: Receive) -> Receive:
        """What to receive the body of a request with: as it is, or counted where it may be large."""
        length = headers.get(b"content-length")
        if length is None:
            return _Counted(self, receive) if b"transfer-encoding" in headers else receive
        return receive if len(length) <= _SMALL else _Counted(self, receive)

    def let_go(self, intake: Receive) -> None:
        """Count no longer what was received; intake = what `counted` gave."""
        if isinstance(intake, _Counted):
            self.bytes -= intake.bytes

    def take(self, size: int) -> None:
        """Count bytes of a body. Raises Overloaded."""
        if self.bytes + size > self._most_bytes:
            raise Overloaded(f"uploads of {self._most_bytes} bytes")
        self.bytes += size


class _Counted:
    """Receives a large body, each part of which is counted."""

    def __init__(self, load: Load, receive: Receive) -> None:
        self._load, self._receive = load, receive
        self.bytes = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        size = len(message.get("body", b""))
        self._load.take(size)
        self.bytes += size
        return message

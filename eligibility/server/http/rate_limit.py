"""How many queries a second a caller may ask of one server process, and the headers that tell it.

Headers: RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from eligibility.errors import EligibilityError
from eligibility.server.http.asgi import AsgiMessage, Receive

RequestHeaders = list[tuple[bytes, bytes]]


class RateLimited(EligibilityError):
    """A caller asked more often than it may; nothing was done. wait_seconds: when to ask again."""

    code = "RATE_LIMITED"

    def __init__(self, rate: int, wait_seconds: int) -> None:
        super().__init__(
            f"more than {rate} a second from this caller; ask again in {wait_seconds} s"
        )
        self.rate, self.wait_seconds = rate, wait_seconds


class Allowance:
    """What a caller has left: `rate` a second, and up to a second's worth saved up.

    now: seconds of a clock that never goes back. A batch costs as many as it has queries, up to a
    full second's worth, so that it can be had at all.
    """

    __slots__ = ("_at", "_left", "_now", "rate")

    def __init__(self, rate: int, now: Callable[[], float]) -> None:
        self.rate = rate
        self._now = now
        self._left, self._at = float(rate), now()

    def take(self, cost: int = 1, paid: int = 0) -> None:
        """Use some of it. Raises RateLimited, and then uses none.

        Args: paid = what was taken for it before.
        """
        now = self._now()
        self._left = min(self.rate, self._left + (now - self._at) * self.rate)
        self._at = now
        wanted = min(cost, self.rate) - paid
        if self._left < wanted:
            raise RateLimited(self.rate, math.ceil((wanted - self._left) / self.rate))
        self._left -= wanted

    @property
    def headers(self) -> RequestHeaders:
        """The policy and what is left of it."""
        until_full = math.ceil((self.rate - self._left) / self.rate)
        return [
            (b"ratelimit-policy", b'"caller";q=%d;w=1' % self.rate),
            (b"ratelimit", b'"caller";r=%d;t=%d' % (int(self._left), until_full)),
        ]


_SMALL = 5
"""Digits of a content-length that is too small to be counted: below 100,000 bytes."""


class Overloaded(EligibilityError):
    """As much is under way as the server takes on; nothing was done."""

    code = "OVERLOADED"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} are under way already; try again")


class ProcessLoad:
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

    def __init__(self, load: ProcessLoad, receive: Receive) -> None:
        self._load, self._receive = load, receive
        self.bytes = 0

    async def __call__(self) -> AsgiMessage:
        message = await self._receive()
        size = len(message.get("body", b""))
        self._load.take(size)
        self.bytes += size
        return message


MOST_WAITING = 16
_T = TypeVar("_T")


class ComputationQueue:
    """Runs what it is given, one at a time."""

    def __init__(self) -> None:
        self._one = asyncio.Semaphore(1)
        self._present = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """What the work gives, or raises, when its turn has come. Raises: Overloaded."""
        if self._present > MOST_WAITING:
            raise Overloaded(f"{self._present} simulations")
        self._present += 1
        try:
            async with self._one:
                return await run_in_threadpool(work)
        finally:
            self._present -= 1

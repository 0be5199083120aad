"""Limits of a server process: rate of each caller, concurrent requests, bytes in memory, computations.

Source of the headers RateLimit and RateLimit-Policy: draft-ietf-httpapi-ratelimit-headers.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from eligibility.errors import EligibilityError
from eligibility.server.http.asgi import AsgiMessage, HeaderList, Receive


class RateLimited(EligibilityError):
    """A caller exceeded its rate limit; nothing was done. wait_seconds: when it may ask again."""

    code = "RATE_LIMITED"

    def __init__(self, rate: int, wait_seconds: int) -> None:
        super().__init__(
            f"this caller sent more than {rate} requests a second; try again in {wait_seconds} s"
        )
        self.rate, self.wait_seconds = rate, wait_seconds


class Allowance:
    """What is left of a caller's rate limit: `rate` queries are added each second, up to `rate`.

    now: returns the seconds of a monotonic clock. A batch costs as many queries as it has, but at most
    `rate`, so that every caller can send the longest batch.
    """

    __slots__ = ("_filled_at", "_left", "_now", "rate")

    def __init__(self, rate: int, now: Callable[[], float]) -> None:
        self.rate = rate
        self._now = now
        self._left, self._filled_at = float(rate), now()

    def take(self, cost: int = 1, paid: int = 0) -> None:
        """Charge queries, except the part already `paid`. Raises: RateLimited, without a charge."""
        now = self._now()
        self._left = min(self.rate, self._left + (now - self._filled_at) * self.rate)
        self._filled_at = now
        missing = min(cost, self.rate) - paid - self._left
        if missing > 0:
            raise RateLimited(self.rate, math.ceil(missing / self.rate))
        self._left = -missing

    @property
    def headers(self) -> HeaderList:
        """Return the headers with the caller's rate limit and what is left of it."""
        until_full = math.ceil((self.rate - self._left) / self.rate)
        return [
            (b"ratelimit-policy", b'"caller";q=%d;w=1' % self.rate),
            (b"ratelimit", b'"caller";r=%d;t=%d' % (int(self._left), until_full)),
        ]


SMALL_DIGITS = 5
"""Bodies whose content-length has at most this many digits (below 100,000 bytes) are not counted."""


class Overloaded(EligibilityError):
    """The server has reached a limit of its load; nothing was done."""

    code = "OVERLOADED"

    def __init__(self, what: str) -> None:
        super().__init__(f"the server is busy with {what}; try again")


class ProcessLoad:
    """Counts requests (for speed, the gate updates `requests` itself) and bytes of bodies."""

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self.most_requests, self._most_bytes = most_requests, most_bytes
        self.requests = self.bytes = 0

    def counted(self, headers: Mapping[bytes, bytes], receive: Receive) -> Receive:
        """Return a `receive` that counts the body's bytes; or `receive` if the request has no body."""
        if b"content-length" in headers or b"transfer-encoding" in headers:
            return _CountedReceive(self, receive)
        return receive

    def let_go(self, receive: Receive) -> None:
        """Subtract a body that is no longer in memory. Args: receive = the result of `counted`."""
        if isinstance(receive, _CountedReceive):
            self.bytes -= receive.bytes

    def take(self, size: int) -> None:
        """Add bytes of a body. Raises: Overloaded."""
        if self.bytes + size > self._most_bytes:
            raise Overloaded(f"uploads of {self._most_bytes} bytes")
        self.bytes += size


class _CountedReceive:
    """Receives a large body, and adds each part to the load."""

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
    """Runs long computations one at a time, while others wait."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._present = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """Wait in the queue, run the work in a thread, and return its result. Raises: Overloaded."""
        if self._present > MOST_WAITING:
            raise Overloaded(f"{self._present} simulations")
        self._present += 1
        try:
            async with self._turn:
                return await run_in_threadpool(work)
        finally:
            self._present -= 1

"""What one server process takes on: queries a second of a caller, requests and bytes at a time, computations.

Source of the headers RateLimit and RateLimit-Policy: draft-ietf-httpapi-ratelimit-headers.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from eligibility.errors import EligibilityError
from eligibility.server.http.asgi import AsgiMessage, HeaderList, Receive

# --- how often a caller may ask -----------------------------------------------------------------


class RateLimited(EligibilityError):
    """A caller asked more often than it may; nothing was done. wait_seconds: when to ask again."""

    code = "RATE_LIMITED"

    def __init__(self, rate: int, wait_seconds: int) -> None:
        super().__init__(
            f"this caller asked more than {rate} times a second; ask again in {wait_seconds} s"
        )
        self.rate, self.wait_seconds = rate, wait_seconds


class Allowance:
    """What a caller may still ask: `rate` queries a second; a second's worth can be saved up.

    now: seconds of a clock that never goes back. A batch costs as many as it has queries, but at
    most a full second's worth, so that every caller can have the longest batch.
    """

    __slots__ = ("_filled_at", "_left", "_now", "rate")

    def __init__(self, rate: int, now: Callable[[], float]) -> None:
        self.rate = rate
        self._now = now
        self._left, self._filled_at = float(rate), now()

    def take(self, cost: int = 1, paid: int = 0) -> None:
        """Use some of it.

        Args: paid = what was taken for the same request before.
        Raises: RateLimited, and then nothing is used.
        """
        now = self._now()
        self._left = min(self.rate, self._left + (now - self._filled_at) * self.rate)
        self._filled_at = now
        missing = min(cost, self.rate) - paid - self._left
        if missing > 0:
            raise RateLimited(self.rate, math.ceil(missing / self.rate))
        self._left = -missing

    @property
    def headers(self) -> HeaderList:
        """Return the policy and what is left of it."""
        until_full = math.ceil((self.rate - self._left) / self.rate)
        return [
            (b"ratelimit-policy", b'"caller";q=%d;w=1' % self.rate),
            (b"ratelimit", b'"caller";r=%d;t=%d' % (int(self._left), until_full)),
        ]


# --- how much is under way ----------------------------------------------------------------------

SMALL_DIGITS = 5
"""A content-length of so many digits, below 100,000 bytes, is too small to be counted."""


class Overloaded(EligibilityError):
    """The server has as much under way as it takes on; nothing was done."""

    code = "OVERLOADED"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} are under way already; try again")


class ProcessLoad:
    """Counts what is under way. most_requests, most_bytes: the limits of this process.

    The gate counts `requests` itself, for it does so with every request.
    """

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self.most_requests, self._most_bytes = most_requests, most_bytes
        self.requests = self.bytes = 0

    def counted(self, headers: Mapping[bytes, bytes], receive: Receive) -> Receive:
        """Return what receives a body that is not known to be small: a counter, or `receive` without a body."""
        if b"content-length" in headers or b"transfer-encoding" in headers:
            return _CountedReceive(self, receive)
        return receive

    def let_go(self, receive: Receive) -> None:
        """Stop counting a body; receive = what `counted` gave."""
        if isinstance(receive, _CountedReceive):
            self.bytes -= receive.bytes

    def take(self, size: int) -> None:
        """Count bytes of a body. Raises: Overloaded."""
        if self.bytes + size > self._most_bytes:
            raise Overloaded(f"uploads of {self._most_bytes} bytes")
        self.bytes += size


class _CountedReceive:
    """Receives a large body and counts each part of it."""

    def __init__(self, load: ProcessLoad, receive: Receive) -> None:
        self._load, self._receive = load, receive
        self.bytes = 0

    async def __call__(self) -> AsgiMessage:
        message = await self._receive()
        size = len(message.get("body", b""))
        self._load.take(size)
        self.bytes += size
        return message


# --- computations, one at a time ----------------------------------------------------------------

MOST_WAITING = 16
_T = TypeVar("_T")


class ComputationQueue:
    """Runs long computations, one at a time; the others wait."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._present = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """Run the work in a thread when its turn has come; give its result. Raises: Overloaded."""
        if self._present > MOST_WAITING:
            raise Overloaded(f"{self._present} simulations")
        self._present += 1
        try:
            async with self._turn:
                return await run_in_threadpool(work)
        finally:
            self._present -= 1

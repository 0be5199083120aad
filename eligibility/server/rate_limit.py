"""How many queries a second a caller may ask of one server process, and the headers that tell it.

Headers: RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers.
"""

import math
from collections.abc import Callable

from eligibility.errors import EligibilityError

Headers = list[tuple[bytes, bytes]]


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
    def headers(self) -> Headers:
        """The policy and what is left of it."""
        until_full = math.ceil((self.rate - self._left) / self.rate)
        return [
            (b"ratelimit-policy", b'"caller";q=%d;w=1' % self.rate),
            (b"ratelimit", b'"caller";r=%d;t=%d' % (int(self._left), until_full)),
        ]

"""One call from request to result, without I/O: the steps that both clients perform."""

import logging
import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

from eligibility.client.errors import UNREADABLE, Problem, Unreachable, problem_of

T = TypeVar("T")

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds. A pause is random: below FIRST_PAUSE, doubled at every try, up to LONGEST_PAUSE."""

_SHORTEST_WAIT = 0.01  # seconds; not 0, which sockets take as "for ever" or "do not wait"
_TOO_MANY = 429
_AWAY = frozenset({502, 503, 504})

_log = logging.getLogger("eligibility.client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to send. repeatable: sending it twice has the same effect as sending it once."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)  # may contain addresses and tokens
    if_revision: int | None = None
    repeatable: bool


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """No complete response. perhaps_done: the service may have received the request."""

    error: Exception
    perhaps_done: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """Step: send a request. connect_seconds, seconds: time limits to connect, and for all of it."""

    request: Request
    connect_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class RetryDelay:
    """Step: wait before the next attempt."""

    seconds: float


AttemptResult = HttpResponse | Failure | None
"""The result of an Attempt; None before the first step and after a RetryDelay."""

Steps = Generator[Attempt | RetryDelay, AttemptResult, T]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and how to read its response.

    For a client with unreachable="deny": otherwise = builds the result if no response comes (None:
    raise); deny = replaces the failed queries of a batch by denials.
    """

    request: Request
    read: Callable[[bytes], T]
    otherwise: Callable[[], T] | None = None
    deny: Callable[[T], T] | None = None


@dataclass(slots=True, kw_only=True)
class CallRules:
    """How calls are performed: time limits, retries, and denials while the service is unreachable.

    timeout: seconds for a call with all its tries. attempt_timeout: seconds for one try of a
    repeatable request, and to connect. retries: tries after the first. deny: use `Call.otherwise`
    and `Call.deny` instead of raising Unreachable.
    """

    timeout: float
    attempt_timeout: float
    retries: int
    deny: bool
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    chance: Callable[[float, float], float] = random.uniform
    _away: bool = field(default=False, init=False)

    def steps(self, call: Call[T]) -> Steps[T]:
        """Yield the steps of a call and return its result. Raises: Problem."""
        try:
            response = yield from self._response(call.request)
            try:
                result = call.read(response.body)
            except UNREADABLE as error:
                detail = "the response cannot be read: is this the address of the service?"
                request_id = response.headers.get("x-request-id")
                raise Unreachable(
                    "ANSWER_UNREADABLE", detail, response.status, request_id=request_id
                ) from error
        except Unreachable as error:
            if self.deny and call.otherwise is not None:
                self._log_denial(error)
                return call.otherwise()
            raise
        self._away = False
        return call.deny(result) if self.deny and call.deny is not None else result

    def _response(self, request: Request) -> Steps[HttpResponse]:
        ends = self.clock() + self.timeout
        tries = 0
        while True:
            tries += 1
            left = max(ends - self.clock(), _SHORTEST_WAIT)
            short = min(left, self.attempt_timeout)
            outcome = yield Attempt(request, short, short if request.repeatable else left)
            assert outcome is not None  # noqa: S101 - an attempt always has an outcome
            if isinstance(outcome, HttpResponse) and 200 <= outcome.status < 300:
                return outcome
            pause = self._pause(tries, request, outcome)
            if pause is None or self.clock() + pause >= ends:
                raise _problem(outcome, tries)
            yield RetryDelay(pause)

    def _pause(self, tries: int, request: Request, outcome: HttpResponse | Failure) -> float | None:
        """Compute the seconds until the next try; None = do not try again."""
        if tries > self.retries:
            return None
        wait = self.chance(0.0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1)))
        if isinstance(outcome, Failure):
            return wait if request.repeatable or not outcome.perhaps_done else None
        if outcome.status != _TOO_MANY and not (outcome.status in _AWAY and request.repeatable):
            return None
        # Add the random wait: clients told to wait equally long must not all return at once.
        return wait + retry_after(outcome.headers.get("retry-after"), self.wall_clock())

    def _log_denial(self, error: Problem) -> None:
        """Log a denial, but only the first since the last response of the service."""
        if not self._away:
            self._away = True
            _log.warning("no decisions from the service, so access is denied: %s", error)


def retry_after(header: str | None, now: float) -> float:
    """Parse a Retry-After header to seconds; 0 if it is neither a number nor a date."""
    if header is None:
        return 0.0
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0


def _problem(outcome: HttpResponse | Failure, tries: int) -> Problem:
    if isinstance(outcome, HttpResponse):
        return problem_of(outcome.body, outcome.status, outcome.headers.get("x-request-id"))
    cause = f"{type(outcome.error).__name__} {outcome.error}".strip()
    detail = f"no response after {tries} {'try' if tries == 1 else 'tries'}: {cause}"
    error = Unreachable("NO_ANSWER", detail)
    error.__cause__ = outcome.error
    return error

"""One call from its request to its result, without any I/O: what to send, how long to wait, when to
try again. Both clients carry out the steps that `CallRules.steps` yields, and decide nothing themselves.
"""

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
"""Seconds. A pause is random: up to FIRST_PAUSE, doubled at every try, but never above LONGEST_PAUSE."""

_SHORTEST_WAIT = 0.01  # a socket reads 0 as: wait for ever, or do not wait
_TOO_MANY = 429
_AWAY = frozenset({502, 503, 504})

_log = logging.getLogger("eligibility.client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent. repeatable: sending it twice does the same as sending it once."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)  # contains addresses and tokens
    if_revision: int | None = None
    repeatable: bool


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole response. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """No response, or only a part of one. perhaps_done: the service may have received the request."""

    error: Exception
    perhaps_done: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """Step: send a request. Wait at most so many seconds for the connection, and for the whole attempt."""

    request: Request
    connect_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Step: wait this many seconds."""

    seconds: float


AttemptResult = HttpResponse | Failure | None
"""The result of the previous step: None at first, and after a Pause."""

Steps = Generator[Attempt | Pause, AttemptResult, T]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and how to read its response.

    For a client that denies while the service is out of reach: otherwise = the result when no
    response comes (None: raise); deny = turns the parts of a result that are no decisions into denials.
    """

    request: Request
    read: Callable[[bytes], T]
    otherwise: Callable[[], T] | None = None
    deny: Callable[[T], T] | None = None


@dataclass(slots=True, kw_only=True)
class CallRules:
    """How calls are carried out: limits, retries, and what to do when the service is out of reach.

    timeout: seconds for a call with all its tries. attempt_timeout: seconds for one try that may be
    repeated, and for making a connection. retries: tries after the first. deny: whether to answer
    with `Call.otherwise` and `Call.deny`.
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
                detail = "the answer cannot be read: is this the address of the service?"
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
            yield Pause(pause)

    def _pause(self, tries: int, request: Request, outcome: HttpResponse | Failure) -> float | None:
        """Seconds until the next try; None if there must be no other try."""
        if tries > self.retries:
            return None
        wait = self.chance(0.0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1)))
        if isinstance(outcome, Failure):
            return wait if request.repeatable or not outcome.perhaps_done else None
        if outcome.status != _TOO_MANY and not (outcome.status in _AWAY and request.repeatable):
            return None
        # The random wait is added: clients that read the same second must not return all at once.
        return wait + retry_after(outcome.headers.get("retry-after"), self.wall_clock())

    def _log_denial(self, error: Problem) -> None:
        """Log a denial, but only the first one since the service last answered."""
        if not self._away:
            self._away = True
            _log.warning("no decisions from the service, so access is denied: %s", error)


def retry_after(header: str | None, now: float) -> float:
    """Seconds that a Retry-After header asks to wait; 0 if it is neither seconds nor a date."""
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
    detail = f"no answer after {tries} {'try' if tries == 1 else 'tries'}: {cause}"
    error = Unreachable("NO_ANSWER", detail)
    error.__cause__ = outcome.error
    return error

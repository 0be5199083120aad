"""One call from its request to its result, without any I/O: what to send, how long to wait, when to
try again. Both clients carry out the steps that this tells; neither decides anything.
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
"""Seconds: a pause is chance, up to FIRST_PAUSE, doubled with every try, and never above the longest."""

_SHORTEST_WAIT = 0.01  # to a socket, no time at all means: for ever, or do not wait
_TOO_MANY = 429
_AWAY = frozenset({502, 503, 504})

_log = logging.getLogger("eligibility.client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent. repeatable: sent twice, it does what it does when sent once."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)  # has addresses and tokens in it
    if_revision: int | None = None
    repeatable: bool


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back, whole. Names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer, or only a part of one. perhaps_done: the service may have got the request."""

    error: Exception
    perhaps_done: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """Step: send this, and wait no longer than so many seconds for the connection and for all of it."""

    request: Request
    connect_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Step: wait so many seconds."""

    seconds: float


AttemptResult = HttpResponse | Failure | None
"""What came of the step before: None at first, and after a Pause."""

Steps = Generator[Attempt | Pause, AttemptResult, T]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, how its answer is read, and what stands in for it when none comes (None: nothing)."""

    request: Request
    read: Callable[[bytes], T]
    otherwise: Callable[[], T] | None = None


@dataclass(slots=True, kw_only=True)
class CallRules:
    """How calls are carried out: limits, retries, and what to do when the service is out of reach.

    timeout: seconds for a call with all its tries. attempt_timeout: for one try that may be repeated,
    and for a connection. retries: tries after the first. deny: answer by `Call.otherwise`.
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
        """The steps of a call; its result is the generator's. Raises: Problem."""
        try:
            answer = yield from self._answer(call.request)
            try:
                result = call.read(answer.body)
            except UNREADABLE as error:
                detail = "the answer cannot be read: is this the address of the service?"
                request_id = answer.headers.get("x-request-id")
                raise Unreachable(
                    "ANSWER_UNREADABLE", detail, answer.status, request_id=request_id
                ) from error
        except Unreachable as error:
            if self.deny and call.otherwise is not None:
                self._denied(error)
                return call.otherwise()
            raise
        self._away = False
        return result

    def _answer(self, request: Request) -> Steps[HttpResponse]:
        ends = self.clock() + self.timeout
        tries = 0
        while True:
            tries += 1
            left = max(ends - self.clock(), _SHORTEST_WAIT)
            short = min(left, self.attempt_timeout)
            outcome = yield Attempt(request, short, short if request.repeatable else left)
            assert outcome is not None  # noqa: S101 - an attempt has one
            if isinstance(outcome, HttpResponse) and 200 <= outcome.status < 300:
                return outcome
            pause = self._pause(tries, request, outcome)
            if pause is None or self.clock() + pause >= ends:
                raise _problem(outcome, tries)
            yield Pause(pause)

    def _pause(self, tries: int, request: Request, outcome: HttpResponse | Failure) -> float | None:
        """Seconds until the next try; None where there must be none."""
        if tries > self.retries:
            return None
        wait = self.chance(0.0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1)))
        if isinstance(outcome, Failure):
            return wait if request.repeatable or not outcome.perhaps_done else None
        if outcome.status != _TOO_MANY and not (outcome.status in _AWAY and request.repeatable):
            return None
        # On top of it: whoever was told the same second must not come back in the same instant.
        return wait + retry_after(outcome.headers.get("retry-after"), self.wall_clock())

    def _denied(self, error: Problem) -> None:
        """Log the first denial since the service last answered; more would bury it."""
        if not self._away:
            self._away = True
            _log.warning("no decisions from the service, so access is denied: %s", error)


def retry_after(told: str | None, now: float) -> float:
    """Seconds that a Retry-After asks for, given as seconds or as a date; 0 where it cannot be read."""
    if told is None:
        return 0.0
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0


def _problem(outcome: HttpResponse | Failure, tries: int) -> Problem:
    if isinstance(outcome, HttpResponse):
        return problem_of(outcome.body, outcome.status, outcome.headers.get("x-request-id"))
    why = f"{type(outcome.error).__name__} {outcome.error}".strip()
    made = Unreachable(
        "NO_ANSWER", f"no answer after {tries} {'try' if tries == 1 else 'tries'}: {why}"
    )
    made.__cause__ = outcome.error
    return made

"""What is sent again, and when: the rules of both clients, without a network and without a clock."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from eligibility.client import Problem, Unauthenticated, Unreachable, calls
from eligibility.client.exchange import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Attempt,
    Call,
    CallRules,
    Failure,
    HttpResponse,
    Request,
    retry_after,
)
from eligibility.client.model import Device, Query

OK = HttpResponse(200, {}, b"{}")
REFUSED = Failure(OSError("refused"), perhaps_done=False)
CUT = Failure(OSError("cut"), perhaps_done=True)
NOON = 1_764_072_000.0  # Tue, 25 Nov 2025 12:00:00 GMT


def status(code: int, **headers: str) -> HttpResponse:
    return HttpResponse(
        code, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}"
    )


class Run:
    """One call carried out on told outcomes: what was sent, how long was waited."""

    def __init__(
        self,
        outcomes: Sequence[HttpResponse | Failure],
        *,
        repeatable: bool = True,
        takes: float = 0.0,
        chance: float = 1.0,
        **limits: Any,
    ) -> None:
        self.now = 0.0
        self.attempts: list[Attempt] = []
        self.pauses: list[float] = []
        self.error: Problem | None = None
        exchange = CallRules(
            **{"timeout": 5.0, "attempt_timeout": 2.0, "retries": 2, "deny": False, **limits},
            clock=lambda: self.now,
            wall_clock=lambda: NOON,
            chance=lambda least, most: least + (most - least) * chance,
        )
        request = Request(method="GET", path="/", repeatable=repeatable)
        left = list(outcomes)
        steps = exchange.steps(Call(request, lambda body: body))
        outcome: HttpResponse | Failure | None = None
        try:
            while True:
                step = steps.send(outcome)
                if isinstance(step, Attempt):
                    self.attempts.append(step)
                    self.now += takes
                    outcome = left.pop(0)
                else:
                    self.pauses.append(step.seconds)
                    self.now += step.seconds
                    outcome = None
        except StopIteration:
            pass
        except Problem as error:
            self.error = error
        assert left == []


@pytest.mark.parametrize(
    "first", [REFUSED, CUT, status(429), status(502), status(503), status(504)]
)
def test_what_only_reads_is_asked_again(first: HttpResponse | Failure) -> None:
    assert Run([first, OK]).error is None


@pytest.mark.parametrize("first", [REFUSED, status(429)])
def test_a_write_is_sent_again_where_it_cannot_have_been_done(
    first: HttpResponse | Failure,
) -> None:
    assert Run([first, OK], repeatable=False).error is None


@pytest.mark.parametrize("first", [CUT, status(502), status(503), status(504)])
def test_a_write_that_may_have_been_done_is_not_sent_again(first: HttpResponse | Failure) -> None:
    assert isinstance(Run([first], repeatable=False).error, Unreachable)


@pytest.mark.parametrize("code", [301, 400, 401, 403, 404, 409, 412, 413, 500, 501])
def test_no_other_status_is_asked_again(code: int) -> None:
    error = Run([status(code)]).error
    assert error is not None
    assert error.status == code


def test_tries_end_with_the_last_error() -> None:
    run = Run([CUT, CUT, status(503)])
    assert isinstance(run.error, Unreachable)
    assert run.error.status == 503
    assert Run([CUT], retries=0).pauses == []


def test_pauses_are_chance_up_to_a_bound_that_doubles() -> None:
    failures = [CUT] * 8
    bounds = Run(failures, retries=7, timeout=60.0).pauses
    assert bounds[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert bounds[-1] == LONGEST_PAUSE
    assert Run(failures, retries=7, chance=0.0).pauses == [0.0] * 7


@pytest.mark.parametrize("told", ["2", "Tue, 25 Nov 2025 12:00:02 GMT"])
def test_a_retry_after_is_waited_for_and_a_little_longer(told: str) -> None:
    assert Run([status(429, retry_after=told), OK]).pauses == [2.0 + FIRST_PAUSE]
    assert Run([status(503, retry_after=told), OK], chance=0.0).pauses == [2.0]


def test_a_retry_after_beyond_the_timeout_is_not_waited_for() -> None:
    run = Run([status(429, retry_after="5")])
    assert run.pauses == []
    assert run.error is not None
    assert run.error.status == 429


@pytest.mark.parametrize(
    "told", [None, "", "soon", "-1", "1.5", "²", "Tue, 25 Nov 2025 11:00:00 GMT"]
)
def test_a_retry_after_that_tells_nothing_is_none(told: str | None) -> None:
    assert retry_after(told, NOON) == 0.0


def test_all_tries_are_within_the_timeout() -> None:
    run = Run([CUT, CUT, CUT], takes=2.0, chance=0.0)
    assert [attempt.seconds for attempt in run.attempts] == [2.0, 2.0, 1.0]
    assert [attempt.connect_seconds for attempt in run.attempts] == [2.0, 2.0, 1.0]
    assert len(Run([CUT, CUT], takes=2.5, retries=9, chance=0.0).attempts) == 2


def test_a_write_may_take_all_the_time_there_is_and_its_connection_may_not() -> None:
    (attempt,) = Run([OK], repeatable=False).attempts
    assert (attempt.seconds, attempt.connect_seconds) == (5.0, 2.0)


def test_denials_are_logged_once_until_the_service_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    exchange = CallRules(timeout=5.0, attempt_timeout=2.0, retries=0, deny=True)
    call = calls.access(Query("APP", Device("Desktop", "22631")), explain=False)
    good = b"""{"product_id": "APP", "granted": true, "submission": {"granted": true,
        "audience": "public", "listing": "searchable", "reasons": []}, "package": {"granted": true,
        "source": null, "package": null, "action": "keep", "delivery": null, "reasons": []}}"""

    def ask(outcome: HttpResponse | Failure) -> Any:
        steps = exchange.steps(call)
        next(steps)
        with pytest.raises(StopIteration) as done:
            steps.send(outcome)
        return done.value.value

    with caplog.at_level(logging.INFO, "eligibility.client"):
        assert not ask(CUT).from_service
        assert not ask(status(503)).from_service
        assert len(caplog.records) == 1
        assert ask(HttpResponse(200, {}, good)).from_service
        assert not ask(CUT).granted
        assert len(caplog.records) == 2


@pytest.mark.parametrize(("code", "kind"), [(401, Unauthenticated), (429, Problem), (400, Problem)])
def test_a_callers_own_errors_are_raised_and_not_denied(code: int, kind: type[Problem]) -> None:
    exchange = CallRules(timeout=5.0, attempt_timeout=2.0, retries=0, deny=True)
    steps = exchange.steps(calls.access(Query("APP", Device("Desktop", "22631")), explain=False))
    next(steps)
    with pytest.raises(kind) as raised:
        steps.send(status(code))
    assert type(raised.value) is kind

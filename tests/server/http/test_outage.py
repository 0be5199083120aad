"""HTTP while things are broken: the store away, and errors that nobody foresaw."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from eligibility.app.app import create_app
from eligibility.callers.key_admin import KeyAdmin
from eligibility.server.http.gate import Gate
from eligibility.service.service import Service
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import bearer
from tests.helpers.stores.outage import Outage

GRACE = "grace@example.com"
QUERY = {"product_id": "APP", "account": {"id": GRACE}, "device": DESKTOP}


@pytest.fixture
def outage(service: Service, clock: Clock) -> Outage:
    group(service, "beta", GRACE)
    put(service, "APP", product(flight("f", ["beta"], "2.0.0.0")))
    clock.advance(3_600)
    return Outage(service, clock)


@dataclass
class Asked:
    """The application, and the header of a key of its store."""

    app: Gate
    headers: dict[str, str]


@pytest.fixture
def access(outage: Outage, service: Service, clock: Clock) -> Asked:
    service.evaluator = outage.evaluator
    key = KeyAdmin(service.keys, service.audit, lambda: clock.moment).create(
        "tests", name="tests", scopes=["admin"], publishers=None
    )
    return Asked(create_app(service), bearer(key.text))


def post(access: Asked, body: Any, path: str = "/v1/access") -> httpx2.Response:
    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=access.app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://test", headers=access.headers
        ) as client:
            return await client.post(path, json=body)

    return asyncio.run(send())


def test_memory_answers_and_says_how_old_it_is(access: Asked, outage: Outage, clock: Clock) -> None:
    assert post(access, QUERY).json()["stale_seconds"] == 0
    outage.begin()
    clock.advance(90)
    answer = post(access, QUERY)
    assert answer.status_code == 200
    assert answer.json()["stale_seconds"] == 90
    batch = post(access, {"queries": [QUERY]}, "/v1/access/batch")
    assert batch.json()["decisions"][0] == answer.json()


def test_past_the_limit_the_answer_is_503_and_when_to_try_again(
    access: Asked, outage: Outage, clock: Clock
) -> None:
    post(access, QUERY)
    outage.begin()
    clock.advance(1_801)
    answer = post(access, QUERY)
    assert_problem(answer, 503, "STORE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0
    batch = post(access, {"queries": [QUERY]}, "/v1/access/batch")
    assert batch.json()["decisions"][0]["status"] == 503


def test_a_product_not_in_memory_is_503_never_a_guess(access: Asked, outage: Outage) -> None:
    outage.begin()
    assert_problem(post(access, QUERY), 503, "STORE_UNAVAILABLE")


def test_an_error_nobody_foresaw_is_a_problem_too_and_tells_nothing(
    access: Asked,
    outage: Outage,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(outage.evaluator, "decide", broken)
    answer = post(access, QUERY)
    assert_problem(answer, 500, "INTERNAL_ERROR")
    assert "secret" not in answer.text
    assert "secret" in caplog.text

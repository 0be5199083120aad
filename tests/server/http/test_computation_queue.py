"""Long computations leave the server to others: one at a time, and access queries in between."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from eligibility.server.http import limits
from eligibility.server.http.limits import ComputationQueue, Overloaded
from tests.helpers.catalog.products import DESKTOP
from tests.helpers.servers.process import Server


class Work:
    """Counts how many are under way at once."""

    def __init__(self) -> None:
        self.present = self.most = 0
        self.lock = threading.Lock()

    def __call__(self) -> int:
        with self.lock:
            self.present += 1
            self.most = max(self.most, self.present)
        time.sleep(0.01)
        with self.lock:
            self.present -= 1
        return self.most


async def together(taking: ComputationQueue, work: Callable[[], int], times: int) -> list[object]:
    return await asyncio.gather(*(taking.run(work) for _ in range(times)), return_exceptions=True)


def test_one_is_computed_at_a_time() -> None:
    assert asyncio.run(together(ComputationQueue(), Work(), 8)) == [1] * 8


def test_whoever_comes_when_too_many_wait_is_told_to_come_again() -> None:
    taking = ComputationQueue()
    found = asyncio.run(together(taking, Work(), limits.MOST_WAITING + 4))
    refused = [one for one in found if isinstance(one, Overloaded)]
    assert len(refused) == 3
    assert asyncio.run(taking.run(Work())) == 1  # and others have their turn afterwards


def test_work_that_fails_gives_its_turn_back() -> None:
    def fail() -> int:
        raise ValueError

    async def both(taking: ComputationQueue) -> int:
        with pytest.raises(ValueError, match=r"^$"):
            await taking.run(fail)
        return await taking.run(Work())

    assert asyncio.run(both(ComputationQueue())) == 1


def test_access_queries_are_answered_while_simulations_run(server: Server) -> None:
    """10,000 accounts x every device, again and again; a query takes a hundredth of what one takes."""
    base = "/v1/publishers/turning"
    names = [f"tester{number}@example.com" for number in range(10_000)]
    for place in range(6):
        members = names[place * 1_000 : place * 1_000 + 4_000]
        made = server.http.post(f"{base}/groups", json={"name": f"g{place}", "emails": members})
        assert made.status_code == 201
    package = {"file_name": "a", "architectures": ["x64"], "targets": {"Windows.Desktop": "17763"}}
    flights = [
        {
            "flight_id": f"f{place}",
            "name": f"f{place}",
            "groups": [f"g{place}"],
            "packages": [{**package, "version": f"{place + 2}.0.0.0"}],
        }
        for place in range(6)
    ]
    body = {"name": "Turning", "submission": {"packages": [{**package, "version": "1.0.0.0"}]}}
    put = server.http.put(f"{base}/products/TURNING", json={**body, "flights": flights})
    assert put.status_code == 200, put.text
    asked = {"product_id": "TURNING", "accounts": names, "devices": ["all"]}
    query = {"product_id": "TURNING", "device": DESKTOP, "account": {"id": names[0]}}
    server.access(query)
    with ThreadPoolExecutor(4) as pool:
        simulating = [
            pool.submit(server.http.post, "/v1/simulations", json=asked, timeout=60)
            for _ in range(8)
        ]
        took = []
        while not all(one.done() for one in simulating):
            began = time.perf_counter()
            server.access(query)
            took.append(time.perf_counter() - began)
    assert all(one.result().text.count("\n") > 10_000 for one in simulating)
    median, slowest = sorted(took)[len(took) // 2], max(took)
    assert len(took) > 50, took
    assert median < 0.05
    assert slowest < 1, slowest

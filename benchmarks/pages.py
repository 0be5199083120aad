"""Dashboard pages as a browser requests them, with the sample and with a full store.

Full: 1,000 groups, 100 products, 100,000 memberships, and last answers of a third of the members.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from benchmarks.keys import make_key
from benchmarks.report import Figure
from benchmarks.serving import service_url
from benchmarks.world import World
from eligibility.activity.model import Batch, CountKey, LastAnswer
from eligibility.catalog.validation import read_product
from eligibility.cli.demo.activity import invent_activity
from eligibility.cli.demo.demo import load_sample
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.member_set import digest

GROUPS, PRODUCTS, MEMBERS, LARGE = 1_000, 100, 91, 10_000
"""Each group has MEMBERS members, except the first, which has LARGE: 100,909 memberships."""
_PUBLISHER = "bench"
_HOME = "/dashboard"
_HOURS_AGO = 7_200
"""Age of the stored data, in seconds: old enough that no membership is still settling."""
_QUERY = {"account": "m0@example.com", "family": "Windows.Desktop", "os": "22631", "arch": "x64"}
_CONTENT = {"accept-encoding": "identity"}


def measure(world: World, rounds: int) -> Iterator[Figure]:
    """Measure each page with both stores. The reference is the sign-in page of the same server."""
    del world
    for fill, publisher, product, group, most in (
        (_sample, "contoso", "9NCONTOSORDR", "insiders", 200),
        (_much, _PUBLISHER, "P000", "g0000", 500),
    ):
        with _store(fill) as store, service_url(store) as url, httpx2.Client(base_url=url) as http:
            token = _sign_in(http, make_key(store))
            here = f"{_HOME}/{publisher}"
            page = f"{here}/products/{product}"
            pages = (here, page, f"{page}/readiness", f"{here}/groups", f"{here}/groups/{group}")
            for path in (*pages, f"{here}/ask", f"{here}/live"):
                yield _figure(http, rounds, path, partial(http.get, path), most)
            form = {**_QUERY, "product": product, "csrf": token}
            answer = partial(http.post, f"{here}/ask", data=form)
            yield _figure(http, rounds, f"{here}/ask, answered", answer, most)


def _figure(
    http: httpx2.Client, rounds: int, name: str, ask: Callable[[], Any], most_ms: int
) -> Figure:
    pairs = [(_ms(ask), _ms(lambda: http.get(f"{_HOME}/sign-in"))) for _ in range(rounds + 1)]
    page, plain = (statistics.median(column[1:]) for column in zip(*pairs, strict=True))
    size = len(ask().content) / 1_024
    return Figure(
        f"{name}, {size:.0f} KiB",
        page,
        "ms",
        "the sign-in page",
        plain,
        page / plain,
        f"{most_ms} ms",
    )


def _ms(ask: Callable[[], Any]) -> float:
    started = time.perf_counter()
    answer = ask()
    taken = (time.perf_counter() - started) * 1_000
    assert answer.status_code == 200, (answer.status_code, answer.text[:500])
    return taken


def _sign_in(http: httpx2.Client, key: str) -> str:
    """Sign in, and return the CSRF token for forms."""
    http.headers.update(_CONTENT)
    signed_in = http.post(f"{_HOME}/sign-in", data={"key": key}, follow_redirects=True)
    return signed_in.text.partition('x-csrf-token": "')[2].partition('"')[0]


@contextmanager
def _store(fill: Callable[[Service], None]) -> Iterator[str]:
    with TemporaryDirectory(prefix="eligibility-bench-") as directory:
        store = f"sqlite:///{Path(directory) / 'pages.db'}"
        with Service(Settings(store=store), lambda: time.time() - _HOURS_AGO) as service:
            fill(service)
        yield store


def _sample(service: Service) -> None:
    load_sample(service)
    invent_activity(service, "contoso")


def _much(service: Service) -> None:
    """Store the groups, products with ten groups each, and activity."""
    for number in range(GROUPS):
        size = MEMBERS if number else LARGE
        begin = number * 50
        emails = [f"m{begin + index}@example.com" for index in range(size)]
        group_id = f"g{number:04}"
        service.groups.create(_PUBLISHER, group_id, emails, group_id=group_id, actor="bench")
    for number in range(PRODUCTS):
        body = _product(number)
        service.catalog.put(_PUBLISHER, f"P{number:03}", read_product(body), actor="bench")
    _note_activity(service)


def _product(number: int) -> dict[str, Any]:
    groups = [f"g{number * 10 + index:04}" for index in range(10)]
    flights = [
        {
            "flight_id": f"flight-{index}",
            "name": f"Flight {index}",
            "groups": groups[2 * index : 2 * index + 2],
            "packages": [_package(f"{5 - index}.0.0.0")],
        }
        for index in range(4)
    ]
    submission = {
        "audience": "private",
        "audience_groups": groups,
        "packages": [_package("1.0.0.0")],
    }
    return {"name": f"Product {number}", "submission": submission, "flights": flights}


def _package(version: str) -> dict[str, Any]:
    return {
        "file_name": f"Bench_{version}.msixbundle",
        "version": version,
        "architectures": ["x64", "arm64"],
        "targets": {"Windows.Desktop": "10.0.17763.0"},
    }


def _note_activity(service: Service) -> None:
    """Store last answers of a third of the first group and of some others, and hourly counts."""
    key, now = service.groups.digest_key(), int(service.evaluator.clock())
    answer = LastAnswer(
        now,
        "flight",
        "flight-0",
        "5.0.0.0",
        ("FLIGHT_MEMBER",),
        "Windows.Desktop",
        "10.0.22631.0",
        "x64",
    )
    last = {
        (f"P{number:03}", digest(f"m{number * 500 + index}@example.com", key)): answer
        for number in range(PRODUCTS)
        for index in range(0, 300 if number else LARGE, 3)
    }
    minute = now - now % 60
    counts = {
        (minute - 3_600 * hour, CountKey(f"P{number:03}", "flight", "flight-0", "FLIGHT_MEMBER")): 7
        for hour in range(48)
        for number in range(PRODUCTS)
    }
    service.activity.add(_PUBLISHER, Batch(counts, last))

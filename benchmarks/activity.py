"""Cost of recording activity, over HTTP and as CPU time of a request in process.

The reference over HTTP has activity_days = 0, but still counts for /metrics. In process the reference
records nothing. CPU time includes the recorder's thread.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.keys import make_key
from benchmarks.report import Figure, in_turns
from benchmarks.serving import compact, rates, script, service_url, wrk_is_there
from benchmarks.world import World
from eligibility.app.app import create_app
from eligibility.server.http.asgi import AsgiMessage, AsgiScope
from eligibility.server.http.gate import Gate
from eligibility.service.service import Service
from eligibility.service.settings import Settings

_BATCH = 1_000
_SINGLE, _BATCH_PATH = "/v1/access", "/v1/access/batch"
_TARGET = "at least 0.97"


def measure(world: World, rounds: int) -> Iterator[Figure]:
    """Measure single queries and batches, over HTTP and in process."""
    singles = [compact(fields) for fields in world.fields(4_000, seed=1)]
    batches = [compact({"queries": world.fields(_BATCH, seed)}) for seed in range(2, 42)]
    key = make_key(world.store)
    if wrk_is_there():
        yield from _over_http(world, rounds, singles, batches, key)
    yield from _in_process(world, rounds, singles, batches, key)


def _over_http(
    world: World, rounds: int, singles: list[str], batches: list[str], key: str
) -> Iterator[Figure]:
    with (
        TemporaryDirectory() as directory,
        service_url(world.store) as noting,
        service_url(world.store, ELIGIBILITY_ACTIVITY_DAYS="0") as without,
    ):
        single = script(Path(directory) / "single.lua", _SINGLE, singles, key)
        batch = script(Path(directory) / "batch.lua", _BATCH_PATH, batches, key)
        for name, load, connections, unit, queries in (
            ("POST /v1/access", single, 32, "requests/s", 1),
            ("batches of 1,000", batch, 4, "decisions/s", _BATCH),
        ):
            pair = (noting, load, connections), (without, load, connections)
            measured = rates(rounds, *pair, unit, queries, "without activity")
            yield Figure(f"{name}, activity noted", *measured, _TARGET)


def _in_process(
    world: World, rounds: int, singles: list[str], batches: list[str], key: str
) -> Iterator[Figure]:
    with ExitStack() as stack:
        noting, deaf = (stack.enter_context(Service(Settings(store=world.store))) for _ in range(2))
        recorder: Any = deaf.recorder
        recorder.record = recorder.record_batch = lambda *_: None
        noting.recorder.start()
        apps = create_app(noting), create_app(deaf)
        for name, path, bodies, requests in (
            ("a query", _SINGLE, singles, 20_000),
            ("a batch of 1,000", _BATCH_PATH, batches, 100),
        ):
            work, reference = (_timed(app, path, bodies, key, requests) for app in apps)
            work(), reference()  # warm
            spent, without, ratio = in_turns(rounds, work, reference)
            yield Figure(
                f"CPU time of {name} in process, activity noted",
                *(spent, "\u00b5s", "nothing heard", without, ratio, ""),
            )


def _timed(app: Gate, path: str, bodies: list[str], key: str, requests: int) -> Callable[[], float]:
    """Build a function that measures CPU microseconds per request, of all threads."""
    sent = [body.encode() for body in bodies]
    scope: AsgiScope = {"type": "http", "method": "POST", "path": path, "query_string": b""}
    bearer = (b"authorization", f"Bearer {key}".encode())
    scope["headers"] = [bearer, (b"content-type", b"application/json")]

    async def run() -> None:
        for number in range(requests):
            body = sent[number % len(sent)]

            async def receive(body: bytes = body) -> AsgiMessage:
                return {"type": "http.request", "body": body}

            await app(dict(scope), receive, _ignored)

    def timed() -> float:
        began = time.process_time()
        asyncio.run(run())
        return (time.process_time() - began) / requests * 1e6

    return timed


async def _ignored(_: AsgiMessage) -> None:
    pass

"""From the moment an edit is acknowledged until every one of several server processes answers with it.

Each server is `eligibility serve` in a process of its own; the edit goes to the first over HTTP, and
then all of them are asked in turns, over HTTP too, until each has it. The slowest counts.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from benchmarks import servers
from benchmarks.report import Figure
from benchmarks.world import World
from eligibility.catalog.validation import read_product
from eligibility.service import Service
from eligibility.settings import Settings

_SERVERS = 3
_EDITS, _EDITS_BY_POLL = 200, 20
_ASKED = {
    "product_id": "SPREAD",
    "account": {"id": "late@example.com"},
    "device": {"family": "Windows.Desktop", "os_version": "10.0.22631.1", "architecture": "x64"},
}
_PRODUCT = {"name": "Spread", "submission": {"audience": "private", "audience_groups": ["beta"]}}
_MEMBERS = "/v1/publishers/bench/groups/beta/members"


def measure(world: World, rounds: int) -> Iterator[Figure]:  # noqa: ARG001 - edits are the rounds
    """The 99th percentile, in milliseconds; the reference is the durable edit itself."""
    with TemporaryDirectory() as directory:
        yield _figure("SQLite", f"sqlite:///{Path(directory) / 's.db'}", "at most 5 ms")
    always = ("--appendonly", "yes", "--appendfsync", "always")
    with servers.valkey(*always) as one:
        yield _figure("Valkey", one.url, "at most 100 ms")
        with one.client() as client:  # may do all but listen: as if every message were lost
            client.execute_command(
                *["ACL", "SETUSER", "deaf", "on", "nopass", "~*", "resetchannels", "+@all"]
            )
        deaf = one.url.replace("redis://", "redis://deaf:any@") + "?prefix=deaf"
        yield _figure("Valkey, no messages", deaf, "at most 1,500 ms", _EDITS_BY_POLL)
    with servers.redis_server(*always) as one:
        yield _figure("Redis", one.url, "at most 100 ms")
    with servers.valkey_cluster(*always) as cluster:
        yield _figure("Valkey cluster", cluster.url, "at most 100 ms")


def _figure(kind: str, store: str, target: str, edits: int = _EDITS) -> Figure:
    with Service(Settings(store=store)) as service:
        service.groups.create("bench", "beta", ["ada@example.com"], actor="bench")
        service.catalog.put("bench", "SPREAD", read_product(_PRODUCT), actor="bench")
    with ExitStack() as stack:
        clients = [stack.enter_context(_serving(store)) for _ in range(_SERVERS)]
        for client in clients:
            _sees(client)
        time.sleep(2)
        delays, written = [], []
        for number in range(edits):
            joins = number % 2 == 0
            change = {"add" if joins else "remove": ["late@example.com"]}
            began = time.perf_counter()
            clients[0].patch(_MEMBERS, json=change).raise_for_status()
            acknowledged = time.perf_counter()
            written.append(acknowledged - began)
            waiting = list(clients)
            while waiting:
                waiting = [client for client in waiting if _sees(client) != joins]
            delays.append(time.perf_counter() - acknowledged)
    seen, edit = _percentile(delays) * 1e3, _percentile(written) * 1e3
    name = f"{kind}: in force on {_SERVERS} server processes, 99th percentile of {edits} edits"
    return Figure(name, seen, "ms", "the durable edit itself", edit, seen / edit, target)


def _sees(client: httpx2.Client) -> bool:
    answer: dict[str, Any] = client.post("/v1/access", json=_ASKED).json()
    return bool(answer["submission"]["granted"])


def _percentile(values: list[float]) -> float:
    return sorted(values)[max(0, int(len(values) * 0.99) - 1)]


@contextmanager
def _serving(store: str) -> Iterator[httpx2.Client]:
    command = [sys.executable, "-c", "from eligibility.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "serve", "--port", "0", "--store", store], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        with httpx2.Client(base_url=found.group(), timeout=10) as client:
            yield client
    finally:
        process.terminate()
        process.wait(20)

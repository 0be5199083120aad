"""Delay from the acknowledgement of an edit until all of several server processes answer with it.

Each server is `eligibility serve` in its own process. The first one gets the edit over HTTP. Then all
are queried until each answer has it; the slowest determines the delay. Queries use plain sockets, so
that a client library adds no time.
"""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from benchmarks import servers
from benchmarks.keys import make_key
from benchmarks.report import Figure
from benchmarks.world import World
from eligibility.catalog.validation import read_product
from eligibility.service.service import Service
from eligibility.service.settings import Settings

_SERVERS = 3
_EDITS, _EDITS_BY_POLL = 200, 20
_QUERY = {
    "product_id": "SPREAD",
    "account": {"id": "late@example.com"},
    "device": {"family": "Windows.Desktop", "os_version": "10.0.22631.1", "architecture": "x64"},
}
_PRODUCT = {"name": "Spread", "submission": {"audience": "private", "audience_groups": ["beta"]}}
_MEMBERS = "/v1/publishers/bench/groups/beta/members"


def measure(world: World, rounds: int) -> Iterator[Figure]:  # noqa: ARG001 - the edits replace rounds
    """Measure the 99th percentile, in milliseconds. The reference is the durable edit itself."""
    with TemporaryDirectory() as directory:
        yield _figure("SQLite", f"sqlite:///{Path(directory) / 's.db'}", "at most 5 ms")
    always = ("--appendonly", "yes", "--appendfsync", "always")
    with servers.valkey(*always) as server:
        yield _figure("Valkey", server.url, "at most 100 ms")
        with server.client() as client:  # user without channels: as if every message were lost
            client.execute_command(
                *["ACL", "SETUSER", "deaf", "on", "nopass", "~*", "resetchannels", "+@all"]
            )
        deaf = server.url.replace("redis://", "redis://deaf:any@") + "?prefix=deaf"
        yield _figure("Valkey, no messages", deaf, "at most 1,500 ms", _EDITS_BY_POLL)
    with servers.redis_server(*always) as server:
        yield _figure("Redis", server.url, "at most 100 ms")
    with servers.valkey_cluster(*always) as cluster:
        yield _figure("Valkey cluster", cluster.url, "at most 100 ms")


def _figure(kind: str, store: str, target: str, edits: int = _EDITS) -> Figure:
    with Service(Settings(store=store)) as service:
        service.groups.create("bench", "beta", ["ada@example.com"], actor="bench")
        service.catalog.put("bench", "SPREAD", read_product(_PRODUCT), actor="bench")
    with ExitStack() as stack:
        key = make_key(store)
        clients = [stack.enter_context(_serving(store, key)) for _ in range(_SERVERS)]
        askers = [stack.enter_context(_Asker(client.base_url.port, key)) for client in clients]
        for asker in askers:
            asker.ask()
            asker.sees()
        time.sleep(2)
        delays, written = [], []
        for number in range(edits):
            joins = number % 2 == 0
            change = {"add" if joins else "remove": ["late@example.com"]}
            began = time.perf_counter()
            clients[0].patch(_MEMBERS, json=change).raise_for_status()
            acknowledged = time.perf_counter()
            written.append(acknowledged - began)
            waiting = list(askers)
            while waiting:
                for asker in waiting:
                    asker.ask()
                waiting = [asker for asker in waiting if asker.sees() != joins]
            delays.append(time.perf_counter() - acknowledged)
    seen, edit = _percentile(delays) * 1e3, _percentile(written) * 1e3
    name = f"{kind}: in force on {_SERVERS} server processes, 99th percentile of {edits} edits"
    return Figure(name, seen, "ms", "the durable edit itself", edit, seen / edit, target)


class _Asker:
    """A connection that repeats the same access query."""

    def __init__(self, port: int | None, key: str) -> None:
        body = json.dumps(_QUERY).encode()
        head = f"POST /v1/access HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(body)}\r\n"
        head += f"authorization: Bearer {key}\r\n"
        self._request = f"{head}content-type: application/json\r\n\r\n".encode() + body
        self._connection = socket.create_connection(("127.0.0.1", port or 0), timeout=10)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self) -> None:
        """Send the query."""
        self._connection.sendall(self._request)

    def sees(self) -> bool:
        """Read the answer, and return whether the account may see the product."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if length is None or b" 200 " not in head:
            raise ConnectionError(head.decode("latin-1"))
        while len(body) < int(length[1]):
            body += self._more()
        return b'"submission":{"granted":true' in body

    def _more(self) -> bytes:
        part = self._connection.recv(65_536)
        if not part:
            raise ConnectionError("the server closed the connection")
        return part

    def __enter__(self) -> "_Asker":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _percentile(values: list[float]) -> float:
    return sorted(values)[max(0, int(len(values) * 0.99) - 1)]


@contextmanager
def _serving(store: str, key: str) -> Iterator[httpx2.Client]:
    command = [sys.executable, "-c", "from eligibility.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "serve", "--port", "0", "--store", store], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = re.search(r"http://\S+", process.stdout.readline())
        assert url is not None
        headers = {"authorization": f"Bearer {key}"}
        with httpx2.Client(base_url=url.group(), timeout=10, headers=headers) as client:
            yield client
    finally:
        process.terminate()
        process.wait(20)

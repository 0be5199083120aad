"""Delay from the acknowledgement of an edit in one process to its effect in another."""

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from benchmarks.report import Figure
from benchmarks.world import AUDIENCE, PRODUCT_ID, PUBLISHER, World
from eligibility.access.wire import query_of
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.model import MembershipEdit

_EDITS = 200
_DEVICE = {"family": "Windows.Desktop", "os_version": "10.0.22631.1", "architecture": "x64"}


def measure(world: World, rounds: int) -> Iterator[Figure]:  # noqa: ARG001 - the edits replace rounds
    """Measure the 99th percentile, in milliseconds. The reference is the durable edit itself."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_watch, args=(world.store, there), daemon=True
    )
    process.start()
    here.recv()
    delays, edits = [], []
    with Service(Settings(store=world.store)) as service:
        for address in world.members[AUDIENCE][:_EDITS]:
            here.send(address)
            here.recv()
            started = time.monotonic()
            edit = MembershipEdit(remove=(address,))
            service.groups.edit(PUBLISHER, AUDIENCE, edit, actor="bench")
            acknowledged = time.monotonic()
            edits.append(acknowledged - started)
            delays.append(max(0.0, here.recv() - acknowledged))
    here.send(None)
    process.join(20)
    seen, edit_time = _percentile(delays) * 1e3, _percentile(edits) * 1e3
    name = f"seen by another process, 99th percentile of {_EDITS} edits"
    reference = "the durable edit itself"
    yield Figure(name, seen, "ms", reference, edit_time, seen / edit_time, "at most 5 ms")


def _percentile(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99) - 1]


def _watch(store: str, pipe: Connection) -> None:
    """Ask about a member until the removal is effective, and send the time of that."""
    with Service(Settings(store=store)) as service:
        decide = service.evaluator.decide
        pipe.send("ready")
        while (address := pipe.recv()) is not None:
            query = query_of(product_id=PRODUCT_ID, account={"id": address}, device=_DEVICE)
            decide(query)
            pipe.send("asking")
            while decide(query).submission.granted:
                pass
            pipe.send(time.monotonic())

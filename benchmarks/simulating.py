"""Simulation of a million accounts on 60 devices, compared with deciding each pair."""

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from benchmarks.report import Figure
from benchmarks.world import PRODUCT, PRODUCT_ID, PUBLISHER, World
from eligibility.access.asker import Asker
from eligibility.catalog.validation import read_product
from eligibility.engine.held_product import HeldProduct
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from eligibility.simulation.inputs.devices import NamedDevice, read_devices
from eligibility.simulation.inputs.drafts import NO_DRAFT, Draft
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import Matrix, simulate
from eligibility.simulation.state import State

_ACCOUNTS = 1_000_000
_DEVICES = 60
_SAMPLE = 200
"""Number of accounts that the reference decides on every device."""
_MEGABYTE = 1_000_000
_REFERENCE = "the plain product of pairs, from 12,000 of them"


class Run(NamedTuple):
    """Result of one run: seconds of CPU time, so that other processes do not matter, and memory."""

    seconds: float
    pairs_seconds: float
    peak_mb: float
    before_mb: float


def measure(world: World, rounds: int) -> Iterator[Figure]:
    """Measure seconds and megabytes, without and with rollouts. Each round is a process."""
    for name, rollout in (("", False), (", two rollouts in progress", True)):
        runs = [_run(world.store, rollout) for _ in range(rounds)]
        by_time = sorted(runs, key=lambda run: run.seconds / run.pairs_seconds)[rounds // 2]
        yield Figure(
            f"a million accounts x {_DEVICES} devices{name}",
            by_time.seconds,
            "s",
            _REFERENCE,
            by_time.pairs_seconds,
            by_time.seconds / by_time.pairs_seconds,
            "at most 2 s",
        )
        peak = max(runs, key=lambda run: run.peak_mb)
        yield Figure(
            f"the same, peak memory of the process{name}",
            peak.peak_mb,
            "MB",
            "before, the million addresses included",
            peak.before_mb,
            peak.peak_mb / peak.before_mb,
            "at most 500 MB",
        )


def _run(store: str, rollout: bool) -> Run:
    command = [sys.executable, "-m", "benchmarks.simulating", store, str(int(rollout))]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return Run(*json.loads(ran.stdout))


def _main(store: str, rollout: bool) -> None:
    """Run once in this process, and print the result as JSON."""
    population = Population(
        [f"user{number:06d}@example.com" for number in range(_ACCOUNTS)],
        Asker(installed_version="1.0.0.0"),
    )
    devices = read_devices("flights")[:_DEVICES]
    assert len(devices) == _DEVICES
    with Service(Settings(store=store)) as service:
        state = service.states.read(PRODUCT_ID, draft=_draft() if rollout else NO_DRAFT)
        before = _most_memory_mb()
        started = time.process_time()
        matrix = simulate(state, population, devices)
        taken = time.process_time() - started
        peak = _most_memory_mb()
        pairs = _pairs_seconds(state, matrix, devices)
    print(json.dumps([taken, pairs, peak, before]))


def _draft() -> Draft:
    """Build the product with rollouts in progress, of the submission and of a flight."""
    previous = [{**package, "version": "1.0.1.0"} for package in PRODUCT["submission"]["packages"]]
    rollout = {"percentage": 25, "status": "in_progress", "previous_packages": previous}
    body: dict[str, Any] = {
        **PRODUCT,
        "submission": {**PRODUCT["submission"], "rollout": rollout},
        "flights": [
            {**PRODUCT["flights"][0], "rollout": {**rollout, "percentage": 60}},
            *PRODUCT["flights"][1:],
        ],
    }
    return replace(NO_DRAFT, publisher=PUBLISHER, products={PRODUCT_ID: read_product(body)})


def _pairs_seconds(state: State, matrix: Matrix, devices: tuple[NamedDevice, ...]) -> float:
    """Estimate the time to decide every pair from a sample, and check the matrix against it."""
    sample = random.Random(1).sample(range(_ACCOUNTS), _SAMPLE)
    queries = [
        matrix.population.asker(account).query(PRODUCT_ID, named.device)
        for account in sample
        for named in devices
    ]
    product, now = HeldProduct(state.snapshot, "", 0, 0.0), state.moment.timestamp()
    started = time.process_time()
    decisions = [product.answer(query, now) for query in queries]
    taken = time.process_time() - started
    simulated = [
        matrix.decision(account, device) for account in sample for device in range(len(devices))
    ]
    assert simulated == decisions, "a matrix is exact"
    return taken * _ACCOUNTS / _SAMPLE


def _most_memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 / _MEGABYTE


if __name__ == "__main__":
    _main(sys.argv[1], bool(int(sys.argv[2])))

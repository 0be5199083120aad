"""Runner of a peer: checks each answer and measures the time. Standard library only."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROUNDS = 5


def run(prepare: Callable[[dict[str, Any]], Callable[[str, str, int], str | None]]) -> None:
    """Check every case, then print the microseconds per decision."""
    world = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    decide = prepare(world)
    for case, answer in zip(world["cases"], world["answers"], strict=True):
        decided = decide(*case)
        if decided != answer:
            raise SystemExit(f"wrong: {case} is {decided}, not {answer}")
    timings = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for case in world["cases"]:
            decide(*case)
        timings.append((time.perf_counter() - started) / len(world["cases"]) * 1e6)
    print(statistics.median(timings))

"""How a peer is asked: a line of cases on standard input, a line of times and answers back.

Only the standard library: the peers' environment has nothing else of ours.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

Ask = Callable[[str, str, int], str | None]
"""(account, device family, build) -> flight, submission, or None."""


class Rules(NamedTuple):
    """What the decision is made of."""

    groups: dict[str, list[str]]
    flights: dict[str, list[str]]
    flight_families: list[str]
    audience: str
    submission: str
    minimum_build: int

    @property
    def sources(self) -> dict[str, list[str]]:
        """The groups of every flight from the highest rank, and at the end of the submission."""
        return {**self.flights, self.submission: [self.audience]}


def serve(load: Callable[[Rules], Ask]) -> None:
    """Load the rules that the argument names, then answer until standard input ends."""
    ask = load(Rules(**json.loads(Path(sys.argv[1]).read_text("utf-8"))))
    print("ready", flush=True)
    for line in sys.stdin:
        cases = json.loads(line)
        begin = time.perf_counter()
        answers = [ask(account, family, build) for account, family, build in cases]
        seconds = time.perf_counter() - begin
        print(json.dumps({"seconds": seconds, "answers": answers}), flush=True)

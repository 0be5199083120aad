"""A warm `Evaluator.decide` in one process, compared with minimal Python code (floor) and peers.

The floor uses a dict and build numbers: no reasons, remedies or freshness. Peers are general policy
engines with the same groups and rules, in their own environments (`benchmarks/peers`). Their
answers are compared with ours before timing.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import structs

from benchmarks.report import Figure, in_turns, seconds
from benchmarks.world import AUDIENCE, FLIGHTS, World
from eligibility.access.model import AccessQuery
from eligibility.engine.evaluator import Evaluator
from eligibility.service.service import Service
from eligibility.service.settings import Settings

_QUERIES = 20_000
_NEW_QUERIES = 2_000
_CHECKED = 1_000
_HERE = Path(__file__).resolve().parent
_PEERS_VENV = _HERE.parent / ".venv-peers"
PEERS = {"cedar": ("cedarpy", "Cedar (cedarpy)"), "rego": ("hobofan-regorus", "Rego (regorus)")}

Answer = str | None
"""Answer of floor and peers: a flight, "submission", or None = denied."""


def measure(world: World, rounds: int) -> Iterator[Figure]:
    """Measure microseconds per decision of the evaluator, the floor and each peer."""
    with Service(Settings(store=world.store)) as service:
        evaluator = service.evaluator
        for query in world.queries(_QUERIES, seed=0):
            evaluator.decide(query)
        floor_answer = floor(world)
        check = world.queries(_CHECKED, seed=1)
        answers = [_answer(evaluator, query) for query in check]
        wrong = sum(map(lambda q, a: floor_answer(q) != a, check, answers))
        if wrong:
            raise SystemExit(f"the floor answers {wrong} of {_CHECKED} queries otherwise")
        seeds = iter(range(2, 1_000))

        def own() -> float:
            return _per_query(evaluator.decide, world.queries(_QUERIES, next(seeds)))

        def least() -> float:
            return _per_query(floor_answer, world.queries(_QUERIES, next(seeds)))

        def cold() -> float:
            return _per_query(evaluator.decide, _new_queries(world, next(seeds)))

        decide, bare, ratio = in_turns(rounds, own, least)
        first, _, first_ratio = in_turns(rounds, cold, least)
        granted = sum(answer is not None for answer in answers) / _CHECKED
    name = f"decide, {granted:.0%} granted"
    yield Figure(name, decide, "us", "plain Python floor", bare, ratio, "at most 4 us")
    name = "decide, nothing cached for the query"
    yield Figure(name, first, "us", "plain Python floor", bare, first_ratio, "")
    for peer, (package, title) in PEERS.items():
        measured = _peer(peer, package, world, check, answers)
        over = decide / measured if measured else None
        yield Figure(f"decide, against {title}", decide, "us", title, measured, over, "below")


def _new_queries(world: World, seed: int) -> list[AccessQuery]:
    """Return queries that no cache can know, because each installed version is a new one."""
    return [
        structs.replace(query, installed_version=f"1.{seed}.{number}.0")
        for number, query in enumerate(world.queries(_NEW_QUERIES, seed))
    ]


def _per_query(decide: Callable[[AccessQuery], object], queries: list[AccessQuery]) -> float:
    def run() -> None:
        for query in queries:
            decide(query)

    return seconds(run) / len(queries) * 1e6


def _answer(evaluator: Evaluator, query: AccessQuery) -> Answer:
    decision = evaluator.decide(query)
    source = decision.package.source
    if not decision.granted or source is None:
        return None
    return source.flight_id or "submission"


def floor(world: World) -> Callable[[AccessQuery], Answer]:
    """Minimal correct code: one dict, one bit mask, two comparisons."""
    masks: dict[str, int] = {}
    order = [*(groups for _, groups in FLIGHTS), (AUDIENCE,)]
    bits = {group: 1 << position for position, groups in enumerate(order) for group in groups}
    for group, members in world.members.items():
        for address in members:
            masks[address] = masks.get(address, 0) | bits[group]
    audience = bits[AUDIENCE]
    flights = [(bits[groups[0]], name) for name, groups in FLIGHTS]
    flighted = {"Windows.Desktop", "Windows.Xbox"}

    def answer(query: AccessQuery) -> Answer:
        account = query.account
        mask = masks.get(account.id, 0) if account is not None else 0
        device = query.device
        build = int(device.os_version.split(".", 3)[2])
        if not mask & audience or build < 14_393:
            return None
        if device.family in flighted and (build >= 10_586 or device.family == "Windows.Xbox"):
            for bit, name in flights:
                if mask & bit:
                    return name
        return "submission"

    return answer


def _peer(
    peer: str, package: str, world: World, check: list[AccessQuery], answers: list[Answer]
) -> float | None:
    """Measure a peer's microseconds per decision. If it fails, print why and return None."""
    python = _PEERS_VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(_PEERS_VENV)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*install, package], check=False).returncode:
        print(f"{package} cannot be installed: its figure is left out")
        return None
    cases = [
        [q.account.id if q.account else "", q.device.family, int(q.device.os_version.split(".")[2])]
        for q in check
    ]
    with TemporaryDirectory() as directory:
        world_file = Path(directory) / "world.json"
        world_file.write_text(
            json.dumps(
                {
                    "members": world.members,
                    "audience": AUDIENCE,
                    "flights": FLIGHTS,
                    "cases": cases,
                    "answers": answers,
                }
            )
        )
        ran = subprocess.run(
            [str(python), str(_HERE / "peers" / f"{peer}.py"), str(world_file)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    if ran.returncode:
        print(f"{package} failed: {ran.stderr.strip().splitlines()[-1]}")
        return None
    return float(ran.stdout)

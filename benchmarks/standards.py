"""AuthZEN and OFREP over HTTP, with the world and the reference of serving.py."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.keys import make_key
from benchmarks.report import Figure
from benchmarks.serving import answer_size, bare, compact, rates, script, service_url, wrk_is_there
from benchmarks.world import FLIGHTS, PRODUCT_ID, World

_BATCH = 1_000
_SINGLE, _BATCH_PATH = "/access/v1/evaluation", "/access/v1/evaluations"
_FLAGS = "/ofrep/v1/evaluate/flags"
_FLAG = f"{_FLAGS}/flight:{PRODUCT_ID}:{FLIGHTS[0][0]}"


def measure(world: World, rounds: int) -> Iterator[Figure]:
    """Measure AuthZEN, then OFREP, if wrk is installed."""
    if wrk_is_there():
        yield from _authzen(world, rounds)
        yield from _ofrep(world, rounds)


def _authzen(world: World, rounds: int) -> Iterator[Figure]:
    """Measure single evaluations, and batches whose items have their own subject and context."""
    singles = [compact(_evaluation(fields)) for fields in world.fields(4_000, seed=1)]
    batches = [compact(_batch(world.fields(_BATCH, seed))) for seed in range(2, 42)]
    key = make_key(world.store)
    with TemporaryDirectory() as directory, service_url(world.store) as url:
        single = script(Path(directory) / "single.lua", _SINGLE, singles, key)
        batch = script(Path(directory) / "batch.lua", _BATCH_PATH, batches, key)
        single_size = answer_size(url, _SINGLE, singles[:200], key)
        batch_size = answer_size(url, _BATCH_PATH, batches[:5], key)
        with bare(single_size) as bare_single, bare(batch_size) as bare_batch:
            yield Figure(
                f"AuthZEN evaluation, answers of {single_size} bytes",
                *rates(rounds, (url, single, 32), (bare_single, single, 32), "requests/s", 1),
                "at least 0.5",
            )
            yield Figure(
                f"AuthZEN, batches of 1,000, answers of {batch_size // 1024} KiB",
                *rates(rounds, (url, batch, 4), (bare_batch, batch, 4), "decisions/s", _BATCH),
                "at least 150,000",
            )


def _ofrep(world: World, rounds: int) -> Iterator[Figure]:
    """Measure one flag, and all five flags of an account."""
    bodies = [compact({"context": _flag_context(fields)}) for fields in world.fields(4_000, seed=1)]
    key = make_key(world.store)
    with TemporaryDirectory() as directory, service_url(world.store) as url:
        for path, name, target in ((_FLAG, "evaluation", "at least 0.5"), (_FLAGS, "bulk", "")):
            load = script(Path(directory) / "flags.lua", path, bodies, key)
            size = answer_size(url, path, bodies[:200], key)
            with bare(size) as reference:
                yield Figure(
                    f"OFREP {name}, answers of {size} bytes",
                    *rates(rounds, (url, load, 32), (reference, load, 32), "requests/s", 1),
                    target,
                )


def _flag_context(fields: dict[str, Any]) -> dict[str, Any]:
    """Convert an access query to the context of a flag."""
    context: dict[str, Any] = _evaluation(fields)["context"]
    return {"targetingKey": fields["account"]["id"], **context}


def _evaluation(fields: dict[str, Any]) -> dict[str, Any]:
    """Convert an access query to an evaluation."""
    device = fields["device"]
    return {
        "subject": {"type": "account", "id": fields["account"]["id"]},
        "action": {"name": "install"},
        "resource": {"type": "product", "id": fields["product_id"]},
        "context": {
            "device_family": device["family"],
            "os_version": device["os_version"],
            "architecture": device["architecture"],
            "installed_version": fields["installed_version"],
        },
    }


def _batch(queries: list[dict[str, Any]]) -> dict[str, Any]:
    """Build a batch whose items share action and resource."""
    evaluations = [_evaluation(fields) for fields in queries]
    items = [{"subject": e["subject"], "context": e["context"]} for e in evaluations]
    first = evaluations[0]
    return {"action": first["action"], "resource": first["resource"], "evaluations": items}

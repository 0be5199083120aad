"""OFREP over HTTP, against bare uvicorn in the same run: one flag, and all flags of an account."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import serving
from benchmarks.keys import make_key
from benchmarks.report import Figure
from benchmarks.world import FLIGHTS, PRODUCT_ID, World

_BULK = "/ofrep/v1/evaluate/flags"
_ONE = f"{_BULK}/flight:{PRODUCT_ID}:{FLIGHTS[0][0]}"


def measure(world: World, rounds: int) -> Iterator[Figure]:
    """Evaluations of one flag, and bulk answers with five flags, in requests a second."""
    if shutil.which("wrk") is None:
        print("wrk is missing (apt-get install wrk): the figures over HTTP are left out")
        return
    asked = [serving.json_text(_request(fields)) for fields in world.fields(4_000, seed=1)]
    key = make_key(world.store)
    with TemporaryDirectory() as directory, serving.ours(world.store) as url:
        for path, name, wanted in (
            (_ONE, "one flag", "at least 0.5"),
            (_BULK, "bulk, five flags", ""),
        ):
            script = serving.script(Path(directory) / "ofrep.lua", path, asked, key)
            size = serving.answer_size(url, path, asked[:200], key)
            with serving.bare(size) as reference:
                rates = serving.rates(
                    rounds, (url, script, 32), (reference, script, 32), "requests/s", 1
                )
                yield Figure(f"OFREP, {name}, answers of {size} bytes", *rates, wanted)


def _request(fields: dict[str, Any]) -> dict[str, Any]:
    device = fields["device"]
    context = {"targetingKey": fields["account"]["id"], "device_family": device["family"]}
    context |= {"os_version": device["os_version"], "architecture": device["architecture"]}
    return {"context": context | {"installed_version": fields["installed_version"]}}

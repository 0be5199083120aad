"""One server worker on one core and wrk on another, compared with bare uvicorn in the same run.

The reference gets the same requests and returns a fixed body of the same size as our answers.
Rounds alternate, so that a busy machine slows both.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import httpx2

from benchmarks.keys import make_key
from benchmarks.report import Figure, in_turns
from benchmarks.world import World

_SECONDS = 2
_SERVER_CORE, _LOAD_CORE = 0, 1
_BATCH = 1_000
_MODULE = """\
local bodies = {{
{bodies}
}}
local headers = {{["content-type"] = "application/json", ["authorization"] = "Bearer {key}"}}
local requests, next = {{}}, 0
init = function()
  for position, body in ipairs(bodies) do
    requests[position] = wrk.format("POST", "{path}", headers, body)
  end
end
request = function()
  next = next % #requests + 1
  return requests[next]
end
"""


def measure(world: World, rounds: int) -> Iterator[Figure]:
    """Measure single queries in requests per second and batches in decisions per second."""
    if not wrk_is_there():
        return
    singles = [compact(fields) for fields in world.fields(4_000, seed=1)]
    batches = [compact({"queries": world.fields(_BATCH, seed)}) for seed in range(2, 42)]
    key = make_key(world.store)
    with TemporaryDirectory() as directory, service_url(world.store) as url:
        single = script(Path(directory) / "single.lua", "/v1/access", singles, key)
        batch = script(Path(directory) / "batch.lua", "/v1/access/batch", batches, key)
        single_size = answer_size(url, "/v1/access", singles[:200], key)
        batch_size = answer_size(url, "/v1/access/batch", batches[:5], key)
        with bare(single_size) as bare_single, bare(batch_size) as bare_batch:
            yield Figure(
                f"POST /v1/access, answers of {single_size} bytes",
                *rates(rounds, (url, single, 32), (bare_single, single, 32), "requests/s", 1),
                "at least 0.75",
            )
            yield Figure(
                f"batches of 1,000, answers of {batch_size // 1024} KiB",
                *rates(rounds, (url, batch, 4), (bare_batch, batch, 4), "decisions/s", _BATCH),
                "at least 300,000",
            )


def wrk_is_there() -> bool:
    """Check that the load generator wrk is installed. Print a message if not."""
    if shutil.which("wrk") is None:
        print("wrk is missing (apt-get install wrk): the figures over HTTP are left out")
        return False
    return True


def compact(value: Any) -> str:
    """Encode as JSON without spaces, like most clients."""
    return json.dumps(value, separators=(",", ":"))


def rates(
    rounds: int,
    own: tuple[str, Path, int],
    bare: tuple[str, Path, int],
    unit: str,
    queries: int,
    name: str = "bare uvicorn",
) -> tuple[float, str, str, float, float]:
    for load in (own, bare):
        _wrk(*load)  # warm
    rate, reference, ratio = in_turns(rounds, lambda: _wrk(*own), lambda: _wrk(*bare))
    return rate * queries, unit, name, reference * queries, ratio


def _wrk(url: str, script: Path, connections: int) -> float:
    """Measure requests per second. Any status except 200 ends the run."""
    command = ["wrk", "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{_SECONDS}s", "--script", str(script), url]
    ran = subprocess.run(
        _pinned(_LOAD_CORE, command), capture_output=True, text=True, check=True, timeout=60
    )
    if "Non-2xx" in ran.stdout or "Socket errors" in ran.stdout:
        raise SystemExit(f"wrk met errors:\n{ran.stdout}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", ran.stdout)
    if rate is None:
        raise SystemExit(f"wrk told no rate:\n{ran.stdout}")
    return float(rate[1])


def script(path: Path, route: str, bodies: list[str], key: str) -> Path:
    listed = ",\n".join(f"[==[{body}]==]" for body in bodies)
    path.write_text(_MODULE.format(bodies=listed, path=route, key=key))
    return path


def answer_size(url: str, route: str, bodies: list[str], key: str) -> int:
    with httpx2.Client(base_url=url) as client:
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        sizes = [len(client.post(route, content=body, headers=headers).content) for body in bodies]
    return sum(sizes) // len(sizes)


def _pinned(core: int, command: list[str]) -> list[str]:
    """Run on one core, if taskset is installed and the core exists."""
    if shutil.which("taskset") is None or core >= (os.cpu_count() or 1):
        return command
    return ["taskset", "--cpu-list", str(core), *command]


@contextmanager
def service_url(store: str, **env: str) -> Iterator[str]:
    script = "from eligibility.cli import main; main()"
    port = _free_port()
    command = [sys.executable, "-c", script, "serve", "--port", str(port), "--store", store]
    with _served(command, port, env) as url:
        yield url


@contextmanager
def bare(size: int) -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.bare", str(port), str(size)]
    with _served(command, port) as url:
        yield url


@contextmanager
def _served(
    command: list[str], port: int, env: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Run a server until the block ends."""
    environ: dict[str, Any] = {k: v for k, v in os.environ.items() if "ELIGIBILITY" not in k}
    environ.update(env)
    process = subprocess.Popen(
        _pinned(_SERVER_CORE, command), env=environ, stdout=subprocess.DEVNULL
    )
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait up to 60 seconds until the server listens: a busy machine starts it slowly."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None:
                raise SystemExit(
                    f"the server on port {port} ended with {process.returncode}"
                ) from None
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"nothing listens on port {port}")

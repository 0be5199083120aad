"""A real server in a process of its own, and a client of it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx2

from eligibility.service.service import Service
from eligibility.service.settings_sources import load_settings

_COMMAND = (sys.executable, "-c", "from eligibility.cli import main; main()")


@dataclass(frozen=True)
class Server:
    """A server that answers at `url`; `http` sends `key`, which may do everything."""

    url: str
    http: httpx2.Client
    process: "subprocess.Popen[str]"
    key: str
    store_url: str
    printed: list[str]

    def access(self, query: Any, path: str = "/v1/access") -> Any:
        """Ask, and give the answer's JSON; every status but 200 fails."""
        answer = self.http.post(path, json=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def command(*args: str) -> list[str]:
    """The command line of this checkout, for a process of its own."""
    return [*_COMMAND, *args]


def environment(**more: str) -> dict[str, str]:
    """The environment without settings of ours, plus some."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ELIGIBILITY_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


def make_key(
    store_url: str,
    *scopes: str,
    publishers: Collection[str] | None = None,
    env: Mapping[str, str] = MappingProxyType({}),
    **more: Any,
) -> str:
    """A new API key in a store; one that may do everything unless scopes are named."""
    settings = load_settings(environment(**env), {"store": store_url}).settings
    with Service(settings) as service:
        made = service.key_admin.create(
            "tests",
            name="tests",
            scopes=scopes or ("admin",),
            publishers=publishers,
            **more,
        )
    return made.text


def bearer(key: str) -> dict[str, str]:
    """The header that a caller proves with who it is."""
    return {"authorization": f"Bearer {key}"}


@contextmanager
def running(store_url: str, *args: str, **env: str) -> Iterator[Server]:
    """Run `eligibility serve` on a free port until the block ends; it must then stop by itself."""
    key = make_key(store_url, env=env)
    process = subprocess.Popen(
        command("serve", "--port", "0", "--store", store_url, *args),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(**env),
    )
    printed: list[str] = []
    reader = threading.Thread(target=_read, args=(process, printed), daemon=True)
    reader.start()
    try:
        while not printed and reader.is_alive():
            time.sleep(0.01)
        assert printed and printed[0].startswith("listening on "), "".join(printed)  # noqa: PT018
        url = printed[0].split()[2]
        transport = httpx2.HTTPTransport(retries=3)
        with httpx2.Client(
            base_url=url, timeout=30, transport=transport, headers=bearer(key)
        ) as client:
            _wait_until_it_answers(client)
            yield Server(url, client, process, key, store_url, printed)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            reader.join(5)
            if process.stdout is not None:
                process.stdout.close()
    output = "".join(printed)
    assert process.returncode == 0, output
    assert "Traceback" not in output, output


def _read(process: "subprocess.Popen[str]", printed: list[str]) -> None:
    """Take what a process prints, so that it never waits for somebody to read."""
    assert process.stdout is not None
    for line in process.stdout:
        printed.append(line)  # noqa: PERF402 - others look at it meanwhile


def _wait_until_it_answers(client: httpx2.Client) -> None:
    for _ in range(200):
        try:
            if client.get("/healthz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server did not begin to answer")

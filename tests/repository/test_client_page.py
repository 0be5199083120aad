"""docs/client.md: its Python runs as it stands, against the demo; its tables say what the code does."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eligibility import client
from eligibility.client import AsyncClient, Client
from tests.helpers.pages import blocks
from tests.helpers.repository import ROOT
from tests.helpers.servers.process import Server, environment, running

PAGE = ROOT / "docs" / "client.md"
TEXT = PAGE.read_text("utf-8")

SAID = {
    "Send a query": [
        "update Reader_2.1.0.0.msixbundle",
        "True",
    ],
    "While the service is out of reach": ["False False ('SERVICE_UNREACHABLE',)"],
    "Many at once": [
        "9NCONTOSORDR True",
        "9NCONTOSOSKT True",
        "9NNOSUCHAPP UNKNOWN_PRODUCT",
    ],
    "Simulations": [
        "linus@contoso.example ['2.1.0.0', ",
        "None ['1.4.0.0', ",
        "Windows 11 21H2 to 26H1, x64 3 of 3",
    ],
    "In a backend": ["{'state': 'not for you', 'what_to_do': ['ask", "{'state': 'install'"],
    "Groups and products": ["insiders 3", "['grace@contoso.example']", "FLIGHT_MEMBER"],
}
ASK_THE_BACKEND = """
from starlette.testclient import TestClient

with TestClient(app) as browser:
    for product_id in ("9NCONTOSOSKT", "9NCONTOSORDR"):
        print(browser.get(f"/listing/{product_id}", params={"os_version": "23H2"}).json())
        print(browser.get(f"/listing/{product_id}", params={"os_version": "22631"}).json())
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'store.db'}", "--demo") as server:
        yield server


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return str(found)


def test_every_block_of_python_is_run() -> None:
    assert len(blocks(PAGE, "python")) == len(SAID)


@pytest.mark.parametrize("title", SAID)
def test_the_python_runs_and_says_what_it_should(title: str, demo: Server, tmp_path: Path) -> None:
    (script,) = re.findall(r"^```python\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)
    if title == "In a backend":
        script += ASK_THE_BACKEND
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script.replace("http://127.0.0.1:8080", demo.url)],
        cwd=PAGE.parent.parent,
        env=environment(STORE_BACKEND_KEY=demo.key),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    for line in SAID[title]:
        assert line in ran.stdout


def test_the_defaults_are_told() -> None:
    defaults = {name: p.default for name, p in inspect.signature(Client).parameters.items()}
    told = section("Time-outs, retries")
    assert f"`timeout` ({defaults['timeout']:g} s)" in told
    assert f"`attempt_timeout` ({defaults['attempt_timeout']:g} s)" in told
    assert f"`retries` ({defaults['retries']})" in told
    assert f'`"{defaults["unreachable"]}"` (default)' in TEXT


def test_every_method_is_told_and_both_clients_have_it() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")} - {"close", "aclose"}

    assert methods(Client) == methods(AsyncClient)
    table = section("Groups and products")
    assert {name for name in methods(Client) if f"`{name}" not in table} == set()


def test_every_error_is_told() -> None:
    errors = [name for name in client.__all__ if name in vars(client.errors)]
    assert {"Problem", "Unreachable"} < set(errors)
    assert [
        name for name in errors if f"`{name}`" not in section("Errors") and name != "Fault"
    ] == []

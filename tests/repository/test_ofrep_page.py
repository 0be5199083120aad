"""docs/ofrep.md: each client's example runs as it stands, against the demo."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from eligibility.service.settings import Settings
from tests.helpers.pages import blocks
from tests.helpers.repository import ROOT
from tests.helpers.servers.process import Server, environment, running
from tests.helpers.standards import node_clients

PAGE = ROOT / "docs" / "ofrep.md"
SAID = "TARGETING_MATCH eligible FLIGHT_MEMBER"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'store.db'}", "--demo") as started:
        yield started


def at(demo: Server, script: str) -> str:
    assert "http://127.0.0.1:8080" in script
    return script.replace("http://127.0.0.1:8080", demo.url)


def test_the_python_runs(demo: Server) -> None:
    (script,) = blocks(PAGE, "python")
    ran = subprocess.run(
        [sys.executable, "-c", at(demo, script)],
        env=environment(KEY=demo.key),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.strip() == f"True {SAID}", ran.stderr


@pytest.mark.parametrize("script", blocks(PAGE, "js"), ids=["server", "browser"])
def test_the_javascript_runs(demo: Server, script: str) -> None:
    assert node_clients.run_text(at(demo, script), KEY=demo.key).strip() == f"true {SAID}"


def test_the_answer_is_the_answer(demo: Server) -> None:
    (asked, _) = blocks(PAGE, "sh")
    (told,) = blocks(PAGE, "json")
    path = re.findall(r"8080(/\S+)", asked)[0]
    sent = json.loads(re.findall(r"-d '(.*)'", asked, re.DOTALL)[0])
    assert demo.http.post(path, json=sent).json() == json.loads(told)


def test_the_cap_is_the_settings() -> None:
    cap = Settings.model_fields["ofrep_bulk_products"].default
    assert f"({cap} by default, see" in PAGE.read_text("utf-8")

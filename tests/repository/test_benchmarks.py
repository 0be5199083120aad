"""The benchmarks run: a figure that cannot be measured is no figure. Never timed."""

import json
import subprocess
import sys

from tests.helpers.repository import ROOT
from tests.helpers.servers.process import environment


def test_memory_freshness_and_simulation_are_measured_with_their_references() -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "holding",
        "freshness",
        "simulating",
        "--rounds",
        "1",
        "--json",
    ]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)
    assert len(figures) == 7
    assert all(figure["value"] > 0 and figure["reference"] > 0 for figure in figures)


def test_every_page_is_measured_beside_an_empty_one() -> None:
    command = [sys.executable, "-m", "benchmarks", "pages", "--rounds", "1", "--json"]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)
    assert len(figures) == 16
    assert all(figure["value"] > 0 and figure["reference"] > 0 for figure in figures)


def test_an_unknown_figure_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks", "colour"]
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert ran.returncode == 2
    assert "deciding" in ran.stderr

"""docs/qa.md, "From Python": its code runs as it stands, on the sample, and says what the page says."""

import contextlib
import io
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from eligibility.cli.demo.demo import load_sample
from eligibility.notebook import frames
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from eligibility.simulation.reports import grid
from tests.helpers.repository import ROOT

TEXT = (ROOT / "docs" / "qa.md").read_text("utf-8")
(CHAPTER,) = re.findall(r"^## From Python\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory like a checkout, in which the sample is stored."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    with Service(Settings(store=f"sqlite:///{tmp_path / 'eligibility.db'}")) as service:
        load_sample(service)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_code_runs_and_says_what_the_page_says(checkout: Path) -> None:
    blocks = _PYTHON.findall(CHAPTER)
    assert len(blocks) == CHAPTER.count("```python") > 5
    names: dict[str, Any] = {}
    for code, told in blocks:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(code, names)  # one after the other, as the cells of a notebook
        assert said.getvalue() == told
    assert (checkout / "who-gets-what.png").stat().st_size > 10_000


def test_the_extras_are_those_of_the_package() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert extras["notebook"] == ["flight-eligibility[pandas,polars,plot]"]
    for name in ("pandas", "polars", "plot"):
        assert f"`{name}`" in CHAPTER
        assert set(extras[name]) <= set(extras["test"])


def test_the_limits_are_told() -> None:
    assert f"Above {frames.MOST_ROWS // 1_000_000} million rows" in " ".join(CHAPTER.split())
    assert f"Above {grid.MOST_ROWS} accounts" in CHAPTER

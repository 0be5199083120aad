"""In CI no test is skipped for want of a program."""

import re
from pathlib import Path

import pytest

from tests.helpers.machine import PACKAGES, program
from tests.helpers.repository import ROOT

CI = (ROOT / ".ci" / "run").read_text("utf-8")


def test_ci_says_that_it_is_ci() -> None:
    assert re.search(r"^export CI=true\b", CI[: CI.index("make check")], re.MULTILINE)


@pytest.mark.parametrize("name", PACKAGES)
def test_ci_installs_what_tests_need(name: str) -> None:
    installed = re.findall(r"^command -v (\S+) .* missing\+=\((\S+)\)", CI, re.MULTILINE)
    assert (name, PACKAGES[name]) in installed


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_without_a_program_a_test_fails_in_ci_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="apt-get install redis-server"):
        program("redis-server")


def test_a_program_may_have_another_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "google-chrome"
    other.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program("chromium", "google-chrome") == str(other)

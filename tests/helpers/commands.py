"""The command line, run within the test's own process."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from eligibility import cli
from eligibility.resources import config_dir


class Ran(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


def runner(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store_url: str
) -> Run:
    """Runs `eligibility` with some arguments, on a store of the test's own."""
    monkeypatch.setenv("ELIGIBILITY_STORE", store_url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*args: str) -> Ran:
        monkeypatch.setattr("sys.argv", ["eligibility", *args])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else int(code is not None), *capsys.readouterr())

    return run


SAMPLE = str(config_dir() / "sample")

READER = ("--product", "9NCONTOSORDR", "--family", "Desktop")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store_url: str) -> Run:
    return runner(monkeypatch, capsys, store_url)


@pytest.fixture
def sample(run: Run) -> Run:
    assert run("catalog", "apply", SAMPLE, "--yes").code == 0
    return run

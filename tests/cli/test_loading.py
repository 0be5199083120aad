"""A command loads what it needs, and no more: imports are most of the time that a command takes."""

import subprocess
import sys

import pytest
from typer.main import get_command

from eligibility.cli.app import application

_PROGRAM = """
import sys
from eligibility.cli import main
try:
    main()
except SystemExit:
    print(*sorted(sys.modules), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """Return the modules that are loaded when a command has run, in a process of its own."""
    completed = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, text=True, check=True
    )
    return set(completed.stderr.split())


@pytest.mark.parametrize("command", ["check", "groups", "catalog", "test", "settings"])
def test_a_command_loads_neither_a_web_server_nor_the_redis_library(command: str) -> None:
    modules = loaded(command, "--help")
    assert "eligibility.cli.app" in modules
    assert modules.isdisjoint({"fastapi", "uvicorn", "redis", "jinja2", "eligibility.dashboard"})


def test_serve_loads_the_web_server() -> None:
    assert {"fastapi", "uvicorn"} <= loaded("serve", "--help")


def test_without_a_known_command_every_command_is_listed() -> None:
    everything = set(get_command(application()).commands)  # type: ignore[attr-defined]
    assert len(everything) > 10
    assert set(get_command(application("chek")).commands) == everything  # type: ignore[attr-defined]

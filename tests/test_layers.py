"""The house: which room may import which, what stands where, and who may use which library.

Everything is read from the source. A room is a folder; the room of a file is the longest name in LAYERS
that its module begins with.
"""

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LAYERS = (
    ("groups",),
    ("groups.storage",),
    ("groups.sqlite", "groups.redis"),
    ("groups.open",),
    ("errors", "resources"),
    ("formats", "windows"),
    ("access",),
    ("catalog",),
    ("catalog.partner_center",),
    ("rules",),
    ("engine",),
    ("explain",),
    ("activity", "simulation.inputs"),
    ("simulation",),
    ("simulation.reports", "simulation.scenarios"),
    ("changes",),
    ("standards",),
    ("audit",),
    ("callers",),
    ("service",),
    ("notebook", "client", "server.http"),
    ("server.authzen", "server.ofrep", "server.metrics"),
    ("server.document",),
    ("server.api",),
    ("dashboard.signin",),
    ("dashboard",),
    ("dashboard.pages",),
    ("app",),
    ("cli.show",),
    ("cli.options",),
    ("cli.demo",),
    ("cli",),
)
"""The rooms, lowest first: a file imports its own room and lower ones. All but groups are below eligibility."""

LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

MAY_USE = {
    "groups": {"idna", "msgspec"},
    "groups.storage": {"msgspec", "redis"},
    "groups.redis": {"msgspec", "redis"},
    "groups.sqlite": {"msgspec"},
    "groups.open": set(),
}
"""Third-party libraries by room of groups/, which declares what it needs."""

ONLY_IN = {
    "jwt": {"callers"},
    "redis": {"groups.storage", "groups.redis"},
    "sqlite3": {"groups.storage", "groups.sqlite", "catalog", "callers", "audit", "activity"},
    "fastapi": {"server", "dashboard", "app"},
    "starlette": {"server", "dashboard", "app"},
    "uvicorn": {"app", "server.http"},
    "typer": {"cli"},
    "rich": {"cli", "simulation.reports"},
    "yaml": {"formats", "catalog", "simulation.scenarios"},
    "jinja2": {"dashboard", "simulation.reports"},
    "httpx2": {"client", "dashboard.signin"},
    "authlib": {"dashboard.signin"},
    "pandas": {"notebook"},
    "polars": {"notebook"},
    "matplotlib": {"notebook"},
    "opentelemetry": {"server.http"},
    "prometheus_client": {"server.metrics"},
}
"""Rooms, with all below them, that may import a library; a library that is not named may be imported anywhere."""

PURE = ("rules", "access", "windows", "explain")
IMPURE = {"time", "os", "random", "secrets", "socket", "sqlite3", "threading", "logging"}
STORES = {"groups.store", "eligibility.catalog.store", "eligibility.callers.store"}

MOST_FILES = 20


@cache
def modules() -> dict[str, Path]:
    paths = [*ROOT.glob("groups/**/*.py"), *ROOT.glob("eligibility/**/*.py")]
    return {module_of(path): path for path in sorted(paths)}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Names of the modules that a file imports, wherever in it; relative ones with their dots."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                name = f"{module}.{alias.name}"
                yield name if name in modules() else module


def top_levels(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def room_of(module: str) -> str:
    """The room of a module; "" for the package eligibility itself, which anybody may import."""
    name = module.removeprefix("eligibility").removeprefix(".")
    while name and name not in LEVEL:
        name = name.rpartition(".")[0]
    return name


def is_below(room: str, rooms: set[str]) -> bool:
    return any(room == one or room.startswith(f"{one}.") for one in rooms)


def test_every_file_stands_in_a_room() -> None:
    homeless = [name for name in modules() if not room_of(name)]
    assert homeless == ["eligibility", "eligibility.server"]


@pytest.mark.parametrize("room", LEVEL)
def test_every_room_of_the_layers_is_there(room: str) -> None:
    assert any(room_of(name) == room for name in modules())


@pytest.mark.parametrize("module", modules())
def test_imports_run_down(module: str) -> None:
    room = room_of(module)
    for name in imported(modules()[module]):
        other = room_of(name) if name in modules() else room
        if other and other != room and module != "eligibility":
            assert LEVEL[other] < LEVEL[room], f"{module} imports {name}"


def test_no_folders_import_each_other_in_a_circle() -> None:
    arrows = defaultdict[Path, set[Path]](set)
    for module, path in modules().items():
        for name in imported(path):
            if name in modules() and modules()[name].parent != path.parent and module != name:
                arrows[path.parent].add(modules()[name].parent)
    root = ROOT / "eligibility"  # holds errors, resources and the version
    assert arrows.pop(root, set()) <= {ROOT / "groups"}
    reached = {folder: _reached(folder, arrows) for folder in arrows}
    assert [folder for folder, others in reached.items() if folder in others] == []


def _reached(folder: Path, arrows: dict[Path, set[Path]]) -> set[Path]:
    found, waiting = set[Path](), [*arrows[folder]]
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting += arrows.get(other, set())
    return found


def test_nothing_else_lies_at_the_root() -> None:
    found = {path.name for path in (ROOT / "eligibility").glob("*.py")}
    assert found == {"__init__.py", "errors.py", "resources.py"}


def test_no_folder_has_to_be_searched() -> None:
    counts = defaultdict[Path, int](int)
    for path in modules().values():
        counts[path.parent] += 1
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_no_import_is_relative() -> None:
    assert [
        name for name, path in modules().items() if any(i[0] == "." for i in imported(path))
    ] == []


# --- libraries ---


@pytest.mark.parametrize("module", [name for name in modules() if name.startswith("groups")])
def test_groups_import_what_they_declare_and_nothing_of_eligibility(module: str) -> None:
    allowed = {"groups"} | MAY_USE[room_of(module)] | sys.stdlib_module_names
    assert top_levels(modules()[module]) <= allowed


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_known_to_its_rooms_only(library: str) -> None:
    users = {room_of(name) for name, path in modules().items() if library in top_levels(path)}
    assert users, f"nobody imports {library} any more"
    assert {room for room in users if not is_below(room, ONLY_IN[library])} == set()


@pytest.mark.parametrize("module", [name for name in modules() if is_below(room_of(name), {*PURE})])
def test_rules_know_no_clock_store_environment_or_log(module: str) -> None:
    path = modules()[module]
    assert not top_levels(path) & IMPURE
    assert not STORES & {*imported(path)}


MADE_IN = {
    "decide": (
        "rules.decide",
        {"rules", "engine", "explain.least_change", "changes.causes"},
    ),
    "Snapshot": ("engine.snapshot", {"engine"}),
    "HeldProduct": ("engine.held_product", {"engine"}),
}
"""Where it is defined, and who may call it: rooms, and the two searches that try supposed cases."""


@pytest.mark.parametrize("name", MADE_IN)
def test_decisions_are_made_by_rules_and_snapshots_built_by_the_engine(name: str) -> None:
    home, callers = MADE_IN[name]
    home = f"eligibility.{home}"
    calling = {
        module.removeprefix("eligibility.")
        for module, path in modules().items()
        if name in called(path) and (module == home or home in imported(path))
    }
    assert calling
    assert {module for module in calling if not is_below(module, callers)} == set()


def called(path: Path) -> set[str]:
    """Names that a file calls as they are, not as methods."""
    calls = (
        node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    )
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def test_the_oracle_knows_nothing_of_what_it_judges() -> None:
    (oracle,) = (ROOT / "tests").rglob("oracle.py")
    assert top_levels(oracle) <= {"datetime", "fractions", "hashlib", "typing"}


# --- tests ---


def test_no_test_imports_another() -> None:
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    imports = {
        path: [n for n in imported(path) if "test_" in n or "conftest" in n] for path in files
    }
    assert {path.name: names for path, names in imports.items() if names} == {}


def test_tests_stand_in_the_room_of_what_they_test() -> None:
    rooms = {folder.name for folder in (ROOT / "eligibility").iterdir() if folder.is_dir()}
    expected = {*rooms, "groups"} | {"helpers", "system", "repository", "vectors", "node", "data"}
    folders = {folder.name for folder in (ROOT / "tests").iterdir() if folder.is_dir()}
    assert folders - {"__pycache__"} <= expected
    flat = sorted(path.name for path in (ROOT / "tests").glob("*.py"))
    assert flat == ["__init__.py", "conftest.py", "test_layers.py"]


def test_no_folder_of_tests_has_to_be_searched() -> None:
    counts = Counter(path.parent for path in (ROOT / "tests").rglob("*.py"))
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


# --- the client ---

CLIENT = [name for name in modules() if room_of(name) == "client"]
FOR_THE_CLIENT = {"access", "errors", "client", ""}


@pytest.mark.parametrize("module", CLIENT)
def test_the_client_needs_nothing_of_the_server(module: str) -> None:
    path = modules()[module]
    ours = {name for name in imported(path) if name in modules()}
    assert {name for name in ours if room_of(name) not in FOR_THE_CLIENT} <= {"groups.model"}
    assert top_levels(path) - sys.stdlib_module_names <= {
        "eligibility",
        "groups",
        "httpx2",
        "msgspec",
    }


@pytest.mark.parametrize("module", CLIENT)
def test_http_and_waiting_are_known_to_the_transports_only(module: str) -> None:
    """What is sent, read and tried again is decided once for both clients, without any I/O."""
    transports = {"sync_client", "async_client", "transport"}
    path = modules()[module]
    assert not top_levels(path) & {"httpx2", "asyncio"} or path.stem in transports


# --- names ---


def test_a_public_type_name_means_one_thing() -> None:
    """The client's model says what the wire says, under the same names (docs/decisions.md)."""
    definitions = defaultdict[str, list[str]](list)
    for module, path in modules().items():
        if room_of(module) != "client":
            for name in types_of(path):
                definitions[name].append(module)
    assert {name: where for name, where in definitions.items() if len(where) > 1} == {}


def types_of(path: Path) -> Iterator[str]:
    """Names of the public classes and type aliases at the top of a file."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name[0].isupper() and not name.isupper():
                yield name

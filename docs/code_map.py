"""Folders ("rooms") and sizes of the code. `python -m docs.code_map` prints every figure."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

from tests.helpers.warm_path import warm_files

ROOT = Path(__file__).resolve().parent.parent
MOST_ROOMS = 25
MOST_LINES = (
    39_900  # 37,662 when the layout was done; imports and lists as people bring them took the rest
)
MOST_FUNCTION_LINES = 60
MOST_PARAMETERS = 8
MOST_FILES = 20
USUAL_FILE_LINES = 250
MOST_FILE_LINES = 350
MOST_LONG_FILES = 12

_SECTION = re.compile(
    r"(<!-- (rooms|query|figures): rendered by `make docs` -->\n).*?(<!-- end -->)", re.DOTALL
)

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """A function or method. parameters: their number, without `self` and `cls`."""

    path: Path
    name: str
    lines: int
    parameters: int


@cache
def source_files() -> tuple[Path, ...]:
    """List every Python file of the product."""
    return tuple(sorted([*ROOT.glob("groups/**/*.py"), *ROOT.glob("eligibility/**/*.py")]))


def first_sight_rooms() -> list[Path]:
    """List the folders of code at most two levels deep."""
    folders = {path.parent for path in source_files()} - {ROOT / "eligibility"}
    return sorted(folder for folder in folders if len(folder.relative_to(ROOT).parts) <= 2)


def rooms() -> dict[str, str]:
    """Map each folder of code, like `eligibility/rules`, to the first line of its docstring."""
    packages = [path for path in source_files() if path.name == "__init__.py"]
    return {str(path.parent.relative_to(ROOT)): _summary(path) for path in packages}


def layers() -> tuple[tuple[str, ...], ...]:
    """Read the rooms by layer, lowest first, from LAYERS in tests/test_layers.py."""
    tree = ast.parse((ROOT / "tests" / "test_layers.py").read_text("utf-8"))
    (value,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS"
    ]
    rooms_by_layer: tuple[tuple[str, ...], ...] = ast.literal_eval(value)
    return rooms_by_layer


def lines_of(paths: Iterable[Path]) -> int:
    """Count the lines of files, including blank lines and comments."""
    return sum(len(path.read_text("utf-8").splitlines()) for path in paths)


@cache
def functions() -> tuple[FunctionSize, ...]:
    """List every function and method. Lines include decorators and docstrings."""
    return tuple(size for path in source_files() for size in _functions(path))


def _functions(path: Path) -> Iterator[FunctionSize]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, _Function):
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            lines = (node.end_lineno or first) - first + 1
            yield FunctionSize(path, node.name, lines, _parameters(node.args))


def _parameters(arguments: ast.arguments) -> int:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len([argument for argument in named if argument.arg not in ("self", "cls")])


def _summary(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def architecture_page() -> str:
    """Update the tables in the text of docs/architecture.md."""
    tables = {"rooms": _rooms_table, "query": _query_table, "figures": _figures_table}
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    return _SECTION.sub(lambda section: f"{section[1]}{tables[section[2]]()}\n{section[3]}", page)


def _query_table() -> str:
    rows = [f"| `{path}` | {_summary(ROOT / path)} |" for path in warm_files()]
    return "\n".join(["| file | what it is for |", "|---|---|", *rows])


def _figures_table() -> str:
    rows = [f"| {name} | {figure} |" for name, figure in figures().items()]
    return "\n".join(["| figure | value |", "|---|---|", *rows])


def _rooms_table() -> str:
    lines = ["| room | what is in it |", "|---|---|"]
    summaries = rooms()
    lines += [f"| {_shown(room)} | {summaries[room]} |" for room in _in_order(summaries)]
    return "\n".join(lines)


def _in_order(names: Iterable[str]) -> list[str]:
    """Sort rooms by layer, lowest first."""
    order = [_folder(room) for layer in layers() for room in layer]
    return sorted((name for name in names if name in order), key=order.index)


def _folder(room: str) -> str:
    path = room.replace(".", "/")
    return path if room.startswith("groups") else f"eligibility/{path}"


def _shown(room: str) -> str:
    return f"`{room}/`"


def figures() -> dict[str, str]:
    """List the figures of docs/architecture.md. Total lines are rounded, so that they rarely change."""
    sizes = [size.lines for size in functions()]
    return {
        "rooms at first sight (`groups/*`, `eligibility/*`)": f"{len(first_sight_rooms())}, at most {MOST_ROOMS}",
        "lines of product code": f"at most {MOST_LINES:,}",
        "median function": f"{median(sizes):.0f} lines",
        "longest function": f"at most {MOST_FUNCTION_LINES} lines",
        "parameters of a function outside the command line": f"at most {MOST_PARAMETERS}",
        "files in a folder": f"at most {MOST_FILES}",
        "imports that run up the layers, circles of folders": "0",
    }


def long_files() -> list[Path]:
    """List files with more than USUAL_FILE_LINES lines."""
    return [path for path in source_files() if lines_of([path]) > USUAL_FILE_LINES]


if __name__ == "__main__":
    for name, figure in figures().items():
        print(f"{name:60} {figure}")  # noqa: T201
    for path in sorted(long_files(), key=lambda path: -lines_of([path])):
        print(f"{lines_of([path]):5} lines  {path.relative_to(ROOT)}")  # noqa: T201
    for size in functions():
        if size.lines > MOST_FUNCTION_LINES or size.parameters > MOST_PARAMETERS:
            location = f"{size.path.relative_to(ROOT)} {size.name}"
            print(f"{size.lines:5} lines, {size.parameters} parameters  {location}")  # noqa: T201

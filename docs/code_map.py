"""The rooms of the code and their sizes, counted from the source: docs/architecture.md is drawn from this.

`python -m docs.code_map` prints every figure.
"""

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
MOST_LINES = 37_500
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
    """A function or method: its place in the source, its lines, its parameters without `self` and `cls`."""

    path: Path
    name: str
    lines: int
    parameters: int


@cache
def source_files() -> tuple[Path, ...]:
    """Every Python file of the product."""
    return tuple(sorted([*ROOT.glob("groups/**/*.py"), *ROOT.glob("eligibility/**/*.py")]))


def first_sight_rooms() -> list[Path]:
    """The folders of code that a reader meets when opening the tree two levels deep."""
    folders = {path.parent for path in source_files()} - {ROOT / "eligibility"}
    return sorted(folder for folder in folders if len(folder.relative_to(ROOT).parts) <= 2)


def rooms() -> dict[str, str]:
    """Every folder of code, as `eligibility/rules`, with the first sentence of its docstring."""
    packages = [path for path in source_files() if path.name == "__init__.py"]
    return {str(path.parent.relative_to(ROOT)): _summary(path) for path in packages}


def layers() -> tuple[tuple[str, ...], ...]:
    """The rooms by layer, lowest first: the tuple that tests/test_layers.py holds, read from its source."""
    tree = ast.parse((ROOT / "tests" / "test_layers.py").read_text("utf-8"))
    (value,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS"
    ]
    rooms_by_layer: tuple[tuple[str, ...], ...] = ast.literal_eval(value)
    return rooms_by_layer


def lines_of(paths: Iterable[Path]) -> int:
    """Lines of some files, blank ones and comments included."""
    return sum(len(path.read_text("utf-8").splitlines()) for path in paths)


@cache
def functions() -> tuple[FunctionSize, ...]:
    """Every function and method of the product; decorators and docstrings count as lines."""
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
    """docs/architecture.md: its text as written, its tables from the code as it is."""
    tables = {"rooms": _rooms_table, "query": _query_table, "figures": _figures_table}
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    return _SECTION.sub(lambda found: f"{found[1]}{tables[found[2]]()}\n{found[3]}", page)


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
    """Rooms from the lowest layer to the highest; below a room those inside it."""
    order = [_folder(room) for layer in layers() for room in layer]
    return sorted((name for name in names if name in order), key=order.index)


def _folder(room: str) -> str:
    path = room.replace(".", "/")
    return path if room.startswith("groups") else f"eligibility/{path}"


def _shown(room: str) -> str:
    return f"`{room}/`"


def figures() -> dict[str, str]:
    """The figures of docs/architecture.md. Lines are rounded, so that not every edit changes the page."""
    sizes = [size.lines for size in functions()]
    return {
        "rooms at first sight (`groups/*`, `eligibility/*`)": f"{len(first_sight_rooms())}, at most {MOST_ROOMS}",
        "lines of product code": f"{round(lines_of(source_files()), -3):,}, at most {MOST_LINES:,}",
        "median function": f"{median(sizes):.0f} lines",
        "longest function": f"at most {MOST_FUNCTION_LINES} lines",
        "parameters of a function outside the command line": f"at most {MOST_PARAMETERS}",
        "files in a folder": f"at most {MOST_FILES}",
        "imports that run up the layers, circles of folders": "0",
    }


def long_files() -> list[Path]:
    """Files of more lines than is usual."""
    return [path for path in source_files() if lines_of([path]) > USUAL_FILE_LINES]


if __name__ == "__main__":
    for name, figure in figures().items():
        print(f"{name:60} {figure}")  # noqa: T201
    for path in sorted(long_files(), key=lambda path: -lines_of([path])):
        print(f"{lines_of([path]):5} lines  {path.relative_to(ROOT)}")  # noqa: T201
    for size in functions():
        if size.lines > MOST_FUNCTION_LINES or size.parameters > MOST_PARAMETERS:
            place = f"{size.path.relative_to(ROOT)} {size.name}"
            print(f"{size.lines:5} lines, {size.parameters} parameters  {place}")  # noqa: T201

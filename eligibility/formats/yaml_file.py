"""Read YAML with JSON's types only and without duplicate keys; return the line of every value.

YAML 1.1 reads the market NO as false, for example. Here only null, true, false and plain numbers
have a type of their own; everything else is text.
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

from eligibility.errors import Fault, InvalidFile

Path = tuple[str | int, ...]
Lines = dict[Path, int]

_MOST_VALUES = 1_000_000
_DEEPEST = 40
_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("map", "seq", "str", "null", "bool", "int", "float", "timestamp", "merge", "value")
}
_SCALARS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"|~|null"), lambda _: None),
    (re.compile(r"true|false"), lambda text: text == "true"),
    (re.compile(r"-?(0|[1-9][0-9]{0,17})"), int),
    (re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}"), float),
)


def load(text: str, source: str) -> tuple[Any, Lines]:
    """Read one YAML document; return it, and the line of each path. Raises: InvalidFile."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _not_yaml(f"{source}:{mark.line + 1}" if mark else source, error.problem) from None
    except yaml.YAMLError as error:
        raise _not_yaml(source, "; ".join(str(error).split("\n"))) from None
    except RecursionError:
        raise _not_yaml(source, "nested too deeply") from None
    reader = _Reader(source)
    value = None if node is None else reader.read(node, ())
    if reader.faults:
        raise InvalidFile(reader.faults)
    return value, reader.lines


def _not_yaml(loc: str, why: str | None) -> InvalidFile:
    return InvalidFile([Fault(loc, "NOT_YAML", f"not YAML: {why}")])


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: Lines = {}
        self.faults: list[Fault] = []

    def read(self, node: yaml.Node, path: Path) -> Any:
        if len(self.lines) >= _MOST_VALUES or len(path) > _DEEPEST:
            raise InvalidFile(
                [Fault(self.source, "TOO_LARGE", "too many or too deeply nested values")]
            )
        self.lines[path] = node.start_mark.line + 1
        if node.tag not in _PLAIN_TAGS:
            detail = f"the tag `{node.tag}` is not allowed: write plain values only"
            self._fault(node, "UNKNOWN_TAG", detail)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, position)) for position, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._fault(key, "WRONG_KEY", "a key must be plain text")
                continue
            if key.value in mapping:
                self._fault(key, "DUPLICATE_KEY", f"the key `{key.value}` occurs twice")
            mapping[key.value] = self.read(value, (*path, key.value))
            # A fault in a nested block is reported at its key, not at the block's first line.
            self.lines[(*path, key.value)] = key.start_mark.line + 1
        return mapping

    def _fault(self, node: yaml.Node, code: str, detail: str) -> None:
        self.faults.append(Fault(f"{self.source}:{node.start_mark.line + 1}", code, detail))


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if isinstance(node, yaml.ScalarNode) and node.style is None:  # unquoted
        for pattern, convert in _SCALARS:
            if pattern.fullmatch(text):
                return convert(text)
    return text


def line_of(lines: Lines, loc: str) -> int:
    """Return the line of the value at a dotted path, or of the nearest part that contains it.

    Keys may contain dots (`Windows.Desktop`), so this tries the longest possible key first.
    """
    path: Path = ()
    parts = loc.split(".")
    while parts:
        for length in range(len(parts), 0, -1):
            key = ".".join(parts[:length])
            step = next(
                (s for s in (key, int(key) if key.isdecimal() else key) if (*path, s) in lines),
                None,
            )
            if step is not None:
                path, parts = (*path, step), parts[length:]
                break
        else:
            break
    return lines.get(path, 1)

"""Compare two JSON values, such as two versions of a product."""

from collections.abc import Iterator
from typing import Any


def differences(before: Any, after: Any, loc: str = "") -> Iterator[str]:
    """Describe each differing field. Lists of different lengths are compared as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before | after:
            if before.get(key) != after.get(key):
                yield from differences(before.get(key), after.get(key), f"{loc}.{key}".strip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                yield from differences(old, new, f"{loc}.{position}")
    else:
        yield f"{loc}: {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} item(s)" if value and isinstance(value[0], dict) else str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(value) + "}"
    return "unset" if value is None else str(value)

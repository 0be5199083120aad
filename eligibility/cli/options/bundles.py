"""Bundles of options: a command takes a dataclass, and each of its fields becomes an option."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def bundled(command: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command: replace each dataclass parameter by one parameter for each of its fields."""
    parameters = inspect.signature(command, eval_str=True).parameters.values()
    bundles: dict[str, Any] = {
        p.name: p.annotation for p in parameters if is_dataclass(p.annotation)
    }

    @wraps(command)
    def run(**values: Any) -> None:
        for name, bundle in bundles.items():
            values[name] = bundle(
                **{field.name: values.pop(field.name) for field in fields(bundle)}
            )
        command(**values)

    vars(run)["__signature__"] = inspect.Signature(
        [
            option.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in parameters
            for option in (_options(parameter) if parameter.name in bundles else (parameter,))
        ]
    )
    return run


def _options(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    bundle = parameter.annotation
    types = get_type_hints(bundle, include_extras=True)
    for option in inspect.signature(bundle).parameters.values():
        yield option.replace(annotation=types[option.name])


def first_set(*bundles: Any) -> str | None:
    """Return the first option that differs from its default, as in `--os`; None if none does."""
    for bundle in bundles:
        for field in fields(bundle):
            if getattr(bundle, field.name) != field.default:
                return f"--{field.name.replace('_', '-')}"
    return None

"""Where and how commands print."""

from typing import Any

import msgspec
import typer
from rich.console import Console


def console() -> Console:
    """Where tables for people go."""
    return Console(highlight=False, soft_wrap=False)


def print_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    encoded = value if isinstance(value, bytes) else msgspec.json.encode(value)
    typer.echo(msgspec.json.format(encoded, indent=2).decode())

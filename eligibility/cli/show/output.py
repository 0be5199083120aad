"""Printing: tables for people, JSON for programs."""

from typing import Any

import msgspec
import typer
from rich.console import Console


def console() -> Console:
    """The console that prints tables for people."""
    return Console(highlight=False, soft_wrap=False)


def print_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    encoded = value if isinstance(value, bytes) else msgspec.json.encode(value)
    typer.echo(msgspec.json.format(encoded, indent=2).decode())

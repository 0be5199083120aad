"""Printing: tables for people, JSON for programs."""

from datetime import datetime
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, ProgressColumn


def console() -> Console:
    """Return the console that prints tables for people."""
    return Console(highlight=False, soft_wrap=False)


def many(number: int, noun: str) -> str:
    """Format a number with its noun: `1 member`, `1,204 members`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def exact(moment: datetime) -> str:
    """Format a date and time in UTC: `2026-11-26 14:05:09 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def progress(*columns: str | ProgressColumn) -> Progress:
    """Build a progress bar, which a terminal shows, and a pipe does not."""
    screen = console()
    return Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)


def print_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    encoded = value if isinstance(value, bytes) else msgspec.json.encode(value)
    typer.echo(msgspec.json.format(encoded, indent=2).decode())

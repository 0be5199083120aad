"""Options that many commands share, and functions that open the service or its stores."""

import getpass
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from eligibility.cli.show.exit_codes import Exit
from eligibility.formats.csv_table import file_bytes
from eligibility.formats.moments import parse_moment
from eligibility.service.service import Service
from eligibility.service.settings_sources import load_settings
from eligibility.service.stores import Stores, open_stores
from groups import csv_file, csv_text
from groups.errors import InvalidCsv

StoreOption = Annotated[
    str | None,
    typer.Option("--store", help="Store URL, as in sqlite:///eligibility.db.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
PublisherOption = Annotated[str, typer.Option("--publisher", "-P", help="Id of the publisher.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
]

AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", help="Answer as of this moment: ISO 8601 with an offset.", show_default=False
    ),
]
EveryPublisherOption = Annotated[
    str | None,
    typer.Option("--publisher", "-P", help="Only this publisher; by default all of them."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Change it without asking first.")]


@contextmanager
def service(store: str | None) -> Iterator[Service]:
    """Open the service with the settings in force, and close it at the end."""
    with Service(load_settings(os.environ, {"store": store}).settings) as opened:
        yield opened


@contextmanager
def stores(store: str | None) -> Iterator[Stores]:
    """Open the stores of the settings in force, without the service, and close them at the end."""
    settings = load_settings(os.environ, {"store": store}).settings
    opened = open_stores(settings.store, password=settings.store_password())
    try:
        yield opened
    finally:
        opened.close()


def actor() -> str:
    """Return the author of an edit from the command line: the logged-in user and the machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's password file may lack the user
        user = "unknown"
    return f"cli {user} from {socket.gethostname()}"


def read_addresses(arguments: list[str], file: Path | None) -> str:
    """Read addresses, with any separators, from arguments, a file, or standard input (`-`).

    Raises: InvalidInput, InvalidCsv.
    """
    texts = [typer.get_text_stream("stdin").read() if text == "-" else text for text in arguments]
    if file is not None:
        text, fault = csv_text.decoded(file_bytes(file), csv_file.MAX_BYTES)
        if fault:
            raise InvalidCsv([fault])
        texts.append(text)
    return "\n".join(texts)


def moment_of(text: str | None) -> datetime | None:
    """Read the date and time of `--at`. Raises: InvalidInput."""
    return None if text is None else parse_moment(text, "--at")


def confirm(question: str, agreed: bool) -> None:
    """Ask for confirmation before a change. Without a terminal, exit unless --yes was given."""
    if agreed:
        return
    if not sys.stdin.isatty():
        typer.echo(
            "nothing was changed, because the input is not a terminal and nobody can confirm the change;"
            " add --yes to make it without a question",
            err=True,
        )
        raise typer.Exit(Exit.FAILED)
    typer.confirm(question, abort=True)

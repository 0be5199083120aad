"""`eligibility store`: copy everything to another store."""

import os
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from eligibility.cli.options.base import JsonOption
from eligibility.cli.show.output import console, print_json
from eligibility.service.copy import CopyReport, copy, writes_of
from eligibility.service.settings_sources import load_settings
from eligibility.service.stores import open_stores
from groups.open import shown

app = typer.Typer(help="The store itself.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Keep `copy` a command of its own: typer would merge a single one into the group."""


@app.command("copy")
def copy_command(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Store URL to read.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Store URL to fill.")],
    as_json: JsonOption = False,
) -> None:
    """Copy groups, history, catalogue and API keys, and check that both hold the same.

    Cut off, it goes on where it was. Nobody may write to TO meanwhile; what is written to FROM
    while it runs makes it say that the two differ: run it again then. Activity is not copied.
    """
    password = load_settings(os.environ).settings.store_password()
    left, right = open_stores(source, password=password), open_stores(target, password=password)
    try:
        with _progress() as progress:
            task = progress.add_task("copying", total=writes_of(left) - writes_of(right))

            def step(what: str, number: int) -> None:
                progress.update(task, description=what, advance=number)

            copied = copy(left, right, step)
    finally:
        left.close()
        right.close()
    if as_json:
        print_json(copied)
    else:
        console().print(f"{shown(source)} -> {shown(target)}", markup=False, soft_wrap=True)
        console().print(
            f"{copied.taken_over:,} write(s) copied, {copied.keys:,} API key(s) in both;"
            " both stores hold the same:"
        )
        console().print(_table(copied))


def _progress() -> Progress:
    screen = console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("writes"),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )


def _table(copied: CopyReport) -> Table:
    table = Table()
    table.add_column("publisher")
    for name in ("groups", "memberships", "writes", "products", "versions"):
        table.add_column(name, justify="right")
    table.add_column("digest", no_wrap=True)
    for publisher, held in copied.publishers.items():
        numbers = (held.groups, held.memberships, held.writes, held.products, held.versions)
        table.add_row(publisher, *(f"{number:,}" for number in numbers), held.digest[:12])
    return table

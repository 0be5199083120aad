"""`eligibility store`: copy a store to another one."""

import os
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
from rich.table import Table

from eligibility.cli.options.base import JsonOption
from eligibility.cli.show.output import console, many, print_json, progress
from eligibility.service.copy import CopyReport, copy, writes_of
from eligibility.service.settings_sources import load_settings
from eligibility.service.stores import open_stores
from groups.open import shown

app = typer.Typer(help="The store: copy it to another one.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Keep `copy` a subcommand: typer would merge a group's only command into the group."""


@app.command("copy")
def copy_command(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Store URL to read.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Store URL to fill.")],
    as_json: JsonOption = False,
) -> None:
    """Copy groups, history, the catalogue and API keys, and check that both stores are equal.

    An interrupted copy continues when you run it again. Nobody may write to TO during the copy.
    If somebody writes to FROM, the stores differ at the end: run it again. Activity is not copied.
    """
    password = load_settings(os.environ).settings.store_password()
    left, right = open_stores(source, password=password), open_stores(target, password=password)
    try:
        counted = BarColumn(), MofNCompleteColumn(), "writes", TimeRemainingColumn()
        with progress("{task.description}", *counted) as bar:
            task = bar.add_task("copying", total=writes_of(left) - writes_of(right))

            def step(what: str, number: int) -> None:
                bar.update(task, description=what, advance=number)

            copied = copy(left, right, step)
    finally:
        left.close()
        right.close()
    if as_json:
        print_json(copied)
    else:
        console().print(f"{shown(source)} -> {shown(target)}", markup=False, soft_wrap=True)
        console().print(
            f"{many(copied.taken_over, 'write')} copied, {many(copied.keys, 'API key')} in both;"
            " both stores are equal:"
        )
        console().print(_table(copied))


def _table(copied: CopyReport) -> Table:
    table = Table()
    table.add_column("publisher")
    columns = ("groups", "memberships", "writes", "products", "versions")
    for name in columns:
        table.add_column(name, justify="right")
    table.add_column("digest", no_wrap=True)
    for publisher, content in copied.publishers.items():
        numbers = (getattr(content, name) for name in columns)
        table.add_row(publisher, *(f"{number:,}" for number in numbers), content.digest[:12])
    return table

"""The typer application with all commands of `eligibility`."""

import os
from typing import Annotated

import typer
from rich.table import Table

from eligibility import __version__
from eligibility.cli import (
    audit,
    catalog,
    check,
    coverage,
    diff,
    explain,
    group_files,
    group_history,
    groups,
    keys,
    scenarios,
    serve,
    simulate,
    store,
    timeline,
)
from eligibility.cli.options.base import JsonOption, StoreOption
from eligibility.cli.show.output import console, print_json
from eligibility.service.settings import Settings
from eligibility.service.settings_sources import load_settings

app = typer.Typer(
    name="eligibility",
    help="May this account, on this device, have this package or see this submission, and why?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("serve")(serve.serve)
app.command("check")(check.check)
app.command("coverage")(coverage.coverage)
app.command("simulate")(simulate.simulate)
app.command("explain")(explain.explain)
app.command("test")(scenarios.scenarios)
app.command("diff")(diff.diff)
app.command("timeline")(timeline.timeline)
for module in (group_files, group_history):  # their import added commands to `groups`
    assert module.app is groups.app  # noqa: S101
app.add_typer(groups.app, name="groups")
app.add_typer(catalog.app, name="catalog")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.add_typer(store.app, name="store")


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """May this account, on this device, have this package or see this submission, and why?"""


@app.command()
def settings(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show the settings in force, and where each value comes from."""
    loaded = load_settings(os.environ, {"store": store})
    values = loaded.settings.shown()
    if as_json:
        print_json({n: {"value": v, "from": loaded.origins[n]} for n, v in values.items()})
        return
    table = Table("setting", "value", "from", "meaning", title="Settings in force")
    for name, description in Settings.descriptions().items():
        shown = "-" if values[name] is None else str(values[name])
        table.add_row(name, shown, loaded.origins[name], description)
    console().print(table)

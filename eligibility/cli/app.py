"""The typer application with all commands of `eligibility`, or with only the one that runs."""

from importlib import import_module
from typing import Annotated

import typer

from eligibility import __version__

_COMMANDS = {
    "serve": ("serve",),
    "check": ("check",),
    "coverage": ("coverage",),
    "simulate": ("simulate",),
    "explain": ("explain",),
    "test": ("scenarios",),
    "diff": ("diff",),
    "timeline": ("timeline",),
    "settings": ("settings",),
    "groups": ("groups", "group_files", "group_history"),
    "catalog": ("catalog", "catalog_import"),
    "keys": ("keys",),
    "audit": ("audit",),
    "store": ("store",),
}
"""Modules of each command. The first has a function of its own name, or the `app` of subcommands."""


def application(command: str | None = None) -> typer.Typer:
    """Build the application with one command; with all if there is no command of this name.

    Only `serve` needs the web server and the dashboard; their import takes longer than most
    commands run.
    """
    app = typer.Typer(
        name="eligibility",
        help="May this account, on this device, have this package or see this submission, and why?",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_root)
    for name in [command] if command in _COMMANDS else _COMMANDS:
        _add_command(app, name)
    return app


def _add_command(app: typer.Typer, name: str) -> None:
    # `group_files`, `group_history` and `catalog_import` add their commands to the first one's app.
    module, *_ = [import_module(f"eligibility.cli.{module}") for module in _COMMANDS[name]]
    if hasattr(module, "app"):
        app.add_typer(module.app, name=name)
    else:
        app.command(name)(getattr(module, _COMMANDS[name][0]))


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(__version__)
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """May this account, on this device, have this package or see this submission, and why?"""

"""`eligibility catalog`: apply, validate and export catalogues."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from eligibility.catalog import files
from eligibility.catalog.export import export
from eligibility.catalog.files import Declaration
from eligibility.catalog.plan import Plan, apply_plan, make_plan
from eligibility.changes.compare import compare_plan
from eligibility.changes.effects import Effects
from eligibility.changes.responses import ComparisonResponse, difference_response
from eligibility.cli.options.base import (
    DryRunOption,
    JsonOption,
    PublisherOption,
    StoreOption,
    YesOption,
    actor,
    confirm,
    service,
)
from eligibility.cli.show.base import effects_table, plan_table
from eligibility.cli.show.difference import show_comparison
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.output import console, many, print_json, progress
from eligibility.service.service import Service
from eligibility.simulation.inputs.devices import preset

app = typer.Typer(help="Products: submissions, flights, packages.", no_args_is_help=True)

Directory = Annotated[Path, typer.Argument(help="Directory of *.yaml files, or one such file.")]


@app.command()
def apply(
    directory: Directory,
    dry_run: DryRunOption = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete products that are not declared.")
    ] = False,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how the files would change the store, ask for confirmation, and change it."""
    declarations = files.read_directory(directory)
    with service(store) as opened:
        proposals = [propose(opened, d, prune=prune, compare=dry_run) for d in declarations]
        if as_json:
            body = {
                "plans": [proposal.plan for proposal in proposals],
                "effects": [proposal.effects for proposal in proposals],
            }
            print_json(
                body | {"differences": [p.difference for p in proposals]} if dry_run else body
            )
        else:
            show_proposals(proposals)
        if not dry_run and apply_proposals(opened, proposals, yes or as_json) and not as_json:
            console().print("[green]applied[/green]")


@app.command()
def validate(directory: Directory, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Check the files against the store, and change nothing. Exit code 1 if something is wrong."""
    declarations = files.read_directory(directory)
    with service(store) as opened:
        plans = [make_plan(d, opened.groups, opened.catalog) for d in declarations]
    if as_json:
        warnings = [warning for plan in plans for warning in plan.warnings]
        publishers = [plan.publisher for plan in plans]
        print_json({"valid": True, "publishers": publishers, "warnings": warnings})
        return
    counts = [
        f"{p.publisher}: {many(len(p.groups), 'group')}, {many(len(p.products), 'product')}"
        for p in plans
    ]
    console().print("[green]valid[/green]  " + "; ".join(counts))
    for plan in plans:
        _show_warnings(plan)


@app.command("export")
def export_command(
    directory: Annotated[Path, typer.Argument(help="Directory to write to.")],
    publisher: PublisherOption = "default",
    members: Annotated[
        bool,
        typer.Option("--members/--no-members", help="Also write the addresses of the members."),
    ] = True,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a publisher's groups and products to files that `apply` can read."""
    with service(store) as opened:
        declaration = export(publisher, opened.groups, opened.catalog.store, members=members)
    try:
        paths = files.write_directory(directory, declaration)
    except OSError as error:
        typer.echo(f"cannot write to `{directory}`: {error.strerror}", err=True)
        raise typer.Exit(Exit.FAILED) from None
    if as_json:
        print_json({"files": [str(path) for path in paths]})
        return
    for path in paths:
        console().print(f"wrote {path}", markup=False)
    if not paths:
        console().print(f"publisher {publisher} has nothing to export", markup=False)


@dataclass(frozen=True)
class Proposal:
    """A plan and its effects on access. difference: changes by device; None unless a dry run."""

    declaration: Declaration
    plan: Plan
    effects: Effects
    difference: ComparisonResponse | None


def propose(
    opened: Service, declaration: Declaration, *, compare: bool, prune: bool = False
) -> Proposal:
    """Plan a declaration. compare: also find the differences by device."""
    plan = make_plan(declaration, opened.groups, opened.catalog, prune=prune)
    effects = opened.effects_of_plan(plan, declaration)
    difference = _difference(opened, plan, declaration) if compare else None
    return Proposal(declaration, plan, effects, difference)


def apply_proposals(opened: Service, proposals: Sequence[Proposal], agreed: bool) -> bool:
    """Apply plans after a confirmation; False if there is nothing to change."""
    if all(proposal.plan.changes_nothing for proposal in proposals):
        return False
    confirm("apply this plan?", agreed)
    for proposal in proposals:
        plan, stores = proposal.plan, (opened.groups, opened.catalog)
        with _progress(len(plan.groups) + len(plan.products), f"applying {plan.publisher}") as step:
            apply_plan(plan, proposal.declaration, *stores, actor=actor(), step=step)
    return True


@contextmanager
def _progress(total: int, title: str) -> Iterator[Callable[[str], None]]:
    """Show a progress bar on a terminal, and nothing in a pipe."""
    with progress() as bar:
        task = bar.add_task(title, total=total)
        yield lambda _: bar.advance(task)


def _difference(opened: Service, plan: Plan, declaration: Declaration) -> ComparisonResponse:
    """Compare outcomes before and after the plan on every known device."""
    products = compare_plan(
        opened.states, opened.catalog.store, plan, declaration, tuple(preset("all"))
    )
    return ComparisonResponse(
        before="live", after="the plan", products=tuple(map(difference_response, products))
    )


def show_proposals(proposals: Sequence[Proposal]) -> None:
    """Print all plans, then their effects on access, then the differences by device."""
    for proposal in proposals:
        console().print(plan_table(proposal.plan))
        if proposal.plan.changes_nothing:
            console().print("nothing to change")
        _show_warnings(proposal.plan)
    for proposal in proposals:
        if proposal.effects.products:
            console().print(effects_table(proposal.effects))
    for proposal in proposals:
        if proposal.difference and proposal.difference.products:
            show_comparison(proposal.difference, names=False)


def _show_warnings(plan: Plan) -> None:
    for warning in plan.warnings:
        text = f"{warning.text}; used by {', '.join(warning.used_by)}"
        console().print(Text.assemble(("! ", "bold yellow"), text))

"""`eligibility catalog`: apply, export, validate, import-partner-center."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from eligibility.catalog import files
from eligibility.catalog.export import export
from eligibility.catalog.files import Declaration
from eligibility.catalog.partner_center import ImportNote, read_files
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
from eligibility.cli.show.output import console, print_json
from eligibility.errors import Fault, InvalidInput
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
    """Make the store as the directory declares; shows the plan first. Twice changes nothing."""
    declarations = files.read_directory(directory)
    with service(store) as opened:
        plans = [make_plan(d, opened.groups, opened.catalog, prune=prune) for d in declarations]
        effects = [opened.effects_of_plan(p, d) for p, d in zip(plans, declarations, strict=True)]
        differences = [
            _difference(opened, p, d) for p, d in zip(plans, declarations, strict=True) if dry_run
        ]
        _show_plans(plans, as_json, effects, differences)
        if dry_run or all(plan.changes_nothing for plan in plans):
            return
        confirm("apply this plan?", yes or as_json)
        for plan, declaration in zip(plans, declarations, strict=True):
            _apply(opened, plan, declaration)
    if not as_json:
        console().print("[green]applied[/green]")


@app.command()
def validate(directory: Directory, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Check a directory against the store, change nothing. Exit code 1 when something is wrong."""
    declarations = files.read_directory(directory)
    with service(store) as opened:
        plans = [make_plan(d, opened.groups, opened.catalog) for d in declarations]
    if as_json:
        warnings = [warning for plan in plans for warning in plan.warnings]
        named = [plan.publisher for plan in plans]
        print_json({"valid": True, "publishers": named, "warnings": warnings})
        return
    counts = [
        f"{p.publisher}: {len(p.groups)} group(s), {len(p.products)} product(s)" for p in plans
    ]
    console().print("[green]valid[/green]  " + "; ".join(counts))
    for plan in plans:
        _show_warnings(plan)


@app.command("export")
def export_command(
    directory: Annotated[Path, typer.Argument(help="Directory to write to.")],
    publisher: PublisherOption = "default",
    members: Annotated[
        bool, typer.Option("--members/--no-members", help="Write the groups' addresses too.")
    ] = True,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a publisher's groups and products as files that `apply` takes."""
    with service(store) as opened:
        declaration = export(publisher, opened.groups, opened.catalog.store, members=members)
    try:
        written = files.write_directory(directory, declaration)
    except OSError as error:
        _fail(f"cannot write to `{directory}`: {error.strerror}")
    if as_json:
        print_json({"files": [str(path) for path in written]})
        return
    for path in written:
        console().print(f"wrote {path}", markup=False)
    if not written:
        console().print(f"publisher {publisher} has nothing to export", markup=False)


@app.command("import-partner-center")
def import_partner_center(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="JSON of the submission API.")
    ],
    publisher: PublisherOption = "default",
    audience_group: Annotated[
        list[str] | None,
        typer.Option(help="Group of the private audience, which the API does not tell."),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=GROUP", help="Which of our groups a Partner Center group id is."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a catalogue directory instead of changing the store.")
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read apps, flights and submissions as the Store submission API returns them."""
    read = read_files(paths, audience_groups=audience_group or (), group_names=_pairs(group or []))
    declaration = Declaration(publisher, products={read.product_id: read.product})
    if not as_json:
        _show_notes(read.notes)
    if out is not None:
        written = files.write_directory(out, declaration)
        console().print(f"wrote {', '.join(map(str, written))}", markup=False)
        return
    with service(store) as opened:
        plan = make_plan(declaration, opened.groups, opened.catalog)
        effects = opened.effects_of_plan(plan, declaration)
        differences = [_difference(opened, plan, declaration)] if dry_run else []
        if as_json:
            told = {"plan": plan, "notes": read.notes, "effects": effects}
            print_json(told | {"differences": differences[0]} if differences else told)
        else:
            _show_plans([plan], False, [effects], differences)
        if dry_run or plan.changes_nothing:
            return
        confirm("apply this plan?", yes or as_json)
        _apply(opened, plan, declaration)


def _pairs(texts: list[str]) -> dict[str, str]:
    """`ID=GROUP` texts as a dictionary."""
    for text in texts:
        if not all(text.partition("=")):
            detail = f"`{text}` is not ID=GROUP, as in 1152921504606962205=canary-testers"
            raise InvalidInput([Fault("--group", "WRONG_VALUE", detail)], "the command")
    return {number.strip(): group.strip() for number, _, group in (t.partition("=") for t in texts)}


def _apply(opened: Service, plan: Plan, declaration: Declaration) -> None:
    with _progress(len(plan.groups) + len(plan.products), f"applying {plan.publisher}") as step:
        apply_plan(plan, declaration, opened.groups, opened.catalog, actor=actor(), step=step)


@contextmanager
def _progress(total: int, title: str) -> Iterator[Callable[[str], None]]:
    """A progress bar on a terminal; nothing in a pipe."""
    screen = console()
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda _: progress.advance(task)


def _difference(opened: Service, plan: Plan, declaration: Declaration) -> ComparisonResponse:
    """What would change on any device there is."""
    found = compare_plan(
        opened.states, opened.catalog.store, plan, declaration, tuple(preset("all"))
    )
    return ComparisonResponse(
        before="live", after="the plan", products=tuple(difference_response(one) for one in found)
    )


def _show_plans(
    plans: list[Plan],
    as_json: bool,
    effects: Sequence[Effects],
    differences: Sequence[ComparisonResponse],
) -> None:
    """Show plans and their effects on access; differences = of a dry run, what devices would get."""
    if as_json:
        told = {"plans": plans, "effects": effects}
        print_json(told | {"differences": differences} if differences else told)
        return
    for plan in plans:
        console().print(plan_table(plan))
        if plan.changes_nothing:
            console().print("nothing to change")
        _show_warnings(plan)
    for one in effects:
        if one.products:
            console().print(effects_table(one))
    for comparison in differences:
        if comparison.products:
            show_comparison(comparison, names=False)


def _show_warnings(plan: Plan) -> None:
    for warning in plan.warnings:
        text = f"{warning.text}; used by {', '.join(warning.used_by)}"
        console().print(Text.assemble(("! ", "bold yellow"), text))


def _show_notes(notes: tuple[ImportNote, ...]) -> None:
    if not notes:
        return
    table = Table("about", "what the API did not tell, or what was left out", title="Notes")
    for note in notes:
        table.add_row(Text(note.source), Text(note.detail))
    console().print(table)


def _fail(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(Exit.FAILED)

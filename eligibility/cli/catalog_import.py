"""`eligibility catalog import-partner-center`: import an app from the Store submission API."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from eligibility.catalog.files import Declaration, write_directory
from eligibility.catalog.model import Product
from eligibility.catalog.partner_center import ImportNote, read_files
from eligibility.cli.catalog import app, apply_proposals, propose, show_proposals
from eligibility.cli.options.base import (
    DryRunOption,
    JsonOption,
    PublisherOption,
    StoreOption,
    YesOption,
    service,
)
from eligibility.cli.show.output import console, print_json
from eligibility.errors import Fault, InvalidInput
from eligibility.service.service import Service


@app.command("import-partner-center")
def import_partner_center(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Responses of the submission API, as JSON."),
    ],
    publisher: PublisherOption = "default",
    audience_group: Annotated[
        list[str] | None,
        typer.Option(
            help="Group of the private audience, which the API does not return; may be repeated."
        ),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=GROUP",
            help="Id of a Partner Center group and of its known user group, as ID=GROUP; may be repeated.",
        ),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE:PRODUCT",
            help="Accept a choice that widens or takes away access, as its fault names it; may be repeated.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write a directory for `catalog apply`, and do not change the store."),
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import an app, its flights and submissions from responses of the Store submission API."""
    with service(store) as opened:
        read = read_files(
            paths,
            audience_groups=audience_group or (),
            group_names=_pairs(group or []),
            accepted=accept or (),
            stored=_stored(opened, publisher),
        )
        declaration = Declaration(publisher, {}, {read.product_id: read.product}, {*read.accepted})
        if not as_json:
            _show_notes(read.notes)
        if out is not None:
            written = write_directory(out, declaration)
            console().print(f"wrote {', '.join(map(str, written))}", markup=False)
            return
        proposal = propose(opened, declaration, compare=dry_run)
        if as_json:
            body = {"plan": proposal.plan, "notes": read.notes, "effects": proposal.effects}
            print_json(body | {"differences": proposal.difference} if dry_run else body)
        else:
            show_proposals([proposal])
        if not dry_run:
            apply_proposals(opened, [proposal], yes or as_json)


def _stored(opened: Service, publisher: str) -> Callable[[str], Product | None]:
    """Return a function that finds the publisher's product by its id, as it is in the store."""

    def product(product_id: str) -> Product | None:
        stored = opened.catalog.store.get(product_id)
        return stored[0].product if stored and stored[0].publisher == publisher else None

    return product


def _pairs(texts: list[str]) -> dict[str, str]:
    """Read `ID=GROUP` texts as a dictionary. Raises: InvalidInput."""
    for text in texts:
        if not all(text.partition("=")):
            detail = f"`{text}` must be ID=GROUP, as in 1152921504606962205=canary-testers"
            raise InvalidInput([Fault("--group", "WRONG_VALUE", detail)], "the command")
    return {number.strip(): group.strip() for number, _, group in (t.partition("=") for t in texts)}


def _show_notes(notes: tuple[ImportNote, ...]) -> None:
    if not notes:
        return
    table = Table("about", "what the API does not return, and what was chosen", title="Notes")
    for note in notes:
        table.add_row(Text(note.source), Text(note.detail))
    console().print(table)

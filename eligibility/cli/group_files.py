"""`eligibility groups import` and `export`: read members from CSV files, and write them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from eligibility.cli.groups import GroupIdArgument, app, print_edit
from eligibility.cli.options.base import (
    AtOption,
    DryRunOption,
    JsonOption,
    PublisherOption,
    StoreOption,
    actor,
    moment_of,
    service,
)
from eligibility.errors import Fault, InvalidInput
from groups import csv_file
from groups.model import MAX_MEMBERS, EditResult, MembershipEdit
from groups.store import GroupStore

CsvFile = Annotated[Path, typer.Argument(help="CSV file; `-` reads standard input.")]


@app.command("import")
def import_file(
    group_id: GroupIdArgument,
    file: CsvFile,
    merge: Annotated[
        bool, typer.Option("--merge", help="Only add the addresses; remove nobody.")
    ] = False,
    create: Annotated[
        str | None,
        typer.Option("--create", metavar="NAME", help="Create the group, with this name."),
    ] = None,
    publisher: PublisherOption = "default",
    dry_run: DryRunOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace the members by the addresses of a CSV file, and print how many changed."""
    if create is not None and (dry_run or merge):
        detail = "it creates a group, so neither --merge nor --dry-run can be used with it"
        raise InvalidInput([Fault("--create", "WRONG_USAGE", detail)], "the command")
    data = _bytes_of(file)
    with service(store) as opened:
        members = csv_file.read(data, opened.header_ranks)
        if create is not None:
            created = opened.groups.create(
                publisher, create, members, group_id=group_id, actor=actor()
            )
            print_edit(created, as_json)
            return
        result = _import(opened.groups, publisher, group_id, members, merge, dry_run)
        effects = opened.effects(result) if dry_run else None
    print_edit(result, as_json, effects)


@app.command("export")
def export_file(
    group_id: GroupIdArgument,
    file: Annotated[
        Path | None, typer.Argument(help="File to write; standard output by default.")
    ] = None,
    publisher: PublisherOption = "default",
    at: AtOption = None,
    store: StoreOption = None,
) -> None:
    """Write the members as a CSV file. Importing that file again changes nothing."""
    moment = moment_of(at)
    with service(store) as opened:
        opened.groups.get(publisher, group_id)
        members = opened.groups.members(publisher, group_id, at=moment, limit=MAX_MEMBERS).items
    text = csv_file.write(members)
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_bytes(text)
    except OSError as error:
        raise InvalidInput([Fault(str(file), "UNWRITABLE", str(error))], "the command") from None


def _import(
    groups: GroupStore,
    publisher: str,
    group_id: str,
    members: tuple[str, ...],
    merge: bool,
    dry_run: bool,
) -> EditResult:
    if not merge:
        return groups.replace(publisher, group_id, members, actor=actor(), dry_run=dry_run)
    edit = MembershipEdit(add=members)
    return groups.edit(publisher, group_id, edit, actor=actor(), dry_run=dry_run)


def _bytes_of(file: Path) -> bytes:
    """Read a file up to one byte over the limit, so that the CSV reader refuses larger files."""
    most = csv_file.MAX_BYTES + 1
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(most)
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise InvalidInput([Fault(str(file), "UNREADABLE", str(error))], "the command") from None

"""`eligibility groups`: create, list, show, add, remove."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from eligibility.catalog.export import all_groups
from eligibility.changes.effects import Effects
from eligibility.cli.options.base import (
    AtOption,
    DryRunOption,
    JsonOption,
    PublisherOption,
    StoreOption,
    actor,
    moment_of,
    read_addresses,
    service,
)
from eligibility.cli.show.base import effects_table
from eligibility.cli.show.output import console, print_json
from groups import emails
from groups.model import MAX_MEMBERS, EditResult, MembershipEdit

app = typer.Typer(help="Known user groups: who is in which.", no_args_is_help=True)

GroupIdArgument = Annotated[str, typer.Argument(help="Id of the group.")]
AddressesArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Addresses, in any separators; - reads them from standard input."),
]
AddressFile = Annotated[
    Path | None, typer.Option("--file", "-f", help="File of addresses, in any separators.")
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the group; permanent.")],
    addresses: AddressesArgument = None,
    publisher: PublisherOption = "default",
    group_id: Annotated[
        str | None, typer.Option("--id", help="Id of the group; made from the name by default.")
    ] = None,
    file: AddressFile = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a group of 1 to 10,000 addresses."""
    members = emails.parse(read_addresses(addresses or [], file))
    with service(store) as opened:
        result = opened.groups.create(publisher, name, members, group_id=group_id, actor=actor())
    print_edit(result, as_json)


@app.command("list")
def list_groups(
    publisher: PublisherOption = "default", store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """List the groups of a publisher."""
    with service(store) as opened:
        found = list(all_groups(opened.groups, publisher))
        publishers = opened.groups.publishers()
    if as_json:
        print_json(found)
        return
    if not found:
        others = f"; --publisher knows {', '.join(publishers)}" if publishers else ""
        console().print(f"publisher {publisher} has no groups yet{others}", markup=False)
        return
    table = Table("group", "name", "members", "revision", title=f"Groups of {publisher}")
    for group in found:
        table.add_row(group.group_id, group.name, f"{group.member_count:,}", str(group.revision))
    console().print(table)


@app.command()
def show(
    group_id: GroupIdArgument,
    publisher: PublisherOption = "default",
    at: AtOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a group and its members, now or as of a moment."""
    moment = moment_of(at)
    with service(store) as opened:
        group = opened.groups.get(publisher, group_id)
        members = opened.groups.members(publisher, group_id, at=moment, limit=MAX_MEMBERS).items
    if as_json:
        print_json({"group": group, "members": members})
        return
    screen = console()
    then = f" at {moment:%Y-%m-%d %H:%M:%S UTC}" if moment else ""
    screen.print(f"[bold]{group.name}[/bold]  {group.group_id}, {len(members):,} member(s){then}")
    if group.consent is not None:
        note = f"consent confirmed by {group.consent.confirmed_by}, {group.consent.at:%Y-%m-%d}"
        screen.print(f"  {note}  {group.consent.text}".rstrip(), style="dim", markup=False)
    for address in members:
        screen.print(f"  {address}", markup=False)


@app.command()
def add(
    group_id: GroupIdArgument,
    addresses: AddressesArgument = None,
    publisher: PublisherOption = "default",
    file: AddressFile = None,
    dry_run: DryRunOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add members; adding one twice is no error."""
    edit = MembershipEdit(add=emails.parse(read_addresses(addresses or [], file)))
    _edit(publisher, group_id, edit, dry_run, store, as_json)


@app.command()
def remove(
    group_id: GroupIdArgument,
    addresses: AddressesArgument = None,
    publisher: PublisherOption = "default",
    file: AddressFile = None,
    dry_run: DryRunOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove members; removing a stranger is no error."""
    edit = MembershipEdit(remove=emails.parse(read_addresses(addresses or [], file)))
    _edit(publisher, group_id, edit, dry_run, store, as_json)


def _edit(
    publisher: str,
    group_id: str,
    edit: MembershipEdit,
    dry_run: bool,
    store: str | None,
    as_json: bool,
) -> None:
    with service(store) as opened:
        result = opened.groups.edit(publisher, group_id, edit, actor=actor(), dry_run=dry_run)
        effects = opened.effects(result) if dry_run else None
    print_edit(result, as_json, effects)


def print_edit(result: EditResult, as_json: bool, effects: Effects | None = None) -> None:
    """Say what a write did, or what a dry run would do: that has effects."""
    if as_json:
        made = msgspec.to_builtins(result)
        print_json(made if effects is None else {**made, "effects": effects})
        return
    would = "" if effects is None else "would be "
    console().print(
        f"[bold]{result.group_id}[/bold]: {result.added} {would}added, {result.removed} {would}removed,"
        f" {result.unchanged} unchanged, {result.unknown} unknown;"
        f" {result.member_count:,} member(s), revision {result.revision}"
    )
    if effects is not None:
        console().print(effects_table(effects))

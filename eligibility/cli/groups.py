"""`eligibility groups`: create, list and show groups, add and remove members."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

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
from eligibility.cli.options.bundles import bundled
from eligibility.cli.show.base import effects_table
from eligibility.cli.show.output import console, exact, many, print_json
from groups import emails
from groups.model import MAX_MEMBERS, EditResult, MembershipEdit

app = typer.Typer(help="Known user groups and their members.", no_args_is_help=True)

GroupIdArgument = Annotated[str, typer.Argument(help="Id of the group.")]
AddressesArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Addresses; any separators may be used. `-` reads standard input."),
]
AddressFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        help="File with addresses; any separators may be used. `import` reads columns.",
    ),
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the group; it cannot be changed later.")],
    addresses: AddressesArgument = None,
    publisher: PublisherOption = "default",
    group_id: Annotated[
        str | None,
        typer.Option("--id", help="Id of the group; by default it is derived from the name."),
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
        listed = list(all_groups(opened.groups, publisher))
        publishers = opened.groups.publishers()
    if as_json:
        print_json(listed)
        return
    if not listed:
        others = f"; these publishers have groups: {', '.join(publishers)}" if publishers else ""
        console().print(f"publisher {publisher} has no groups yet{others}", markup=False)
        return
    table = Table("group", "name", "members", "revision", title=f"Groups of {publisher}")
    for group in listed:
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
    """Show a group and its members, now or at --at."""
    moment = moment_of(at)
    with service(store) as opened:
        group = opened.groups.get(publisher, group_id)
        members = opened.groups.members(publisher, group_id, at=moment, limit=MAX_MEMBERS).items
    if as_json:
        print_json({"group": group, "members": members})
        return
    screen = console()
    then = f" at {exact(moment)}" if moment else ""
    count = many(len(members), "member")
    screen.print(f"[bold]{group.name}[/bold]  {group.group_id}, {count}{then}")
    if group.consent is not None:
        note = f"consent confirmed by {group.consent.confirmed_by}, {group.consent.at:%Y-%m-%d}"
        screen.print(f"  {note}  {group.consent.text}".rstrip(), style="dim", markup=False)
    for address in members:
        screen.print(f"  {address}", markup=False)


@dataclass(frozen=True)
class EditOptions:
    """Arguments and options that `add` and `remove` share."""

    group_id: GroupIdArgument
    addresses: AddressesArgument = None
    publisher: PublisherOption = "default"
    file: AddressFile = None
    dry_run: DryRunOption = False
    store: StoreOption = None
    as_json: JsonOption = False


@app.command()
@bundled
def add(options: EditOptions) -> None:
    """Add members. Addresses that are members already are counted as unchanged."""
    _edit(options, "add")


@app.command()
@bundled
def remove(options: EditOptions) -> None:
    """Remove members. Addresses that are not members are counted as unknown."""
    _edit(options, "remove")


def _edit(options: EditOptions, verb: Literal["add", "remove"]) -> None:
    addresses = emails.parse(
        read_addresses(options.addresses or [], options.file), strict=verb == "add"
    )
    edit = MembershipEdit(**{verb: addresses})
    group, dry_run = (options.publisher, options.group_id), options.dry_run
    with service(options.store) as opened:
        result = opened.groups.edit(*group, edit, actor=actor(), dry_run=dry_run)
        effects = opened.effects(result) if dry_run else None
    print_edit(result, options.as_json, effects)


def print_edit(result: EditResult, as_json: bool, effects: Effects | None = None) -> None:
    """Print the result of a write or a dry run. effects: given only for a dry run."""
    if as_json:
        body = msgspec.to_builtins(result)
        print_json(body if effects is None else {**body, "effects": effects})
        return
    would = "" if effects is None else "would be "
    console().print(
        f"[bold]{result.group_id}[/bold]: {result.added} {would}added, {result.removed} {would}removed,"
        f" {result.unchanged} unchanged, {result.unknown} unknown;"
        f" {many(result.member_count, 'member')}, revision {result.revision}"
    )
    if effects is not None:
        console().print(effects_table(effects))

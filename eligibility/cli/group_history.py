"""`eligibility groups history`, `consent` and `forget`."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from eligibility.cli.groups import GroupIdArgument, app
from eligibility.cli.options.base import (
    AtOption,
    DryRunOption,
    EveryPublisherOption,
    JsonOption,
    PublisherOption,
    StoreOption,
    YesOption,
    actor,
    confirm,
    moment_of,
    service,
)
from eligibility.cli.show.output import console, exact, print_json
from eligibility.service.forgetting import check_replaced
from groups.model import Consent, ForgetResult, GroupChange

_NAMED = 3
"""How many addresses of a write the table shows. --json shows all."""

_BACKUPS = (
    "Backups still contain the address, and so does the append-only file of a Redis server until it"
    " is rewritten (BGREWRITEAOF): see docs/operations.md."
)


@app.command()
def history(
    group_id: Annotated[
        str | None, typer.Argument(help="Id of the group; by default all groups of the publisher.")
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", help="Only writes that concern this address.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="The most writes to show.")] = 20,
    cursor: Annotated[
        str | None, typer.Option(help="Continue with the writes before this revision.")
    ] = None,
    publisher: PublisherOption = "default",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the writes to groups, the newest first: who changed what, and when."""
    with service(store) as opened:
        page = opened.groups.history(
            publisher, group_id=group_id, address=address, cursor=cursor, limit=limit
        )
    if as_json:
        print_json(page)
        return
    table = Table("revision", "when", "who", "group", "what", title=f"Writes of {publisher}")
    for change in page.items:
        row = (
            str(change.revision),
            exact(change.at),
            change.actor,
            change.group_id,
            _change_text(change),
        )
        table.add_row(*map(Text, row))
    console().print(table)
    if page.next_cursor is not None:
        console().print(f"more with --cursor {page.next_cursor}", style="dim")


@app.command()
def consent(
    group_id: GroupIdArgument,
    confirmed_by: Annotated[str, typer.Option(help="Who confirms that the people agreed.")],
    at: AtOption = None,
    text: Annotated[str, typer.Option(help="What they agreed to, or where that is recorded.")] = "",
    publisher: PublisherOption = "default",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record that the people in a group agreed to be in it, at --at or now."""
    note = Consent(confirmed_by=confirmed_by, at=moment_of(at) or datetime.now(UTC), text=text)
    with service(store) as opened:
        group = opened.groups.set_consent(publisher, group_id, note, actor=actor())
    if as_json:
        print_json(group)
    else:
        console().print(
            f"[bold]{group.group_id}[/bold]: consent recorded, revision {group.revision}"
        )


@app.command()
def forget(
    address: Annotated[str, typer.Argument(help="Address of the person.")],
    publisher: EveryPublisherOption = None,
    replace_with: Annotated[
        str | None,
        typer.Option(help="Address that replaces the person in groups that would be empty."),
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a person from every group, from history and from activity."""
    with service(store) as opened:

        def run(*, dry_run: bool) -> list[ForgetResult]:
            results = opened.forget(
                publisher, address, actor=actor(), replacement=replace_with, dry_run=dry_run
            )
            return [result for result in results if result.groups or result.history]

        planned = run(dry_run=True)
        if dry_run:
            _show(planned, as_json, "would be forgotten")
            return
        check_replaced(planned, replace_with)
        if not as_json:
            _show(planned, as_json, "will be forgotten")
        confirm("forget this person? This cannot be undone", yes or as_json)
        done = run(dry_run=False)
    if as_json or done:
        _show(done, as_json, "forgotten")
    if not as_json:
        console().print("activity of that person was forgotten too")
        console().print(_BACKUPS, style="dim")


def _show(results: list[ForgetResult], as_json: bool, what: str) -> None:
    if as_json:
        print_json(results)
        return
    if not results:
        console().print("no group and no history contains that address")
        return
    table = Table("publisher", "removed from", "only member of", "entries of history", title=what)
    for result in results:
        groups, emptied = ", ".join(result.groups), ", ".join(result.emptied)
        row = (result.publisher, groups, emptied, str(result.history))
        table.add_row(*map(Text, row))
    console().print(table)


def _change_text(change: GroupChange) -> str:
    if change.consent is not None:
        return f"consent confirmed by {change.consent.confirmed_by}"
    symbols = (("+", change.added), ("-", change.removed))
    return "; ".join(_some(symbol, addresses) for symbol, addresses in symbols if addresses)


def _some(symbol: str, addresses: tuple[str, ...]) -> str:
    more = f" and {len(addresses) - _NAMED:,} more" if len(addresses) > _NAMED else ""
    return f"{symbol}{len(addresses):,}: {', '.join(addresses[:_NAMED])}{more}"

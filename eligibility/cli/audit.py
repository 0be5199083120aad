"""`eligibility audit`: who changed what, and whether the trail of it is as it was written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

from eligibility.access import wire
from eligibility.audit import trail
from eligibility.audit import verify as verifying
from eligibility.audit.trail import TrailEntry
from eligibility.audit.verify import VerificationReport
from eligibility.cli.options.base import JsonOption, StoreOption
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.output import console, print_json
from eligibility.errors import Fault, InvalidInput
from eligibility.service.settings_sources import load_settings
from eligibility.service.stores import Stores, open_stores
from groups.chain import ChainHead

app = typer.Typer(help="The audit trail: who changed what, and from where.", no_args_is_help=True)

_read_heads = msgspec.json.Decoder(dict[str, ChainHead]).decode


@app.command("list")
def list_entries(
    publisher: Annotated[
        str | None,
        typer.Option("--publisher", "-P", help="Only of that publisher; of all by default."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="None older than that moment, ISO 8601 with an offset."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most entries shown.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on after the page that gave it.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List changes to groups, catalogue, API keys and settings, the newest first.

    Addresses are counted, not shown: `eligibility groups history` has them.
    """
    moment = None if since is None else wire.moment_of(since, "--since")
    with _stores(store) as opened:
        page = trail.page(opened.chains(publisher), since=moment, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    table = Table("when", "who", "what", "particulars", "chain", "revision", title="Audit trail")
    for record in page.items:
        table.add_row(*map(Text, _row(record)))
    console().print(table)
    if page.next_cursor is not None:
        console().print(f"older ones: --cursor {page.next_cursor}", style="dim")


@app.command()
def verify(
    since: Annotated[
        Path | None,
        typer.Option(help="File that `audit heads` made earlier, kept where the store is not."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that no entry was changed, taken out or added. Exit code 3: something was.

    A store that was rolled back as a whole is found only by heads from before: --since.
    """
    known = None if since is None else _heads_in(since)
    with _stores(store) as opened, _progress() as progress:
        task = progress.add_task("reading", total=None)

        def step(name: str, number: int) -> None:
            progress.update(task, description=name, advance=number)

        verified = verifying.verify(opened.chains(), known, step)
    if as_json:
        print_json(verified)
    else:
        _tell(verified)
    if verified.findings:
        raise typer.Exit(Exit.DENIED)


@app.command()
def heads(store: StoreOption = None) -> None:
    """Print where each chain ends, as JSON for `audit verify --since`."""
    with _stores(store) as opened:
        print_json(verifying.heads(opened.chains()))


@contextmanager
def _stores(store: str | None) -> Iterator[Stores]:
    settings = load_settings(os.environ, {"store": store}).settings
    opened = open_stores(settings.store, password=settings.store_password())
    try:
        yield opened
    finally:
        opened.close()


def _heads_in(file: Path) -> dict[str, ChainHead]:
    try:
        return _read_heads(file.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        detail = f"`{file}` is not what `audit heads` prints: {error}"
        raise InvalidInput([Fault("--since", "UNREADABLE", detail)], "the command") from None


def _progress() -> Progress:
    screen = console()
    return Progress(
        TextColumn("{task.description}: {task.completed:,} entries"),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )


def _row(record: TrailEntry) -> tuple[str, ...]:
    particulars = "; ".join(f"{name} {value}" for name, value in record.what.items())
    when = f"{record.at:%Y-%m-%d %H:%M:%S UTC}"
    return when, record.who, record.kind, particulars, record.chain, str(record.revision)


def _tell(verified: VerificationReport) -> None:
    table = Table("chain", "revision", "digest of its last entry", title="Heads")
    for name, head in verified.heads.items():
        table.add_row(name, f"{head.revision:,}", head.chain or "-")
    console().print(table)
    for name, number in verified.unchained.items():
        note = f"{name}: unchained before revision {number + 1:,}, written by an older release"
        console().print(note, style="dim", markup=False)
    for finding in verified.findings:
        text = Text.assemble((f"{finding.chain} revision {finding.revision:,} ", "bold red"))
        console().print(text.append(finding.what), soft_wrap=True)
    if not verified.findings:
        console().print(f"{verified.entries:,} entries, all as they were written", markup=False)

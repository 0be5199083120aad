"""`eligibility audit`: who changed what, and whether the audit trail was tampered with."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from eligibility.audit import trail
from eligibility.audit import verify as verifying
from eligibility.audit.trail import TrailEntry
from eligibility.audit.verify import VerificationReport
from eligibility.cli.options.base import EveryPublisherOption, JsonOption, StoreOption, stores
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.output import console, exact, print_json, progress
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.moments import parse_moment
from groups.chain import ChainHead

app = typer.Typer(help="The audit trail: who changed what, and from where.", no_args_is_help=True)

_ENTRIES = "{task.description}: {task.completed:,} entries"
_read_heads = msgspec.json.Decoder(dict[str, ChainHead]).decode


@app.command("list")
def list_entries(
    publisher: EveryPublisherOption = None,
    since: Annotated[
        str | None, typer.Option(help="Only entries from this moment on: ISO 8601 with an offset.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The most entries to show.")] = 50,
    cursor: Annotated[
        str | None, typer.Option(help="Continue after the page that printed this cursor.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List changes to groups, the catalogue, API keys and settings, the newest first.

    Only the number of changed addresses is shown. `eligibility groups history` shows the addresses.
    """
    moment = None if since is None else parse_moment(since, "--since")
    with stores(store) as opened:
        page = trail.page(opened.chains(publisher), since=moment, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    table = Table("when", "who", "what", "details", "chain", "revision", title="Audit trail")
    for entry in page.items:
        table.add_row(*map(Text, _row(entry)))
    console().print(table)
    if page.next_cursor is not None:
        console().print(f"more with --cursor {page.next_cursor}", style="dim")


@app.command()
def verify(
    since: Annotated[
        Path | None,
        typer.Option(
            help="Earlier output of `audit heads`, from a file that is not kept in the store."
        ),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that no entry was changed, removed or added. Exit code 3 if one was.

    A store that was restored to an older state is detected only with --since and earlier heads.
    """
    known = None if since is None else _heads_in(since)
    with stores(store) as opened, progress(_ENTRIES) as bar:
        task = bar.add_task("reading", total=None)

        def step(name: str, number: int) -> None:
            bar.update(task, description=name, advance=number)

        verified = verifying.verify(opened.chains(), known, step)
    if as_json:
        print_json(verified)
    else:
        _show(verified)
    if verified.findings:
        raise typer.Exit(Exit.DENIED)


@app.command()
def heads(store: StoreOption = None) -> None:
    """Print the last entry of each chain as JSON, for `audit verify --since`."""
    with stores(store) as opened:
        print_json(verifying.heads(opened.chains()))


def _heads_in(file: Path) -> dict[str, ChainHead]:
    try:
        return _read_heads(file.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        detail = f"`{file}` does not contain the output of `audit heads`: {error}"
        raise InvalidInput([Fault("--since", "UNREADABLE", detail)], "the command") from None


def _row(entry: TrailEntry) -> tuple[str, ...]:
    details = "; ".join(f"{name} {value}" for name, value in entry.what.items())
    return exact(entry.at), entry.who, entry.kind, details, entry.chain, str(entry.revision)


def _show(verified: VerificationReport) -> None:
    table = Table("chain", "revision", "digest of the last entry", title="Ends of the chains")
    for name, head in verified.heads.items():
        table.add_row(name, f"{head.revision:,}", head.chain or "-")
    console().print(table)
    for name, number in verified.unchained.items():
        note = f"{name}: entries before revision {number + 1:,} have no digest; an older release wrote them"
        console().print(note, style="dim", markup=False)
    for finding in verified.findings:
        text = Text.assemble((f"{finding.chain} revision {finding.revision:,} ", "bold red"))
        console().print(text.append(finding.what), soft_wrap=True)
    if not verified.findings:
        console().print(f"{verified.entries:,} entries, none of them tampered with", markup=False)

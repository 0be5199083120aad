"""`eligibility keys`: create, list, revoke and rotate API keys."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from eligibility.callers.key_admin import DEFAULT_OVERLAP, IssuedKey, KeyAdmin, key_body
from eligibility.callers.model import Scope
from eligibility.callers.store import StoredKey
from eligibility.callers.stored_key import state_of
from eligibility.cli.options.base import JsonOption, StoreOption, actor, stores
from eligibility.cli.show.output import console, print_json
from eligibility.errors import Fault, InvalidInput
from groups.storage.sqlite_database import utc_now

app = typer.Typer(help="API keys: what each program may do.", no_args_is_help=True)

KeyIdArgument = Annotated[str, typer.Argument(help="Id of the key, or the key itself.")]
Expires = Annotated[
    str | None,
    typer.Option(
        help="When the key ends: 90d, 12h or 30m from now, or a moment.", show_default=False
    ),
]


@app.command()
def create(
    name: Annotated[
        str, typer.Option(help="What the key is for, as in store-backend. Do not name a person.")
    ],
    scope: Annotated[
        list[str], typer.Option(help=f"What the key may do; repeat: {', '.join(Scope)}.")
    ],
    publisher: Annotated[
        list[str] | None,
        typer.Option("--publisher", "-P", help="Id of a publisher that the key may use; repeat."),
    ] = None,
    all_publishers: Annotated[
        bool,
        typer.Option("--all-publishers", help="The key may use all publishers, also new ones."),
    ] = False,
    expires: Expires = None,
    rate_limit: Annotated[
        int | None,
        typer.Option(
            help="Most requests a second that one server process accepts from the key.",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a key and print it. It is never shown again."""
    if all_publishers and publisher:
        detail = "use either --publisher or --all-publishers, not both"
        raise InvalidInput([Fault("--all-publishers", "BOTH_GIVEN", detail)], "the command")
    with _keys(store) as keys:
        issued = keys.create(
            actor(),
            name=name,
            scopes=scope,
            publishers=None if all_publishers else publisher or (),
            expires=expires,
            rate_limit=rate_limit,
        )
    _print_issued(issued, as_json)


@app.command("list")
def list_keys(
    every: Annotated[bool, typer.Option("--all", help="Also keys that have ended.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the keys that work, the oldest first."""
    now = utc_now()
    with _keys(store) as keys:
        listed = keys.listed(every)
    if as_json:
        print_json([key_body(key, now) for key in listed])
    elif listed:
        console().print(_table(listed, now))
    else:
        console().print(
            "there are no keys yet; `eligibility keys create` creates one", markup=False
        )


@app.command()
def revoke(key_id: KeyIdArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Revoke a key permanently. Every server refuses it within a second."""
    now = utc_now()
    with _keys(store) as keys:
        key = keys.revoke(actor(), key_id)
    if as_json:
        print_json(key_body(key, now))
    else:
        console().print(
            f"{key.key_id}, {key.name}: revoked {_moment(key.revoked_at)}", markup=False
        )


@app.command()
def rotate(
    key_id: KeyIdArgument,
    overlap: Annotated[
        str,
        typer.Option(help="How long both keys work: 24h, 30m, 7d; with 0 the old one ends now."),
    ] = DEFAULT_OVERLAP,
    expires: Expires = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a key by a new one with the same rights. The new key is printed only this once."""
    with _keys(store) as keys:
        issued = keys.rotate(actor(), key_id, overlap=overlap, expires=expires)
    _print_issued(issued, as_json)


@contextmanager
def _keys(store: str | None) -> Iterator[KeyAdmin]:
    with stores(store) as opened:
        yield KeyAdmin(opened.keys, opened.audit, utc_now)


def _print_issued(issued: IssuedKey, as_json: bool) -> None:
    key, old = issued.key, issued.replaced
    if as_json:
        body = {"key": issued.text, "key_id": key.key_id}
        print_json(body if old is None else {**body, "replaced": key_body(old, key.created_at)})
        return
    typer.echo(issued.text)
    until = f"until {_moment(key.expires_at)}" if key.expires_at else "no end"
    rights = f"{_list(key.scopes)}; for {_publishers(key)}; {until}"
    typer.echo(f"  {key.key_id}, {key.name}: {rights}")
    if old is not None:
        typer.echo(f"  It replaces {old.key_id}, which ends {_moment(old.expires_at)}")
    typer.echo("  Save it now: it is not shown again. Requests send it as")
    typer.echo("  authorization: Bearer <key>")


def _table(keys: Iterable[StoredKey], now: datetime) -> Table:
    table = Table(title="API keys")
    table.add_column("key", no_wrap=True)
    table.add_column("what it is for", overflow="fold")
    table.add_column("scopes", overflow="fold")
    table.add_column("state", min_width=len("2026-12-31"))
    table.add_column("last used", min_width=len("2026-12-31"))
    for key in keys:
        ends = key.revoked_at or key.expires_at
        table.add_row(
            key.key_id,
            f"{key.name}, {_publishers(key)}",
            _list(key.scopes),
            f"{state_of(key, now)} {_moment(ends) if ends else ''}",
            _moment(key.last_used_at),
        )
    return table


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _publishers(key: StoredKey) -> str:
    return "all publishers" if key.publishers is None else _list(key.publishers)


def _moment(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M UTC}"

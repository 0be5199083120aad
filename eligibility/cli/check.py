"""`eligibility check`: one access query, asked of the store."""

from typing import Annotated

import typer

from eligibility import wire
from eligibility.cli.failure import Exit
from eligibility.cli.options import At, Json, Store, console, print_json, service
from eligibility.cli.show import decision_panel
from eligibility.cli.simulating import WithCatalog, WithGroups, WithRequirements, publisher_of
from eligibility.model import AccountKind
from eligibility.simulation.drafts import read_draft


def check(
    product: Annotated[str, typer.Option(help="Store id of the product.")],
    family: Annotated[str, typer.Option(help="Device family: Windows.Desktop, Xbox, ...")],
    os_version: Annotated[
        str, typer.Option("--os", help="OS version: 10.0.22631.3007, a build, a release, decimal.")
    ],
    account: Annotated[
        str | None, typer.Option(help="Address that is signed in; leave out for nobody.")
    ] = None,
    kind: Annotated[AccountKind, typer.Option(help="Kind of the account.")] = AccountKind.MICROSOFT,
    alias: Annotated[list[str] | None, typer.Option(help="Further address of the account.")] = None,
    arch: Annotated[str | None, typer.Option(help="Architecture: x64, arm64, x86, arm.")] = None,
    installed: Annotated[str | None, typer.Option(help="Installed package version.")] = None,
    owned: Annotated[bool, typer.Option("--owned", help="The account owns the product.")] = False,
    market: Annotated[str | None, typer.Option(help="Market, two letters.")] = None,
    promotional_code: Annotated[
        bool, typer.Option("--promotional-code", help="The account holds a promotional code.")
    ] = False,
    manual_check: Annotated[
        bool, typer.Option("--manual-check", help='The person pressed "check for updates".')
    ] = False,
    at: At = None,
    with_groups: WithGroups = None,
    with_catalog: WithCatalog = None,
    with_requirements: WithRequirements = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show every step.")] = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Ask one access query, with the --with-* files as if they were saved.

    Exit code: 0 granted, 3 denied, 1 no decision, 2 wrong usage.
    """
    query = wire.query_of(
        product_id=product,
        account=None if account is None else {"id": account, "kind": kind, "aliases": alias or []},
        device={"family": family, "os_version": os_version, "architecture": arch},
        installed_version=installed,
        owned=owned,
        market=market,
        promotional_code=promotional_code,
        manual_check=manual_check,
        at=at,
    )
    with service(store) as opened:
        if with_groups or with_catalog or with_requirements:
            draft = read_draft(
                publisher_of(opened, product, with_catalog),
                groups=with_groups,
                catalog=with_catalog,
                requirements=with_requirements,
            )
            decision = opened.states.read(product, query.at, draft).decide(query, explain=explain)
        else:
            decision = opened.evaluator.decide(query, explain=explain)
    if as_json:
        print_json(wire.encode(decision))
    else:
        console().print(decision_panel(decision))
    raise typer.Exit(Exit.GRANTED if decision.granted else Exit.DENIED)

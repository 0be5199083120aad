"""`eligibility check`: one access query, asked of the store."""

from typing import Annotated

import typer

from eligibility import wire
from eligibility.cli import query_options as options
from eligibility.cli.failure import Exit
from eligibility.cli.options import At, Json, Store, console, print_json, service
from eligibility.cli.show import decision_panel
from eligibility.cli.simulating import WithCatalog, WithGroups, WithRequirements, publisher_of
from eligibility.model import AccountKind
from eligibility.simulation.drafts import read_draft


def check(
    product: options.Product,
    family: options.Family,
    os_version: options.OsVersion,
    account: options.Account = None,
    kind: options.Kind = AccountKind.MICROSOFT,
    alias: options.Alias = None,
    arch: options.Architecture = None,
    installed: options.Installed = None,
    owned: options.Owned = False,
    market: options.Market = None,
    promotional_code: options.PromotionalCode = False,
    manual_check: options.ManualCheck = False,
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
    query = options.query_of(
        product=product,
        account=account,
        kind=kind,
        alias=alias,
        family=family,
        os_version=os_version,
        arch=arch,
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

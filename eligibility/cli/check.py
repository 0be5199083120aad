"""`eligibility check`: one access query, asked of the store."""

from typing import Annotated

import typer

from eligibility.access import wire
from eligibility.access.model import AccountKind
from eligibility.cli.options import query as options
from eligibility.cli.options.base import AtOption, JsonOption, StoreOption, service
from eligibility.cli.options.simulation import (
    WithCatalogOption,
    WithGroupsOption,
    WithRequirementsOption,
    publisher_of,
)
from eligibility.cli.show.base import decision_panel
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.output import console, print_json
from eligibility.explain.step_details import with_details
from eligibility.simulation.inputs.drafts import read_draft


def check(
    product: options.ProductOption,
    family: options.FamilyOption,
    os_version: options.OsVersionOption,
    account: options.AccountOption = None,
    kind: options.AccountKindOption = AccountKind.MICROSOFT,
    alias: options.AliasOption = None,
    arch: options.ArchitectureOption = None,
    installed: options.InstalledOption = None,
    owned: options.OwnedOption = False,
    market: options.MarketOption = None,
    promotional_code: options.PromotionalCodeOption = False,
    manual_check: options.ManualCheckOption = False,
    at: AtOption = None,
    with_groups: WithGroupsOption = None,
    with_catalog: WithCatalogOption = None,
    with_requirements: WithRequirementsOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show every step.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
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
    decision = with_details(decision)
    if as_json:
        print_json(wire.encode(decision))
    else:
        console().print(decision_panel(decision))
    raise typer.Exit(Exit.GRANTED if decision.granted else Exit.DENIED)

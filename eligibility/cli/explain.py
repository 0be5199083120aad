"""`eligibility explain`: one decision as a story to read out, and the least change that would grant it."""

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
    asked_of,
)
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.explanation import letter
from eligibility.cli.show.output import console, print_json
from eligibility.explain.least_change import GRANTED, explained, wanted_of
from eligibility.simulation.inputs.accounts import ANONYMOUS

WantedOption = Annotated[
    str | None,
    typer.Option(
        help="Find what would give this flight, or this package version, rather than any package.",
        show_default=False,
    ),
]


def explain(
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
    wanting: WantedOption = None,
    at: AtOption = None,
    with_groups: WithGroupsOption = None,
    with_catalog: WithCatalogOption = None,
    with_requirements: WithRequirementsOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell one decision as a story, and the least change that would grant it, found by trying.

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
    )
    with service(store) as opened:
        asked = asked_of(
            opened,
            product,
            ANONYMOUS[0],
            at,
            with_groups=with_groups,
            with_catalog=with_catalog,
            with_requirements=with_requirements,
        )
        state = opened.states.read(product, asked.at, asked.draft)
        wanted = GRANTED if wanting is None else wanted_of(wanting, state.product)
        decision = state.decide(query, explain=True)
        told = explained(decision, state.case(query), wanted)
    if as_json:
        print_json(wire.encode(told))
    else:
        console().print(letter(told, state.product.name, state.label))
    raise typer.Exit(Exit.GRANTED if told.granted else Exit.DENIED)

"""`eligibility explain`: one decision as a story to read out, and the least change that would grant it."""

from typing import Annotated

import typer

from eligibility.access import wire
from eligibility.access.model import AccountKind
from eligibility.cli.options import query as options
from eligibility.cli.options.base import At, Json, Store, service
from eligibility.cli.options.simulation import WithCatalog, WithGroups, WithRequirements, asked_of
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.explanation import letter
from eligibility.cli.show.output import console, print_json
from eligibility.explain.least_change import GRANTED, explained, wanted_of
from eligibility.simulation.inputs.accounts import ANONYMOUS

Wanting = Annotated[
    str | None,
    typer.Option(
        help="Find what would give this flight, or this package version, rather than any package.",
        show_default=False,
    ),
]


def explain(
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
    wanting: Wanting = None,
    at: At = None,
    with_groups: WithGroups = None,
    with_catalog: WithCatalog = None,
    with_requirements: WithRequirements = None,
    store: Store = None,
    as_json: Json = False,
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
        told = explained(decision, state.grounds(query), wanted)
    if as_json:
        print_json(wire.encode(told))
    else:
        console().print(letter(told, state.product.name, state.label))
    raise typer.Exit(Exit.GRANTED if told.granted else Exit.DENIED)

"""`eligibility explain`: one decision in sentences, and the smallest change that would grant it."""

from typing import Annotated

import typer

from eligibility.access import wire
from eligibility.cli.options import query as options
from eligibility.cli.options.base import JsonOption, StoreOption, service
from eligibility.cli.options.bundles import bundled
from eligibility.cli.options.simulation import StateOptions
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.explanation import letter
from eligibility.cli.show.output import console, print_json
from eligibility.explain.least_change import GRANTED, explained, goal_of


@bundled
def explain(
    product: options.ProductOption,
    device: options.DeviceOptions,
    account: options.AccountOptions,
    claims: options.ClaimOptions,
    state: StateOptions,
    wanting: Annotated[
        str | None,
        typer.Option(
            help="Find what would give this flight or this version of the package, instead of"
            " any package.",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain one decision in sentences, and search for the smallest change that would grant it.

    Exit code: 0 granted, 3 denied, 1 no decision, 2 wrong usage.
    """
    query = options.query_of(product, device, account, claims)
    with service(store) as opened:
        current = state.read(opened, product)
        goal = GRANTED if wanting is None else goal_of(wanting, current.product)
        decision = explained(current.decide(query, explain=True), current.case(query), goal)
    if as_json:
        print_json(wire.encode(decision))
    else:
        console().print(letter(decision, current.product.name, current.label))
    raise typer.Exit(Exit.GRANTED if decision.granted else Exit.DENIED)

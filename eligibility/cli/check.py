"""`eligibility check`: ask the store one access query."""

from typing import Annotated

import typer

from eligibility.access import wire
from eligibility.cli.options import query as options
from eligibility.cli.options.base import JsonOption, StoreOption, service
from eligibility.cli.options.bundles import bundled
from eligibility.cli.options.simulation import StateOptions
from eligibility.cli.show.base import decision_panel
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.output import console, print_json
from eligibility.explain.step_details import with_details


@bundled
def check(
    product: options.ProductOption,
    device: options.DeviceOptions,
    account: options.AccountOptions,
    claims: options.ClaimOptions,
    state: StateOptions,
    explain: Annotated[bool, typer.Option("--explain", help="Show every step.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask one access query. The --with-* files apply as if they were saved.

    Exit code: 0 granted, 3 denied, 1 no decision, 2 wrong usage.
    """
    query = options.query_of(product, device, account, claims, state.at)
    with service(store) as opened:
        if state.has_draft:
            decision = state.read(opened, product).decide(query, explain=explain)
        else:
            decision = opened.evaluator.decide(query, explain=explain)
    decision = with_details(decision)
    if as_json:
        print_json(wire.encode(decision))
    else:
        console().print(decision_panel(decision))
    raise typer.Exit(Exit.GRANTED if decision.granted else Exit.DENIED)

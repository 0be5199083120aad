"""`eligibility diff`: who gains, loses or gets something else between two states, and why."""

from typing import Annotated

import typer

from eligibility.access.asker import Asker
from eligibility.changes.compare import STATES, ComparisonRequest, members_of_either, read_side
from eligibility.changes.responses import ComparisonResponse, difference_response
from eligibility.cli.options import query as options
from eligibility.cli.options.base import JsonOption, PublisherOption, StoreOption, service
from eligibility.cli.options.bundles import bundled
from eligibility.cli.options.simulation import AccountsOption, DevicesOption, StateOptions
from eligibility.cli.show.difference import show_comparison
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.output import print_json
from eligibility.service.service import Service
from eligibility.simulation.inputs.accounts import read_accounts
from eligibility.simulation.inputs.devices import read_devices


@bundled
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=f"State: {STATES}.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The state to compare it with.")],
    claims: options.ClaimOptions,
    state: StateOptions,
    product: Annotated[
        str | None,
        typer.Option(
            help="Store id of the product; by default every product of --publisher.",
            show_default=False,
        ),
    ] = None,
    publisher: PublisherOption = "default",
    accounts: AccountsOption = None,
    devices: DevicesOption = "all",
    names: Annotated[
        bool, typer.Option("--names", help="Name the first 100 accounts of each change.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two states: who gains, loses or gets something else, on which devices, and why.

    `draft` is the store with the --with-* files applied. --at selects the date and time of `live`
    and `draft`. Exit code: 0 no difference, 4 a difference, 1 not compared, 2 wrong usage.
    """
    defaults = options.asker_of(claims)
    with service(store) as opened:
        owner = publisher if product is None else state.publisher(opened, product)
        comparison = _compared(
            opened, owner, product, (before, after), state, accounts, devices, defaults
        )
    if as_json:
        print_json(comparison)
    else:
        show_comparison(comparison, names=names)
    raise typer.Exit(Exit.DIFFERENT if comparison.products else Exit.GRANTED)


def _compared(
    service: Service,
    publisher: str,
    product: str | None,
    names: tuple[str, str],
    options: StateOptions,
    accounts: str | None,
    devices: str,
    defaults: Asker,
) -> ComparisonResponse:
    """Compare two named states of one product, or of all products if `product` is None."""
    states, named = service.states, read_devices(devices)
    moment, draft = options.moment, options.draft(publisher)
    before, after = (read_side(states, publisher, name, moment, draft) for name in names)
    sides = before, after
    population = None
    if accounts is not None:
        members = members_of_either(states, publisher, sides)
        population = read_accounts(accounts, members, defaults, ranks=service.header_ranks)
    request = ComparisonRequest(states, publisher, sides, named, population, defaults)
    differences = request.differences() if product is None else [request.difference(product)]
    return ComparisonResponse(
        before=before.label,
        after=after.label,
        products=tuple(difference_response(item) for item in differences if item.changes),
    )

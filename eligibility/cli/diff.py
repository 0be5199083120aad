"""`eligibility diff`: who gains, loses or moves between two states, and why."""

from typing import Annotated

import typer

from eligibility.changes.compare import STATES, compare, compare_all, members_of_either, read_side
from eligibility.changes.responses import ComparisonResponse, difference_response
from eligibility.cli.options import query as options
from eligibility.cli.options.base import AtOption, JsonOption, StoreOption, moment_of, service
from eligibility.cli.options.simulation import (
    AccountsOption,
    DevicesOption,
    WithCatalogOption,
    WithGroupsOption,
    WithRequirementsOption,
    asker_of,
    publisher_of,
)
from eligibility.cli.show.difference import show_comparison
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.output import print_json
from eligibility.simulation.inputs.accounts import read_accounts
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.inputs.drafts import read_draft


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=f"State: {STATES}.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The state to compare it with.")],
    product: Annotated[
        str | None,
        typer.Option(
            help="Store id of the product; by default every product of --publisher.",
            show_default=False,
        ),
    ] = None,
    publisher: Annotated[
        str, typer.Option("--publisher", "-P", help="Whose products, without --product.")
    ] = "default",
    accounts: AccountsOption = None,
    devices: DevicesOption = "all",
    with_groups: WithGroupsOption = None,
    with_catalog: WithCatalogOption = None,
    with_requirements: WithRequirementsOption = None,
    at: AtOption = None,
    installed: options.InstalledOption = None,
    owned: options.OwnedOption = False,
    market: options.MarketOption = None,
    promotional_code: options.PromotionalCodeOption = False,
    manual_check: options.ManualCheckOption = False,
    names: Annotated[
        bool, typer.Option("--names", help="Name the first 100 accounts of each change.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two states: who gains, loses or moves, on which devices, and why.

    `draft` is the present with the --with-* files over it; with --at, `live` and `draft` are those
    of that moment. Exit code: 0 no difference, 4 a difference, 1 not compared, 2 wrong usage.
    """
    moment = moment_of(at)
    asked = read_devices(devices)
    defaults = asker_of(installed, owned, market, promotional_code, manual_check)
    with service(store) as opened:
        owner = publisher if product is None else publisher_of(opened, product, with_catalog)
        draft = read_draft(
            owner, groups=with_groups, catalog=with_catalog, requirements=with_requirements
        )
        one, other = (
            read_side(opened.states, owner, text, moment, draft) for text in (before, after)
        )
        sides = one, other
        population = (
            None
            if accounts is None
            else read_accounts(accounts, members_of_either(opened.states, owner, sides), defaults)
        )
        if product is None:
            found = compare_all(
                opened.states, owner, sides, asked, population=population, defaults=defaults
            )
        else:
            found = iter(
                [compare(opened.states, owner, product, sides, asked, population, defaults)]
            )
        told = ComparisonResponse(
            before=sides[0].label,
            after=sides[1].label,
            products=tuple(difference_response(one) for one in found if one.changes),
        )
    if as_json:
        print_json(told)
    else:
        show_comparison(told, names=names)
    raise typer.Exit(Exit.DIFFERENT if told.products else Exit.GRANTED)

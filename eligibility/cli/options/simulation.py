"""The options of commands that simulate: accounts, devices, drafts; and what they mean."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from eligibility.access.asker import PLAIN, Asker
from eligibility.cli.options.base import moment_of
from eligibility.errors import UnknownProduct
from eligibility.service.service import Service
from eligibility.simulation.inputs.accounts import read_accounts
from eligibility.simulation.inputs.drafts import Draft, publisher_in, read_draft
from eligibility.simulation.inputs.population import Population

AccountsOption = Annotated[
    str | None,
    typer.Option(
        "--accounts",
        "-a",
        help="Addresses, CSV files and group ids, with commas between them; `anonymous` is nobody."
        " By default everybody in a group of the product.",
        show_default=False,
    ),
]
DevicesOption = Annotated[
    str,
    typer.Option(
        "--devices",
        "-d",
        help="Presets (desktop, xbox, all, ...), CSV files and devices (family/os_version/arch).",
    ),
]
WithGroupsOption = Annotated[
    Path | None,
    typer.Option("--with-groups", help="Draft: a CSV of edits, group,account,change."),
]
WithCatalogOption = Annotated[
    Path | None,
    typer.Option("--with-catalog", help="Draft: a catalogue, as `catalog apply` takes it."),
]
WithRequirementsOption = Annotated[
    Path | None,
    typer.Option("--with-requirements", help="Draft: other OS floors, as requirements.toml."),
]


@dataclass(frozen=True)
class SimulationRequest:
    """What a command simulates, read from its options."""

    publisher: str
    population: Population
    draft: Draft
    at: datetime | None


def asker_of(
    installed: str | None, owned: bool, market: str | None, code: bool, manual_check: bool
) -> Asker:
    """Read the terms that hold for every account without terms of its own. Raises: InvalidInput."""
    return Asker.parse(
        installed_version=installed,
        owned=owned,
        market=market,
        promotional_code=code,
        manual_check=manual_check,
    )


def asked_of(
    service: Service,
    product_id: str,
    accounts: str | None,
    at: str | None,
    *,
    with_groups: Path | None = None,
    with_catalog: Path | None = None,
    with_requirements: Path | None = None,
    defaults: Asker = PLAIN,
) -> SimulationRequest:
    """Read the accounts, the draft and the moment of a command about one product.

    A product that is not in the store yet is looked up in the draft. Raises: InvalidInput; UnknownProduct;
    groups.errors.UnknownGroup.
    """
    moment = moment_of(at)
    publisher = publisher_of(service, product_id, with_catalog)
    draft = read_draft(
        publisher, groups=with_groups, catalog=with_catalog, requirements=with_requirements
    )
    members = partial(service.states.members, publisher, at=moment, draft=draft)
    if accounts is None:
        state = service.states.read(product_id, moment, draft)
        everybody = [one for group_id in sorted(state.product.groups) for one in members(group_id)]
        return SimulationRequest(
            publisher, Population(list(dict.fromkeys(everybody)), defaults), draft, moment
        )
    return SimulationRequest(publisher, read_accounts(accounts, members, defaults), draft, moment)


def publisher_of(service: Service, product_id: str, with_catalog: Path | None = None) -> str:
    """The publisher of a product in the store, or else in the draft. Raises: UnknownProduct."""
    try:
        return service.states.owner(product_id)
    except UnknownProduct:
        publisher = None if with_catalog is None else publisher_in(with_catalog, product_id)
        if publisher is None:
            raise
        return publisher

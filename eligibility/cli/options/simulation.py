"""Options of commands that simulate: accounts, devices, and the state to evaluate."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from eligibility.cli.options.base import AtOption, moment_of
from eligibility.service.service import Service
from eligibility.simulation.inputs.drafts import Draft, publisher_of, read_draft
from eligibility.simulation.state import State

AccountsOption = Annotated[
    str | None,
    typer.Option(
        "--accounts",
        "-a",
        help="Addresses, CSV files and ids of groups, separated by commas; `anonymous` is nobody"
        " signed in. By default everybody in a group of the product.",
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


@dataclass(frozen=True)
class StateOptions:
    """The state to evaluate: the store at `at`, with draft files applied as if they were saved."""

    at: AtOption = None
    with_groups: Annotated[
        Path | None,
        typer.Option("--with-groups", help="Draft: a CSV file of edits, group,account,change."),
    ] = None
    with_catalog: Annotated[
        Path | None,
        typer.Option("--with-catalog", help="Draft: a catalogue, as `catalog apply` takes it."),
    ] = None
    with_requirements: Annotated[
        Path | None,
        typer.Option("--with-requirements", help="Draft: other OS floors, as requirements.toml."),
    ] = None

    @property
    def moment(self) -> datetime | None:
        """The date and time of `--at`; None = now. Raises: InvalidInput."""
        return moment_of(self.at)

    @property
    def has_draft(self) -> bool:
        """Whether any draft file is given."""
        return any((self.with_groups, self.with_catalog, self.with_requirements))

    def draft(self, publisher: str) -> Draft:
        """Read the draft files. Raises: InvalidInput, InvalidSettings."""
        return read_draft(
            publisher,
            groups=self.with_groups,
            catalog=self.with_catalog,
            requirements=self.with_requirements,
        )

    def publisher(self, service: Service, product_id: str) -> str:
        """Return a product's publisher, from the store or the draft. Raises: UnknownProduct."""
        return publisher_of(service.states.owner, product_id, self.with_catalog)

    def read(self, service: Service, product_id: str) -> State:
        """Read the state of a product. Raises: InvalidInput, UnknownProduct."""
        moment = self.moment
        draft = self.draft(self.publisher(service, product_id))
        return service.states.read(product_id, moment, draft)

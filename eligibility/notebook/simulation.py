"""Simulation from Python: who gets what. See docs/qa.md, "From Python"."""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack

from eligibility.access import wire
from eligibility.access.asker import Asker
from eligibility.errors import UnknownProduct
from eligibility.notebook.result import SimulationResult
from eligibility.notebook.sources import MemoryStates, SimulationSource, with_moves
from eligibility.rules.requirements import load_requirements
from eligibility.service.service import Service
from eligibility.service.settings_sources import load_settings
from eligibility.simulation.inputs.accounts import Members, read_accounts
from eligibility.simulation.inputs.devices import NamedDevice, read_devices
from eligibility.simulation.inputs.drafts import NO_DRAFT, Draft, publisher_in, read_draft
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import simulate
from groups import emails

AccountsInput = str | Path | Iterable[str]
"""As `--accounts` of the command line: addresses, CSV files, group ids, `anonymous`; one or many."""

DevicesInput = str | Path | Iterable[str | NamedDevice]
"""As `--devices`: presets, CSV files, `family/os_version/architecture`; one or many."""


class DefaultTerms(TypedDict, total=False):
    """The terms of accounts, as in an access query; those left out are not claimed."""

    installed_version: str | None
    owned: bool
    market: str | None
    promotional_code: bool
    manual_check: bool


class Simulation:
    """Simulates whole audiences of a catalogue. Use it as a context manager, or call close().

    `Simulation("sqlite:///eligibility.db")` reads a store, `Simulation()` the store of the settings
    in force, `Simulation(service)` a service that stays open, and `Simulation.given(products, groups)`
    no store at all. All methods raise EligibilityError or GroupsError, each with a stable `code`.
    """

    def __init__(self, source: str | Service | SimulationSource | None = None) -> None:
        self._opened: Service | None = None
        if source is None or isinstance(source, str):
            source = Service(load_settings(os.environ, {"store": source}).settings)
            self._opened = source
        self._source: SimulationSource = source.states if isinstance(source, Service) else source

    @classmethod
    def given(
        cls,
        products: Mapping[str, Any],
        groups: Mapping[str, str | Iterable[str]] | None = None,
        *,
        publisher: str = "given",
        requirements: Path | str | None = None,
    ) -> "Simulation":
        """Simulate products and groups that are given by their ids; nothing is stored.

        Args: products = as a catalogue's file has them, or Product; groups = addresses, as text or
        as a list; publisher = whose they are, for drafts; requirements = path of other OS floors.
        """
        floors = load_requirements(Path(requirements) if requirements else None)
        return cls(MemoryStates.parse(publisher, products, groups or {}, floors))

    def matrix(
        self,
        product_id: str,
        accounts: AccountsInput | None = None,
        devices: DevicesInput = "all",
        *,
        at: datetime | str | None = None,
        draft: Draft = NO_DRAFT,
        **terms: Unpack[DefaultTerms],
    ) -> SimulationResult:
        """Decide for every account on every device.

        Args: accounts = None: everybody in a group of the product; at = a moment with an offset,
        past or ahead, None = now; draft = see `draft`; terms = of every account that a file does not
        describe otherwise: installed_version, owned, market, promotional_code, manual_check.
        """
        defaults = Asker.parse(**terms)
        named = _devices(devices)
        moment = None if at is None else wire.moment_of(str(at), "at")
        state = self._source.read(product_id, moment, draft)
        publisher = state.snapshot.publisher
        members = partial(self._source.members, publisher, at=moment, draft=draft)
        accounts = sorted(state.product.groups) if accounts is None else accounts
        return SimulationResult(simulate(state, _population(accounts, members, defaults), named))

    def draft(
        self,
        product_id: str,
        *,
        add: Mapping[str, Iterable[str]] | None = None,
        remove: Mapping[str, Iterable[str]] | None = None,
        groups: Path | str | None = None,
        catalog: Path | str | None = None,
        requirements: Path | str | None = None,
    ) -> Draft:
        """Read what would be different for the publisher of a product; nothing is saved.

        Args: add, remove = accounts by group id; groups, catalog, requirements = files, as
        `--with-groups`, `--with-catalog` and `--with-requirements` take them.
        """
        read = read_draft(
            self._publisher(product_id, catalog),
            groups=Path(groups) if groups else None,
            catalog=Path(catalog) if catalog else None,
            requirements=Path(requirements) if requirements else None,
        )
        return with_moves(read, add or {}, remove or {})

    def _publisher(self, product_id: str, catalog: Path | str | None) -> str:
        """Return the publisher of a product; the draft's catalogue may have one that the store has not."""
        try:
            return self._source.owner(product_id)
        except UnknownProduct:
            publisher = publisher_in(Path(catalog), product_id) if catalog else None
            if publisher is None:
                raise
            return publisher

    def close(self) -> None:
        """Close the store, if it was opened here."""
        if self._opened is not None:
            self._opened.close()

    def __enter__(self) -> "Simulation":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _population(accounts: AccountsInput, members: Members, defaults: Asker) -> Population:
    listed = [str(accounts)] if isinstance(accounts, str | Path) else [*map(str, accounts)]
    plain = emails.canonical_together(listed)  # a million addresses are not looked at one by one
    if plain is None or not plain:
        return read_accounts(",".join(listed), members, defaults, "accounts")
    return Population(list(dict.fromkeys(plain)), defaults)


def _devices(devices: DevicesInput) -> tuple[NamedDevice, ...]:
    if isinstance(devices, str | Path):
        return read_devices(str(devices), "devices")
    by_device: dict[object, NamedDevice] = {}
    for item in devices:
        named = [item] if isinstance(item, NamedDevice) else read_devices(item, "devices")
        by_device |= {device.device: device for device in named}
    return tuple(by_device.values()) or read_devices("", "devices")

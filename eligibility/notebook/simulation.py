"""Simulate from Python what accounts get on devices. See docs/qa.md, "From Python"."""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack

from eligibility.access.asker import Asker
from eligibility.formats.moments import parse_moment
from eligibility.notebook.result import SimulationResult
from eligibility.notebook.sources import MemoryStates, SimulationSource, with_moves
from eligibility.rules.requirements import load_requirements
from eligibility.service.service import Service
from eligibility.service.settings_sources import load_settings
from eligibility.simulation.inputs.accounts import Members, read_accounts
from eligibility.simulation.inputs.devices import NamedDevice, read_devices
from eligibility.simulation.inputs.drafts import NO_DRAFT, Draft, publisher_of, read_draft
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import simulate
from groups import emails

AccountsInput = str | Path | Iterable[str]
"""One or more addresses, CSV files, group ids or `anonymous`, as for the option `--accounts`."""

DevicesInput = str | Path | Iterable[str | NamedDevice]
"""One or more presets, CSV files or `family/os_version/architecture`, as for `--devices`."""


class DefaultTerms(TypedDict, total=False):
    """Claims of accounts, as in an access query. A claim that is left out is not made."""

    installed_version: str | None
    owned: bool | None
    market: str | None
    promotional_code: bool
    manual_check: bool


class Simulation:
    """Simulates what accounts get on devices. Use it as a context manager, or call close().

    `Simulation("sqlite:///eligibility.db")` reads that store, `Simulation()` the store of the
    settings, `Simulation(service)` the store of a service, which close() leaves open, and
    `Simulation.given(products, groups)` no store. Methods raise EligibilityError or GroupsError.
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
        """Simulate products and groups that are mappings by id; nothing is stored.

        Args: products = each a Product or as in a catalogue file; groups = addresses of each, as text
        or as a list; publisher = the owner of all; requirements = file with other OS floors.
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

        Args: accounts = None: every member of the product's groups; at = date and time with offset,
        past or future, None = now; draft = see `draft`; terms = the claims of every account, except
        where a file has others.
        """
        defaults = Asker.parse(**terms)
        named = _devices(devices)
        moment = None if at is None else parse_moment(str(at), "at")
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
        """Build a draft: changes to a publisher's data for a simulation only. Nothing is saved.

        Args: add, remove = accounts by group id; groups, catalog, requirements = files as for
        `--with-groups`, `--with-catalog` and `--with-requirements`.
        """
        declared = Path(catalog) if catalog else None
        read = read_draft(
            publisher_of(self._source.owner, product_id, declared),
            groups=Path(groups) if groups else None,
            catalog=declared,
            requirements=Path(requirements) if requirements else None,
        )
        return with_moves(read, add or {}, remove or {})

    def close(self) -> None:
        """Close the store, if this object opened it."""
        if self._opened is not None:
            self._opened.close()

    def __enter__(self) -> "Simulation":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _population(accounts: AccountsInput, members: Members, defaults: Asker) -> Population:
    listed = [str(accounts)] if isinstance(accounts, str | Path) else [*map(str, accounts)]
    plain = emails.canonical_together(listed)  # fast path for a million addresses
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

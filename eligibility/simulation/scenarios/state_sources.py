"""Build the states of scenarios, from the catalogue in their file or from the live store."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from eligibility.catalog.errors import InvalidProduct
from eligibility.catalog.model import Product
from eligibility.catalog.validation import ValidationContext, read_product, validate
from eligibility.engine.snapshot import Snapshot, index_of, snapshot_of
from eligibility.errors import Fault, InvalidInput, UnknownProduct
from eligibility.formats.strict_struct import shown
from eligibility.formats.suggestions import meant
from eligibility.rules.requirements import Requirements
from eligibility.simulation.inputs.drafts import Draft
from eligibility.simulation.scenarios.faults import listed
from eligibility.simulation.scenarios.model import (
    InvalidScenarios,
    Scenario,
    ScenarioCatalog,
    ScenarioFile,
)
from eligibility.simulation.state import State
from eligibility.simulation.states import States
from groups.member_set import Digester
from groups.store import MembershipReader

SUBMISSION = "submission"
"""What `expect.source` calls the packages outside all flights."""


class StateSource(Protocol):
    """Builds the states of the scenarios of one file."""

    def state(self, scenario: Scenario) -> State:
        """Build a scenario's state. Raises: InvalidInput for wrong fields; StoreUnavailable."""


@dataclass(frozen=True)
class FileStateSource:
    """Builds states from a scenario file's catalogue. now: UTC-aware, for cases without `now`."""

    catalog: ScenarioCatalog
    requirements: Requirements
    now: datetime
    _snapshots: dict[str, Snapshot] = field(default_factory=dict)

    def state(self, scenario: Scenario) -> State:
        """See StateSource."""
        moment = scenario.now or self.now
        if scenario.product_id not in self.catalog.products:
            raise _unknown_product(scenario.product_id, self.catalog.products)
        publisher, product = self.catalog.products[scenario.product_id]
        key = json.dumps([scenario.product_id, scenario.change, scenario.rollout_applies_to])
        if key not in self._snapshots:
            changed = changed_product(product, scenario.change)
            self._snapshots[key] = self._snapshot(scenario, publisher, changed, moment)
        snapshot = self._snapshots[key]
        known = self.catalog.groups.get(publisher, {}).keys() | snapshot.product.groups
        return as_members(State(snapshot, moment, "given"), scenario, known)

    def _snapshot(
        self, scenario: Scenario, publisher: str, product: Product, moment: datetime
    ) -> Snapshot:
        declared = self.catalog.groups.get(publisher) or dict.fromkeys(product.groups, ())
        _check(scenario, product, declared.keys(), moment)
        digester = Digester(b"scenarios")
        members = {group: digester.of_all(declared[group]) for group in product.groups}
        requirements = _applying(self.requirements, scenario)
        product_id = scenario.product_id
        return snapshot_of(publisher, product_id, product, members, digester, requirements)


@dataclass(frozen=True)
class StoreStateSource:
    """Reads states from the store; changes are drafts. requirements: the file's; in_force: ours."""

    states: States
    groups: MembershipReader
    in_force: Requirements
    requirements: Requirements | None = None
    _states: dict[str, State] = field(default_factory=dict)

    def state(self, scenario: Scenario) -> State:
        """See StateSource."""
        parts = [scenario.product_id, scenario.change, scenario.rollout_applies_to]
        key = json.dumps([*parts, scenario.now and scenario.now.isoformat()])
        if key not in self._states:
            self._states[key] = self._read(scenario)
        state = self._states[key]
        known = self.groups.group_ids(state.snapshot.publisher) | state.product.groups
        return as_members(state, scenario, known)

    def _read(self, scenario: Scenario) -> State:
        product_id = scenario.product_id
        requirements = self.requirements
        if scenario.rollout_applies_to is not None:
            requirements = _applying(requirements or self.in_force, scenario)
        try:
            draft = Draft(self.states.owner(product_id), requirements=requirements)
            if scenario.change:
                stored = self.states.read(product_id, scenario.now).product
                changed = changed_product(stored, scenario.change)
                draft = replace(draft, products={product_id: changed})
            return self.states.read(product_id, scenario.now, draft)
        except UnknownProduct as error:
            raise InvalidInput([Fault("product", error.code, str(error))]) from None
        except InvalidProduct as error:
            raise _in_the_case(scenario, error) from None


def _unknown_product(product_id: str, known: Collection[str]) -> InvalidInput:
    near = meant(product_id, known) or f"; the catalogue has {listed(known) or 'none'}"
    detail = f"unknown product `{product_id}`{near}"
    return InvalidInput([Fault("product", UnknownProduct.code, detail)])


def _applying(requirements: Requirements, scenario: Scenario) -> Requirements:
    applies_to = scenario.rollout_applies_to
    return replace(requirements, rollout_applies_to=applies_to) if applies_to else requirements


def _check(scenario: Scenario, product: Product, groups: Collection[str], moment: datetime) -> None:
    try:
        validate(scenario.product_id, product, ValidationContext(groups, moment))
    except InvalidProduct as error:
        raise _in_the_case(scenario, error) from None


def _in_the_case(scenario: Scenario, error: InvalidProduct) -> InvalidInput:
    """Locate the faults of a product at the field `change` or `product` of the case."""
    field_ = "change" if scenario.change else "product"
    faults = [Fault(field_, f.code, f"`{scenario.product_id}`: {f}") for f in error.faults]
    return InvalidInput(faults)


def as_members(state: State, scenario: Scenario, known: Collection[str]) -> State:
    """Make accounts members of exactly the case's `in` groups, if any. Raises: InvalidInput."""
    if scenario.groups is None:
        return state
    unknown = sorted(scenario.groups - set(known))
    if unknown:
        raise InvalidInput([_unknown_group(group_id, known) for group_id in unknown])
    snapshot = state.snapshot
    digest = snapshot.digester.of
    members = {digest(a.account.id) for a in scenario.askers if a.account is not None}
    within = sorted(scenario.groups & snapshot.product.groups)
    index = index_of(dict.fromkeys(within, members))
    return State(snapshot.with_index(index), state.moment, state.label)


def _unknown_group(group_id: str, known: Collection[str]) -> Fault:
    near = meant(group_id, known) or f"; {listed(sorted(known)) or 'none'} are known"
    return Fault("in", "UNKNOWN_GROUP", f"no group `{group_id}`{near}")


def _check_flights(expect: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse expected flights that the product has not: such a case could never hold."""
    expected = {"expect.source": [expect.get("source") or SUBMISSION]}
    expected["expect.remedy.flights"] = expect.get("remedy.flights", [])
    faults = [
        Fault(loc, "UNKNOWN_FLIGHT", f"no flight `{shown(flight)}`{_which(flight, known)}")
        for loc, flights in expected.items()
        for flight in flights
        if flight not in known and (flight != SUBMISSION or loc != "expect.source")
    ]
    if faults:
        raise InvalidInput(faults)


def _which(flight: str, known: Collection[str]) -> str:
    flights = f"the product has {listed(known) or 'no flight'}"
    return f"; {flights}{meant(flight, known)}"


def changed_product(product: Product, changes: Mapping[str, Any]) -> Product:
    """Replace values in a product by dotted path. Raises: InvalidInput at `change`."""
    if not changes:
        return product
    body: Any = product.model_dump(mode="json")
    for dotted, value in changes.items():
        *path, last = map(_step, dotted.split("."))
        target = body
        try:
            for part in path:
                target = target[part]
            _ = target[last]  # fail for a misspelt name, instead of adding it
            target[last] = value
        except (KeyError, IndexError, TypeError):
            detail = f"the product has nothing at `{dotted[:60]}`"
            raise InvalidInput([Fault("change", "NO_SUCH_PLACE", detail)]) from None
    try:
        return read_product(body)
    except InvalidProduct as error:
        faults = [Fault("change", fault.code, str(fault)) for fault in error.faults]
        raise InvalidInput(faults) from None


def _step(part: str) -> int | str:
    """Convert a part of a dotted path to a list index or a name."""
    return int(part) if part.isdecimal() and len(part) < 19 else part


BoundScenario = tuple[Scenario, State]
"""A scenario and its state."""


def bind(
    files: Sequence[ScenarioFile], sources: Iterable[StateSource]
) -> tuple[tuple[BoundScenario, ...], ...]:
    """Build all states before deciding. sources: one for each file. Raises: InvalidScenarios."""
    faults: list[Fault] = []
    bound: list[tuple[BoundScenario, ...]] = []
    for file, source in zip(files, sources, strict=True):
        pairs: list[BoundScenario] = []
        for scenario in file.scenarios:
            try:
                state = source.state(scenario)
                _check_flights(scenario.expect, state.product.flight_names)
                pairs.append((scenario, state))
            except InvalidInput as error:
                faults += scenario.located(error.faults)
        bound.append(tuple(pairs))
    if faults:
        raise InvalidScenarios(list(dict.fromkeys(faults)))
    return tuple(bound)

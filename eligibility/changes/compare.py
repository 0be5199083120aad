"""Read two states of a publisher's products from the stores, and compare them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import structs

from eligibility.access.asker import PLAIN, Asker
from eligibility.catalog.export import all_products
from eligibility.catalog.files import Declaration
from eligibility.catalog.plan import Plan
from eligibility.catalog.store import CatalogStore
from eligibility.changes.difference import ProductDifference, difference
from eligibility.errors import Fault, InvalidInput, UnknownProduct
from eligibility.formats.moments import parse_moment
from eligibility.formats.suggestions import meant
from eligibility.simulation.inputs.devices import NamedDevice
from eligibility.simulation.inputs.drafts import NO_DRAFT, Draft, MemberMoves
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import price_of, simulate
from eligibility.simulation.state import State
from eligibility.simulation.states import States
from groups.errors import UnknownGroup

STATES = "live, draft, a moment (ISO 8601 with an offset), groups:N or catalog:N"
_EXAMPLES = ("live", "draft", "groups:1", "catalog:1")


@dataclass(frozen=True, slots=True)
class ComparedState:
    """One of two states to compare. at: UTC-aware, None = now. draft: unsaved changes to apply."""

    label: str
    at: datetime | None = None
    draft: Draft = NO_DRAFT


def read_side(
    states: States, publisher: str, text: str, at: datetime | None, draft: Draft, loc: str = ""
) -> ComparedState:
    """Parse one of STATES; `groups:N` and `catalog:N` mean the time when revision N was written.

    Args: at = the time for `live` and `draft`, None = now; loc = the parameter to name in faults.
    Raises: InvalidInput.
    """
    suffix = "" if at is None else f" at {_named(at)}"
    if text == "live":
        return ComparedState(f"live{suffix}", at)
    if text == "draft":
        if draft.is_empty:
            raise InvalidInput(
                [
                    Fault(
                        loc,
                        "NO_DRAFT",
                        "`draft` compares with a draft, but the request contains none: add `draft`",
                    )
                ]
            )
        return ComparedState(f"draft{suffix}", at, draft)
    part, _, number = text.partition(":")
    if number.isascii() and number.isdecimal() and len(number) < 19:
        if part == "groups":
            return _at(text, states.moment_of(publisher, "groups", int(number)))
        if part == "catalog":
            return _at(text, states.moment_of(publisher, "catalog", int(number)))
    try:
        moment = parse_moment(text, loc)
    except InvalidInput:
        shown = text if len(text) <= 60 else text[:57] + "..."
        detail = f"`{shown}` is not a state{meant(text, _EXAMPLES)}; a state is {STATES}"
        raise InvalidInput([Fault(loc, "UNKNOWN_STATE", detail)]) from None
    return ComparedState(_named(moment), moment)


def _at(text: str, moment: datetime) -> ComparedState:
    return ComparedState(f"{text} ({_named(moment)})", moment)


def _named(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A product in two states, and the accounts and devices to compare. None = no such product."""

    before: State | None
    after: State | None
    population: Population
    devices: Sequence[NamedDevice]

    @property
    def price(self) -> int:
        """Compute the cost in access queries: accounts x kinds of devices, for both states."""
        states = [state for state in (self.before, self.after) if state is not None]
        return sum(price_of(state, self.population, self.devices) for state in states)

    def difference(self, most_decisions: int | None = None) -> ProductDifference:
        """Compare the states. Raises: InvalidInput if a state needs more than most_decisions."""
        before, after = (
            None
            if state is None
            else simulate(state, self.population, self.devices, most_decisions)
            for state in (self.before, self.after)
        )
        return difference(before, after)


@dataclass(frozen=True, slots=True)
class ComparisonRequest:
    """Two states of a publisher's products to compare, on some devices, for some accounts.

    population: None = every member of the product's groups in either state, and somebody who is
    not signed in. defaults: the terms of these accounts. If the product is limited to markets and
    these terms name none, one of its markets is used: without a market everybody would be denied.
    """

    states: States
    publisher: str
    sides: tuple[ComparedState, ComparedState]
    devices: Sequence[NamedDevice]
    population: Population | None = None
    defaults: Asker = PLAIN

    def read(self, product_id: str) -> Comparison:
        """Read states and accounts. Raises: UnknownProduct; the errors of States.read."""
        both = [_read(self.states, product_id, side) for side in self.sides]
        if both == [None, None]:
            raise UnknownProduct(product_id)
        population = self._everybody(both) if self.population is None else self.population
        return Comparison(both[0], both[1], population, self.devices)

    def difference(self, product_id: str) -> ProductDifference:
        """Compare the states of one product. Raises: the errors of `read`."""
        return self.read(product_id).difference()

    def differences(self, product_ids: Iterable[str] | None = None) -> Iterator[ProductDifference]:
        """Compare products; skip those without changes. Args: product_ids = None for all."""
        if product_ids is None:
            drafted = (product_id for side in self.sides for product_id in side.draft.products)
            in_past = any(side.at is not None for side in self.sides)
            product_ids = {*self.states.products(self.publisher, ever=in_past), *drafted}
        for product_id in sorted(product_ids):
            try:
                product = self.difference(product_id)
            except UnknownProduct:
                continue
            if product.changes:
                yield product

    def _everybody(self, both: Sequence[State | None]) -> Population:
        defaults = self.defaults
        if defaults.market is None:
            defaults = structs.replace(defaults, market=_market(both))
        names = sorted(
            {
                address
                for state, side in zip(both, self.sides, strict=True)
                if state is not None
                for group_id in state.product.groups
                for address in self.states.members(self.publisher, group_id, side.at, side.draft)
            }
        )
        nobody = Population.of([defaults])
        return Population([*names, *nobody.names], defaults, {len(names): nobody.asker(0)})


def members_of_either(
    states: States, publisher: str, sides: tuple[ComparedState, ComparedState]
) -> Callable[[str], list[str]]:
    """Build a function that lists a group's members in either state. It raises UnknownGroup."""

    def members(group_id: str) -> list[str]:
        present: set[str] = set()
        unknown: list[UnknownGroup] = []
        for side in sides:
            try:
                present.update(states.members(publisher, group_id, side.at, side.draft))
            except UnknownGroup as error:
                unknown.append(error)
        if len(unknown) == len(sides):
            raise unknown[0]
        return sorted(present)

    return members


def compare_plan(
    states: States,
    catalog: CatalogStore,
    plan: Plan,
    declaration: Declaration,
    devices: Sequence[NamedDevice],
) -> Iterator[ProductDifference]:
    """Compare the products that a plan affects, before and after the plan is applied."""
    draft = Draft(
        plan.publisher,
        {
            group.group_id: MemberMoves(
                frozenset(declaration.groups[group.group_id].members or ()), whole=True
            )
            for group in plan.groups
            if group.moves_members
        },
        {
            change.product_id: declaration.products[change.product_id]
            for change in plan.products
            if change.action in ("create", "change")
        },
        deleted=frozenset(c.product_id for c in plan.products if c.action == "delete"),
    )
    edited = {
        entry.product_id
        for entry in all_products(catalog, plan.publisher)
        if entry.product.groups & draft.groups.keys()
    }
    sides = ComparedState("live"), ComparedState("the plan", draft=draft)
    request = ComparisonRequest(states, plan.publisher, sides, devices)
    return request.differences({*draft.products, *draft.deleted, *edited})


def _market(both: Sequence[State | None]) -> str | None:
    """Return the first market that all states with limited markets share, or None."""
    limited = [s.product.markets for s in both if s is not None and s.product.markets is not None]
    common = [m for m in limited[0] if all(m in markets for markets in limited)] if limited else []
    return common[0] if common else None


def _read(states: States, product_id: str, side: ComparedState) -> State | None:
    try:
        return states.read(product_id, side.at, side.draft)
    except UnknownProduct:
        return None

"""Comparing: two states of a publisher's products read from the stores, and what differs of each."""

from collections.abc import Iterator, Sequence

from msgspec import structs

from eligibility.catalog.files import Declaration
from eligibility.catalog.plan import Plan, all_products
from eligibility.catalog.store import CatalogStore
from eligibility.errors import UnknownProduct
from eligibility.simulation.devices import NamedDevice
from eligibility.simulation.difference import Difference, difference
from eligibility.simulation.drafts import Draft, Moves
from eligibility.simulation.matrix import simulate
from eligibility.simulation.population import PLAIN, Asker, Population
from eligibility.simulation.state import State
from eligibility.simulation.states import States
from eligibility.simulation.two_states import Side


def compare(
    states: States,
    publisher: str,
    product_id: str,
    sides: tuple[Side, Side],
    devices: Sequence[NamedDevice],
    population: Population | None = None,
    as_told: Asker = PLAIN,
) -> Difference:
    """What differs of a product between two sides.

    Args: population = by default everybody in a group that the product has on either side, and
    nobody signed in; as_told = what holds of them. A product of some markets is asked for from one
    of them where neither is told, or everybody would be denied alike.
    Raises: UnknownProduct where neither side has the product; as States.read.
    """
    both = [_read(states, product_id, side) for side in sides]
    if both == [None, None]:
        raise UnknownProduct(product_id)
    if population is None:
        if as_told.market is None:
            as_told = structs.replace(as_told, market=_market(both))
        population = everybody(states, publisher, both, sides, as_told)
    before, after = (
        None if state is None else simulate(state, population, devices) for state in both
    )
    return difference(before, after)


def compare_all(
    states: States,
    publisher: str,
    sides: tuple[Side, Side],
    devices: Sequence[NamedDevice],
    *,
    population: Population | None = None,
    as_told: Asker = PLAIN,
) -> Iterator[Difference]:
    """What differs of each product of a publisher; those of which nothing does are left out."""
    drafted = {one for side in sides for one in side.draft.products}
    ever = any(side.at is not None for side in sides)
    for product_id in sorted({*states.products(publisher, ever=ever), *drafted}):
        try:
            found = compare(states, publisher, product_id, sides, devices, population, as_told)
        except UnknownProduct:
            continue
        if found.changes:
            yield found


def compare_plan(
    states: States,
    catalog: CatalogStore,
    plan: Plan,
    declaration: Declaration,
    devices: Sequence[NamedDevice],
) -> Iterator[Difference]:
    """What applying a plan would change of what accounts get, of the products it concerns."""
    draft = Draft(
        plan.publisher,
        {
            one.group_id: Moves(
                frozenset(declaration.groups[one.group_id].members or ()), whole=True
            )
            for one in plan.groups
            if one.moves_members
        },
        {
            one.product_id: declaration.products[one.product_id]
            for one in plan.products
            if one.action in ("create", "change")
        },
        deleted=frozenset(one.product_id for one in plan.products if one.action == "delete"),
    )
    edited = {
        entry.product_id
        for entry in all_products(catalog, plan.publisher)
        if entry.product.groups & draft.groups.keys()
    }
    sides = Side("live"), Side("the plan", draft=draft)
    for product_id in sorted({*draft.products, *draft.deleted, *edited}):
        found = compare(states, plan.publisher, product_id, sides, devices)
        if found.changes:
            yield found


def everybody(
    states: States,
    publisher: str,
    both: Sequence[State | None],
    sides: tuple[Side, Side],
    as_told: Asker = PLAIN,
) -> Population:
    """Everybody in a group of a product on either side, by address; and nobody signed in."""
    found = {
        address
        for state, side in zip(both, sides, strict=True)
        if state is not None
        for group_id in state.product.groups
        for address in states.members(publisher, group_id, side.at, side.draft)
    }
    names = sorted(found)
    nobody = Population.of([as_told])
    return Population([*names, *nobody.names], as_told, {len(names): nobody.asker(0)})


def _market(both: Sequence[State | None]) -> str | None:
    """The first market that every side has which is limited to some; None where none is."""
    limited = [s.product.markets for s in both if s is not None and s.product.markets is not None]
    common = [one for one in limited[0] if all(one in some for some in limited)] if limited else []
    return common[0] if common else None


def _read(states: States, product_id: str, side: Side) -> State | None:
    try:
        return states.read(product_id, side.at, side.draft)
    except UnknownProduct:
        return None

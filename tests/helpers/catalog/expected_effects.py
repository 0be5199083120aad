"""What effects have to say of one account, worked out slowly from answers of `decide` alone."""

from eligibility.access.wire import query_of
from eligibility.catalog.model import Product
from eligibility.changes.effects import ProductEffects
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import load_requirements
from tests.helpers.catalog.strategies import NOW

REQUIREMENTS = load_requirements()
Change = tuple[str, str | None, str | None, bool]
"""What happens, the flight before, the flight after, and whether the audience makes it useless."""


def asked(product: Product, groups: frozenset[str], address: str) -> tuple[bool, str | None]:
    """What `decide` says of a member on a device that meets every floor: sight, and the flight."""
    query = query_of(
        product_id="APP",
        account={"id": address},
        device={"family": "Windows.Desktop", "os_version": "10.0.26100.0"},
        owned=True,
        market="US",
    )
    decision = decide(Case(query, product, groups, REQUIREMENTS, NOW))
    source = decision.package.source
    return decision.submission.granted, source.flight_id if source else None


def as_if_public(product: Product) -> Product:
    """The same product for everybody: what flight somebody would have, were the audience no matter."""
    submission = product.submission.model_copy(update={"audience": "public"})
    return product.model_copy(update={"submission": submission})


def expected(
    before: Product, after: Product, was_in: frozenset[str], is_in: frozenset[str], address: str
) -> set[Change]:
    """The changes of one account, worked out from answers of `decide` alone."""
    (saw, had), (sees, has) = asked(before, was_in, address), asked(after, is_in, address)
    nominal_before = asked(as_if_public(before), was_in, address)[1]
    nominal = asked(as_if_public(after), is_in, address)[1]
    changes: set[Change] = set()
    if saw != sees:
        changes.add(("audience gains" if sees else "audience loses", None, None, False))
    if had != has:
        changes.add(("flight", had, has, False))
    useless = None if saw else nominal_before
    if not sees and nominal != nominal_before and useless != nominal:
        changes.add(("flight", useless, nominal, True))
    return changes


def of_account(effects: ProductEffects, address: str) -> list[Change]:
    """What effects say of one account, as `expected` has it."""
    return [
        (
            "flight" if change.kind == "flight" else f"audience {change.change}",
            change.from_flight,
            change.to_flight,
            change.blocked_by_audience,
        )
        for change in effects.changes
        if address in change.first
    ]

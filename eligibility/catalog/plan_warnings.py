"""What a publisher should see to before applying a catalogue; nothing here stops anything."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from eligibility.catalog.model import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWarning:
    """Something that the publisher should see to; it stops nothing.

    used_by: product ids with `audience` or the flight, as in `9NBLGGH4R315 flight canary`.
    """

    code: str
    group_id: str
    used_by: tuple[str, ...]
    text: str


def without_consent(
    products: Mapping[str, Product], noted: Collection[str]
) -> Iterator[PlanWarning]:
    """A warning a group that is used and carries no consent note (consent is a duty: KUG).

    Args: noted = ids of the groups that carry one.
    """
    for group_id, uses in sorted(_uses(products).items()):
        if group_id not in noted:
            text = (
                f"nobody confirmed that the people of `{group_id}` agreed to be in it: declare"
                " `consent`, or see `eligibility groups consent`"
            )
            yield PlanWarning(
                code="NO_CONSENT_NOTE", group_id=group_id, used_by=tuple(uses), text=text
            )


def _uses(products: Mapping[str, Product]) -> dict[str, list[str]]:
    """Which audiences and flights use each group."""
    uses: defaultdict[str, list[str]] = defaultdict(list)
    for product_id, product in sorted(products.items()):
        for group_id in product.submission.audience_groups:
            uses[group_id].append(f"{product_id} audience")
        for flight in product.flights:
            for group_id in flight.groups:
                uses[group_id].append(f"{product_id} flight {flight.flight_id}")
    return uses

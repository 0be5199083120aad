"""What needs a publisher's attention, each with what to do about it. Pure over what is declared."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from eligibility.activity.model import LastAnswer
from eligibility.catalog.model import Flight, Product
from eligibility.catalog.store import CatalogEntry
from eligibility.rules.packages import covers
from eligibility.rules.requirements import Floor, Requirements
from eligibility.windows.versions import parse_os_version
from groups.model import Group

SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing to look at. kind: a stable word. where: path below the publisher's pages."""

    kind: str
    text: str
    remedy: str
    where: str
    moment: datetime | None = None


def attention(
    products: Iterable[CatalogEntry],
    groups: Mapping[str, Group],
    below_floor: Mapping[str, int],
    now: datetime,
) -> tuple[Attention, ...]:
    """Everything of a publisher that needs attention: products by id, then groups.

    Args: below_floor = by product id, how many members are below a floor, see `members_below_floor`.
    """
    found: list[Attention] = []
    used: set[str] = set()
    for entry in products:
        used |= entry.product.groups
        found += _of_product(entry.product_id, entry.product, now)
        found += _of_members(entry, below_floor.get(entry.product_id, 0))
    found += _of_groups(groups, used)
    return tuple(found)


def members_below_floor(
    product: Product, last: Iterable[LastAnswer], requirements: Requirements, now: datetime
) -> int:
    """How many members last asked on an OS below the floor of what they are in a group for (KUG)."""
    private = product.submission.audience_at(now) == "private"
    rules = [requirements.private_audience] if private else []
    if any(flight.published_at(now) for flight in product.flights):
        rules.append(requirements.flight)
    return sum(
        any(
            rule.check(one.family, parse_os_version(one.os_version)) is Floor.BELOW
            for rule in rules
        )
        for one in last
    )


def _of_members(entry: CatalogEntry, below: int) -> Iterator[Attention]:
    if below:
        who = "1 member is" if below == 1 else f"{below:,} members are"
        text = f"{who} on an OS too old for flights or the private audience of {entry.product.name}"
        where = f"/products/{entry.product_id}/readiness?standing=blocked"
        yield Attention("below_floor", text, "ask them to update: readiness has a message", where)


def _of_product(product_id: str, product: Product, now: datetime) -> Iterator[Attention]:
    where = f"/products/{product_id}"
    for moment, opening in product.dates():
        if not now < moment <= now + SOON:
            continue
        if opening is None:
            text = f"{product.name} becomes public"
            yield Attention("public_soon", text, "there is no way back to private", where, moment)
        elif opening.packages:
            text = f"flight {opening.name} of {product.name} is published"
            yield Attention("published_soon", text, "its members move to it then", where, moment)
    for flight in product.flights:
        if not flight.packages:
            text = f"flight {flight.name} of {product.name} has no packages"
            yield Attention("no_packages", text, "it does nothing until it has some", where)
            continue
        lacking = lacking_families(product, flight)
        if lacking:
            text = f"flight {flight.name} of {product.name} has no package for {', '.join(lacking)}"
            remedy = "its members get nothing there, not even what the public gets: add a package"
            yield Attention("lacks_family", text, remedy, where)


def lacking_families(product: Product, flight: Flight) -> tuple[str, ...]:
    """Families that the submission's packages name and none of the flight's covers (PF, PD)."""
    offered = {target for one in product.submission.packages for target in one.targets}
    targets = {target for one in flight.packages for target in one.targets}
    return tuple(sorted(one for one in offered if one not in targets and not covers(targets, one)))


def _of_groups(groups: Mapping[str, Group], used: set[str]) -> Iterator[Attention]:
    without = [one for one in groups.values() if one.consent is None]
    if without:
        names = ", ".join(one.name for one in without[:3])
        more = f" and {len(without) - 3} more" if len(without) > 3 else ""
        where = f"/groups/{without[0].group_id}" if len(without) == 1 else "/groups"
        text = f"no consent is noted for {names}{more}"
        yield Attention("no_consent", text, "note who confirmed that the people agreed", where)
    idle = [one for one in groups.values() if one.group_id not in used]
    if idle:
        names = ", ".join(one.name for one in idle[:3])
        more = f" and {len(idle) - 3} more" if len(idle) > 3 else ""
        text = f"{names}{more}: used by no flight and no private audience"
        yield Attention("unused_group", text, "give it to one, or leave it", "/groups")

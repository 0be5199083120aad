"""List what needs a publisher's attention, and what to do about it. Pure: without I/O."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from eligibility.activity.model import LastAnswer
from eligibility.catalog.model import Flight, Product
from eligibility.catalog.product_warnings import product_warnings
from eligibility.catalog.store import CatalogEntry
from eligibility.rules.requirements import Floor, Requirements
from eligibility.windows.versions import covers, version_of
from groups.model import Group

SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Attention:
    """A task. kind: stable name. where: path below the publisher's. moment: when it happens."""

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
    """List what needs attention: products by id, then groups. below_floor: by product id."""
    items: list[Attention] = []
    used: set[str] = set()
    for entry in products:
        used |= entry.product.groups
        items += _of_product(entry.product_id, entry.product, now)
        items += _of_members(entry, below_floor.get(entry.product_id, 0))
    items += _of_groups(groups, used)
    return tuple(items)


def members_below_floor(
    product: Product, last: Iterable[LastAnswer], requirements: Requirements, now: datetime
) -> int:
    """Count members whose last query came from an OS too old for flights or the audience (KUG)."""
    private = product.submission.audience_at(now) == "private"
    rules = [requirements.private_audience] if private else []
    if any(flight.published_at(now) for flight in product.flights):
        rules.append(requirements.flight)
    return sum(
        any(
            rule.check(answer.family, version_of(answer.os_version)) is Floor.BELOW
            for rule in rules
        )
        for answer in last
    )


def _of_members(entry: CatalogEntry, below: int) -> Iterator[Attention]:
    if below:
        who = "1 member is" if below == 1 else f"{below:,} members are"
        text = f"{who} on an OS too old for flights or the private audience of {entry.product.name}"
        where = f"/products/{entry.product_id}/readiness?standing=blocked"
        yield Attention("below_floor", text, "ask them to update; readiness has a message", where)


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
    for code, _, text, remedy in product_warnings(product):
        yield Attention(code.lower(), text, remedy, where)
    for flight in product.flights:
        if not flight.packages:
            text = f"flight {flight.name} of {product.name} has no packages"
            yield Attention(
                "no_packages", text, "add a package: until then the flight does nothing", where
            )
            continue
        lacking = lacking_families(product, flight)
        if lacking:
            text = f"flight {flight.name} of {product.name} has no package for {', '.join(lacking)}"
            remedy = "add a package: its members get nothing there, not even what the public gets"
            yield Attention("lacks_family", text, remedy, where)


def lacking_families(product: Product, flight: Flight) -> tuple[str, ...]:
    """List families that the submission's packages name and the flight's do not cover (PF, PD)."""
    offered = {family for package in product.submission.packages for family in package.targets}
    targets = {family for package in flight.packages for family in package.targets}
    lacking = (family for family in offered - targets if not covers(targets, family))
    return tuple(sorted(lacking))


def _of_groups(groups: Mapping[str, Group], used: set[str]) -> Iterator[Attention]:
    without = [group for group in groups.values() if group.consent is None]
    if without:
        where = f"/groups/{without[0].group_id}" if len(without) == 1 else "/groups"
        text = f"no consent is recorded for {_names(without)}"
        yield Attention("no_consent", text, "record who confirmed that the people agreed", where)
    unused = [group for group in groups.values() if group.group_id not in used]
    if unused:
        text = f"no flight and no private audience uses {_names(unused)}"
        remedy = "use it in one, or ignore it: groups cannot be removed"
        yield Attention("unused_group", text, remedy, "/groups")


def _names(groups: Sequence[Group]) -> str:
    """Join the names of the first three groups, and append the number of others."""
    more = f" and {len(groups) - 3} more" if len(groups) > 3 else ""
    return ", ".join(group.name for group in groups[:3]) + more

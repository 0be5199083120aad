"""Find the times at which an account's answer about a product can change, and what happens then.

An answer can change when a write to one of the product's groups names the account, when that write
has settled, when the product is written, and when a date that the product declares is reached.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogStore, ProductVersion
from eligibility.errors import UnknownProduct
from eligibility.rules.settling import SETTLING_TIME
from groups.model import GroupChange, all_items
from groups.store import GroupArchive

_PAGE = 1_000

CauseKind = Literal["membership", "catalog", "public_at", "publish_at", "settled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What can change an answer. details: of a write. group_id, address: of a membership."""

    kind: CauseKind
    text: str
    details: tuple[str, ...] = ()
    actor: str | None = None
    revision: int | None = None
    group_id: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ProductHistory:
    """The stored history of a product and an account.

    versions: all versions of the product. changes: writes to the publisher's groups that name the
    account; one entry for each of its addresses, with only that address.
    """

    product_id: str
    versions: Sequence[ProductVersion]
    changes: Sequence[GroupChange]


def read_past(
    groups: GroupArchive, catalog: CatalogStore, product_id: str, addresses: Collection[str]
) -> ProductHistory:
    """Read the history for canonical addresses. Raises: UnknownProduct, StoreUnavailable."""
    publisher = catalog.owner(product_id)
    if publisher is None:
        raise UnknownProduct(product_id)
    versions = tuple(
        all_items(lambda cursor: catalog.history(product_id, cursor=cursor, limit=_PAGE))
    )
    changes = tuple(
        change for address in addresses for change in _about(groups, publisher, address)
    )
    return ProductHistory(product_id, versions, changes)


def _about(groups: GroupArchive, publisher: str, address: str) -> Iterator[GroupChange]:
    return all_items(
        lambda cursor: groups.history(publisher, address=address, cursor=cursor, limit=_PAGE)
    )


@dataclass(slots=True)
class MomentEvents:
    """All events of one point in time. version: the product as written then."""

    version: ProductVersion | None
    changes: list[GroupChange]
    dates: list[Cause]


def moments(past: ProductHistory) -> Mapping[datetime, MomentEvents]:
    """Map each time at which the answer may change to its events."""
    events = defaultdict[datetime, MomentEvents](lambda: MomentEvents(None, [], []))
    in_force = _in_force(past.versions)
    groups = frozenset[str]().union(*(v.product.groups for v in in_force if v.product))
    for change in past.changes:
        if change.group_id in groups and change.consent is None:
            events[change.at].changes.append(change)
            events[change.at + SETTLING_TIME]  # reading a defaultdict adds an entry
    for version, following in zip(in_force, [*in_force[1:], None], strict=True):
        events[version.at].version = version
        for date, cause in dates_of(version.product):
            if version.at < date and (following is None or date < following.at):
                events[date].dates.append(cause)
    for event in events.values():
        event.changes.sort(key=lambda change: change.revision)
    return events


def _in_force(versions: Iterable[ProductVersion]) -> list[ProductVersion]:
    """List the versions that were ever in force, in order; of equal times only the last."""
    kept: list[ProductVersion] = []
    for version in sorted(versions, key=lambda version: (version.at, version.revision)):
        if kept and version.revision < kept[-1].revision:
            continue  # a clock went back: a later revision has an earlier time
        if kept and kept[-1].at == version.at:
            kept.pop()
        kept.append(version)
    return kept


def dates_of(product: Product | None) -> Iterator[tuple[datetime, Cause]]:
    """List a product's public date and the publish dates of its flights, each with a cause."""
    if product is None:
        return
    for moment, flight in product.dates():
        if flight is None:
            text = "`public_at` reached: public from here on"
            yield moment, Cause(kind="public_at", text=text)
        else:
            text = f"`publish_at` of flight {flight.flight_id} reached"
            yield moment, Cause(kind="publish_at", text=text)

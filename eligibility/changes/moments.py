"""The moments at which an account's answer about a product can change, and what happens at each.

A write to one of the product's groups that names the account, a write of the product, a date of the
product that is reached; and where a change of membership has settled.
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
from groups.model import GroupChange, each
from groups.store import GroupArchive

_PAGE = 1_000

CauseKind = Literal["membership", "catalog", "public_at", "publish_at", "settled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What happened at a moment. details: of a catalogue write, what differs.

    actor, revision: of a write; group_id, address: of a membership.
    """

    kind: CauseKind
    text: str
    details: tuple[str, ...] = ()
    actor: str | None = None
    revision: int | None = None
    group_id: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ProductHistory:
    """What is known of a product and an account.

    versions: of the product. changes: writes to groups of its publisher that name an address of the
    account, and that address alone, of one revision maybe several.
    """

    product_id: str
    versions: Sequence[ProductVersion]
    changes: Sequence[GroupChange]


def read_past(
    groups: GroupArchive, catalog: CatalogStore, product_id: str, addresses: Collection[str]
) -> ProductHistory:
    """Read what there is of a product and of an account's canonical addresses.

    Raises: UnknownProduct; StoreUnavailable.
    """
    publisher = catalog.owner(product_id)
    if publisher is None:
        raise UnknownProduct(product_id)
    versions = tuple(each(lambda cursor: catalog.history(product_id, cursor=cursor, limit=_PAGE)))
    changes = tuple(
        change for address in addresses for change in _about(groups, publisher, address)
    )
    return ProductHistory(product_id, versions, changes)


def _about(groups: GroupArchive, publisher: str, address: str) -> Iterator[GroupChange]:
    return each(
        lambda cursor: groups.history(publisher, address=address, cursor=cursor, limit=_PAGE)
    )


@dataclass(slots=True)
class MomentEvents:
    """What happens at one moment."""

    version: ProductVersion | None
    changes: list[GroupChange]
    dates: list[Cause]


def moments(past: ProductHistory) -> Mapping[datetime, MomentEvents]:
    """Every moment at which an answer may change, with what happens there."""
    found = defaultdict[datetime, MomentEvents](lambda: MomentEvents(None, [], []))
    in_force = _in_force(past.versions)
    concerned = frozenset[str]().union(*(one.product.groups for one in in_force if one.product))
    for change in past.changes:
        if change.group_id in concerned and change.consent is None:
            found[change.at].changes.append(change)
            found[change.at + SETTLING_TIME]  # a moment to look at
    for version, following in zip(in_force, [*in_force[1:], None], strict=True):
        found[version.at].version = version
        for date, cause in dates_of(version.product):
            if version.at < date and (following is None or date < following.at):
                found[date].dates.append(cause)
    for happened in found.values():
        happened.changes.sort(key=lambda change: change.revision)
    return found


def _in_force(versions: Iterable[ProductVersion]) -> list[ProductVersion]:
    """The versions that were in force at some moment, in order; of one moment only the last."""
    kept: list[ProductVersion] = []
    for version in sorted(versions, key=lambda one: (one.at, one.revision)):
        if kept and version.revision < kept[-1].revision:
            continue  # a clock went back: this one was written over before its moment
        if kept and kept[-1].at == version.at:
            kept.pop()
        kept.append(version)
    return kept


def dates_of(product: Product | None) -> Iterator[tuple[datetime, Cause]]:
    """The public date and the publish dates of a product."""
    if product is None:
        return
    for moment, flight in product.dates():
        if flight is None:
            text = "`public_at` reached: public from here on"
            yield moment, Cause(kind="public_at", text=text)
        else:
            text = f"`publish_at` of flight {flight.flight_id} reached"
            yield moment, Cause(kind="publish_at", text=text)

"""Decisions as of another date and time, from the store's history, which every query reads.

A future time is decided on the current data, with all dates up to it reached.
"""

from datetime import datetime
from typing import NamedTuple

from msgspec import structs

from eligibility.access.model import AccessQuery, Decision, Revision
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogStore
from eligibility.errors import UnknownProduct
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import Requirements
from eligibility.rules.settling import settling_of
from eligibility.rules.trace import alias_step
from groups.model import PastMemberships
from groups.store import GroupArchive


class PastDecision(NamedTuple):
    """A decision, its product, and the product's publisher."""

    publisher: str
    product: Product
    decision: Decision


def decide_as_of(
    query: AccessQuery,
    at: datetime,
    groups: GroupArchive,
    catalog: CatalogStore,
    requirements: Requirements,
) -> tuple[PastDecision, Case]:
    """Decide a query on the data stored at a date and time (UTC), inclusive.

    Requirements are today's: they are a file of the deployment, and have no history.
    A missing product takes as many store calls as an existing one.
    Returns: the decision with its trace, and everything it was made from.
    Raises: UnknownProduct when the product was not declared then; StoreUnavailable.
    """
    then = catalog.as_of(query.product_id, at)
    if then is None or then[0].product is None:
        groups.memberships_at("-", (), (), at)
        raise UnknownProduct(query.product_id, at)
    version, catalog_revision = then
    product = then[0].product
    addresses = query.account.addresses if query.account is not None else ()
    past = groups.memberships_at(version.publisher, product.groups, addresses, at)
    case = Case(query, product, past.groups, requirements, at)
    decision = decide_past(case, past)
    stamped = structs.replace(decision, revision=Revision(past.revision, catalog_revision))
    return PastDecision(version.publisher, product, stamped), case


def decide_past(case: Case, past: PastMemberships) -> Decision:
    """Decide with the trace, from past memberships in the product's groups. Pure."""
    query, decision = case.query, decide(case, explain=True)
    trace = decision.trace or ()
    if query.account is not None and query.account.aliases:
        matched = {change.address for change in past.last if change.change == "added"}
        trace = (alias_step(query.account, matched), *trace)
    changes = ((last.at, last.group_id, last.change) for last in past.last)
    return structs.replace(decision, settling=settling_of(case, decision, changes), trace=trace)

"""A decision as of a past moment: from the catalogue, the groups and the clock of then.

Reads the store's history on every query, where the evaluator answers from memory for now. A moment
ahead is decided on what is declared now, with the dates reached that lie between.
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
from eligibility.rules.settling import settling_at
from eligibility.rules.trace import alias_step
from groups.model import PastMemberships
from groups.store import GroupArchive


class PastDecision(NamedTuple):
    """A decision, the product that it is about, and whose that is."""

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
    """Decide a query on what was stored at a moment (UTC-aware), that instant included.

    Requirements are today's: they are a file of the deployment, and have no history.
    A product that was not there takes as many calls of the store as one that was.
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
    """Decide on a product and the account's memberships of a moment, with the trace; pure.

    Args: past = of the account's addresses in the product's groups.
    """
    query, decision = case.query, decide(case, explain=True)
    trace = decision.trace or ()
    if query.account is not None and query.account.aliases:
        matched = {one.address for one in past.last if one.change == "added"}
        trace = (alias_step(query.account, matched), *trace)
    changes = ((one.at, one.group_id, one.change) for one in past.last)
    return structs.replace(decision, settling=settling_at(case.now, changes), trace=trace)

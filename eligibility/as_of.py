"""A decision as of a past moment: from the catalogue, the groups and the clock of then.

Reads the store's history on every query, where the evaluator answers from memory for now. A moment
ahead is decided on what is declared now, with the dates reached that lie between.
"""

from datetime import datetime

from msgspec import UNSET, structs

from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogStore
from eligibility.decide import alias_step, decide
from eligibility.errors import UnknownProduct
from eligibility.model import AccessQuery, Decision, Revision
from eligibility.requirements import Requirements
from eligibility.settling import settling_at
from groups.model import PastMemberships
from groups.store import GroupStore


def decide_as_of(
    query: AccessQuery,
    at: datetime,
    groups: GroupStore,
    catalog: CatalogStore,
    requirements: Requirements,
    *,
    explain: bool = False,
) -> Decision:
    """Decide a query on what was stored at a moment (UTC-aware), that instant included.

    Requirements are today's: they are a file of the deployment, and have no history.
    Raises: UnknownProduct when the product was not declared then; StoreUnavailable.
    """
    then = catalog.as_of(query.product_id, at)
    if then is None or then[0].product is None:
        raise UnknownProduct(query.product_id, at)
    version, catalog_revision = then
    product = then[0].product
    addresses = query.account.addresses if query.account is not None else ()
    past = groups.memberships_at(version.publisher, product.groups, addresses, at)
    decision = decide_past(query, at, product, past, requirements)
    return structs.replace(
        decision,
        revision=Revision(past.revision, catalog_revision),
        trace=decision.trace if explain else UNSET,
    )


def decide_past(
    query: AccessQuery,
    at: datetime,
    product: Product,
    past: PastMemberships,
    requirements: Requirements,
) -> Decision:
    """Decide on a product and the account's memberships of a moment, with the trace; pure.

    Args: past = of the account's addresses in the product's groups.
    """
    decision = decide(query, product, past.groups, requirements, at)
    trace = decision.trace or ()
    if query.account is not None and query.account.aliases:
        matched = {one.address for one in past.last if one.change == "added"}
        trace = (alias_step(query.account, matched), *trace)
    settling = settling_at(at, ((one.at, one.group_id, one.change) for one in past.last))
    return structs.replace(decision, settling=settling, trace=trace)

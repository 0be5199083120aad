"""Helpers of routes that compute longer than an access query: scopes, queues, limits, prices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from fastapi import Request

from eligibility.access.search import LONGEST_PAGE
from eligibility.access.wire import LONGEST_BATCH
from eligibility.callers.errors import UnknownPublisher
from eligibility.callers.model import Scope
from eligibility.catalog.errors import ProductTaken
from eligibility.errors import UnknownProduct
from eligibility.server.http.authorization import RouteCaller
from eligibility.server.http.exchange import whole_body
from eligibility.server.http.limits import ComputationQueue
from eligibility.server.http.strict_route import check_content_type
from eligibility.service.service import Service
from eligibility.simulation.inputs.json_body import AudienceFields, DraftFields, SimulatedGroups
from eligibility.simulation.matrix import MOST_ACCOUNTS, MOST_CELLS, MOST_DECISIONS, MOST_DEVICES

_Result = TypeVar("_Result")


class RouteCost(NamedTuple):
    """The size limit and the price of a request to a route.

    takes_turn: whether requests queue and are computed one at a time. limit: larger requests are
    refused. price: the number of access queries charged to the caller's rate limit.
    """

    takes_turn: bool
    limit: str
    price: str


_SIZES = f"{MOST_ACCOUNTS:,} accounts, {MOST_DEVICES:,} devices, {MOST_CELLS:,} pairs of them"
_DECISIONS = f"{MOST_DECISIONS:,} decisions"
_ONE_QUERY = RouteCost(False, "one query", "1")

ROUTE_COSTS: Mapping[str, RouteCost] = {
    "POST /v1/access": _ONE_QUERY,
    "POST /v1/access/batch": RouteCost(False, f"{LONGEST_BATCH:,} queries", "queries"),
    "POST /v1/access/search": RouteCost(False, f"{LONGEST_PAGE} items on a page", "`limit`"),
    "POST /v1/access/timeline": RouteCost(
        True, f"{MOST_DEVICES:,} devices, {_DECISIONS}", "decisions"
    ),
    "POST /v1/simulations": RouteCost(
        True, f"{_SIZES}, {_DECISIONS}", "accounts x kinds of devices"
    ),
    "POST /v1/simulations/diff": RouteCost(
        True, f"{_SIZES}, {_DECISIONS} in each state", "accounts x kinds of devices, in each state"
    ),
    "GET /v1/publishers/{publisher}/products/{product_id}/coverage": RouteCost(
        True, f"{MOST_DEVICES:,} devices, {_DECISIONS}", "decisions"
    ),
}
"""Every route here that makes decisions. AuthZEN and OFREP: see server/authzen, server/ofrep."""


@dataclass(frozen=True, slots=True)
class Computation(Generic[_Result]):
    """A checked request. price: the number of queries charged. compute: makes the response."""

    price: int
    compute: Callable[[], _Result]


class Computations:
    """Runs the computations of all routes of a server process, one at a time."""

    def __init__(self) -> None:
        self._queue = ComputationQueue()

    async def run(self, by: RouteCaller, prepare: Callable[[], Computation[_Result]]) -> _Result:
        """Prepare in the queue, charge the price, compute. Raises: Overloaded, RateLimited."""
        computation = await self._queue.run(prepare)
        by.pay(max(computation.price, 1))
        return await self._queue.run(computation.compute)


async def read_body(request: Request) -> bytes:
    """Receive a JSON body up to the size limit of uploads. Raises: RequestProblem."""
    check_content_type(request.scope)
    limit = request.app.state.max_upload_bytes
    return await whole_body(await request.receive(), request.receive, limit)


def check_scopes(fields: AudienceFields, by: RouteCaller) -> None:
    """Check the scopes that a simulation needs in addition to access:query. Raises: ScopeMissing.

    groups:read is for group members, access:assert for addresses, even for an account's own.
    """
    accounts = fields.accounts
    if accounts is None or isinstance(accounts, SimulatedGroups):
        by.caller.check(Scope.READ_GROUPS)
    elif by.caller.account or any(
        item if isinstance(item, str) else item and item.id for item in accounts
    ):
        by.caller.check(Scope.ASSERT)
    check_draft(fields.draft, by)


def check_draft(draft: DraftFields | None, by: RouteCaller) -> None:
    """Check simulate, and groups:read, as drafts can reveal members. Raises: ScopeMissing."""
    if draft is not None:
        by.caller.check(Scope.SIMULATE)
        by.caller.check(Scope.READ_GROUPS)


def owner_of(service: Service, product_id: str, draft: DraftFields | None, by: RouteCaller) -> str:
    """Return the publisher of a product, or the draft's publisher if only the draft has the product.

    Raises: UnknownProduct, also for a product that the caller may not see; UnknownPublisher;
    ProductTaken if the draft names another publisher than the store.
    """
    drafts_it = draft is not None and (draft.product is not None or product_id in draft.products)
    publisher = draft.publisher if draft is not None and drafts_it else None
    if publisher is not None and not by.caller.sees(publisher):
        raise UnknownPublisher(publisher)
    try:
        owner = service.states.owner(product_id)
    except UnknownProduct:
        if publisher is None:
            raise
        return publisher
    if publisher not in (None, owner):
        raise ProductTaken(product_id)
    if not by.caller.sees(owner):
        raise UnknownProduct(product_id)
    return owner

"""The route POST /v1/access/search: every product that an account can reach on a device.

A page ends after `limit` items, and its price is `limit`, however many products were decided: neither
may tell how many products are hidden from the account.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice

import msgspec
from msgspec.structs import replace

from eligibility.access import wire
from eligibility.access.model import AccessQuery
from eligibility.access.search import (
    AccessSearch,
    AccessSearchResponse,
    ReachableProduct,
    read_search,
)
from eligibility.engine.evaluator import Evaluator
from eligibility.engine.product_list import ProductKey, ProductList
from eligibility.errors import Fault, InvalidInput, UnknownProduct
from eligibility.server.http.accounts import AccountResolver
from eligibility.server.http.asgi import AsgiScope
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import JSON, DeferredAnswer, problem_reply
from eligibility.server.http.strict_route import check_content_type

ACCESS_SEARCH = "/v1/access/search"


class AccessSearchEndpoint:
    """See Endpoint. Searches are not recorded as activity: nobody queried the products in them."""

    refusal = staticmethod(problem_reply)

    def __init__(
        self, evaluator: Evaluator, accounts: AccountResolver, listing: ProductList
    ) -> None:
        self._evaluator, self._accounts, self._listing = evaluator, accounts, listing

    def check(
        self, scope: AsgiScope, headers: Mapping[bytes, bytes], by: AuthenticatedCaller
    ) -> None:
        """See Endpoint."""
        by.check_query(scope["method"])
        if headers.get(b"content-type") != JSON:
            check_content_type(scope)
        if scope["query_string"]:
            detail = "a search has no parameters: send all fields in the body"
            raise InvalidInput([Fault("query", "UNKNOWN_PARAMETER", detail)])

    def answer(self, body: bytes, _head: None, by: AuthenticatedCaller) -> DeferredAnswer:
        """See Endpoint. Charges the page before a product is decided."""
        search = read_search(body)
        after = None if search.cursor is None else _key_of(search.cursor)
        if by.allowance is not None:
            by.allowance.take(search.limit, paid=1)  # the gate charged 1 for the request
        return lambda: self._page(search, after, by)

    def _page(
        self, search: AccessSearch, after: ProductKey | None, by: AuthenticatedCaller
    ) -> bytes:
        query = wire.to_query(self._accounts.settle_in_thread(search.query, by))
        items = list(islice(self._reachable(query, after, by), search.limit + 1))
        shown = items[: search.limit]
        more = len(items) > len(shown)
        cursor = _SEPARATOR.join((shown[-1].publisher, shown[-1].product_id)) if more else None
        return msgspec.json.encode(AccessSearchResponse(shown, cursor))

    def _reachable(
        self, query: AccessQuery, after: ProductKey | None, by: AuthenticatedCaller
    ) -> Iterator[ReachableProduct]:
        """Yield the products after a key that the account may see, by publisher and product id."""
        for entry in self._listing.entries(by.publishers, after):
            key = entry.publisher, entry.product_id
            if after is not None and key <= after:
                continue
            with suppress(
                UnknownProduct
            ):  # deleted meanwhile, or not yet created at the given time
                result = self._evaluator.find(replace(query, product_id=entry.product_id))
                if result.decision.submission.granted:
                    yield ReachableProduct.of(
                        result.publisher, result.product.name, result.decision
                    )


_SEPARATOR = ":"
"""Between publisher and product id in a cursor; ids do not contain it."""


def _key_of(cursor: str) -> ProductKey:
    publisher, separator, product_id = cursor.partition(_SEPARATOR)
    if not (publisher and separator and product_id):
        detail = "is not the `next_cursor` of a page of this search"
        raise InvalidInput([Fault("cursor", "UNKNOWN_CURSOR", detail)])
    return publisher, product_id

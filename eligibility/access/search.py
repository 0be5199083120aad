"""JSON format of POST /v1/access/search: the request, and a page of products that an account can reach."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import fields

from eligibility.access.model import Decision, PackageVerdict, SubmissionVerdict
from eligibility.access.wire import AccountFields, DeviceFields, QueryFields
from eligibility.formats.strict_struct import StrictReader

LONGEST_PAGE = 100
_NOT_OF_A_SEARCH = ("product_id", "at_least_revision")
"""Fields of a query that a search lacks: it names no product, and a revision is only one publisher's."""

_QUERY = [field for field in fields(QueryFields) if field.name not in _NOT_OF_A_SEARCH]
_PAGE = [
    ("cursor", str | None | UnsetType, UNSET),
    ("limit", Annotated[int, msgspec.Meta(ge=1, le=LONGEST_PAGE)] | UnsetType, UNSET),
]

AccessSearchFields: type[Struct] = msgspec.defstruct(
    "AccessSearchFields",
    [
        *((f.name, f.type) if f.required else (f.name, f.type, f.default) for f in _QUERY),
        *_PAGE,
    ],
    forbid_unknown_fields=True,
    gc=False,
)
"""A search as sent: the fields of an access query without a product, and the page."""

_search = StrictReader[Any](AccessSearchFields, {"account": AccountFields, "device": DeviceFields})


class AccessSearch(Struct, frozen=True, gc=False):
    """A search. query: names no product yet. cursor: `next_cursor` of the previous page."""

    query: QueryFields
    cursor: str | None
    limit: int


class ReachableProduct(Struct, frozen=True, gc=False):
    """A product whose submission the account may see, and what it gets on the device.

    flights: id of the flight that the package comes from; empty if it is not from a flight.
    """

    publisher: str
    product_id: str
    name: str
    granted: bool
    submission: SubmissionVerdict
    package: PackageVerdict
    flights: tuple[str, ...]

    @classmethod
    def of(cls, publisher: str, name: str, decision: Decision) -> "ReachableProduct":
        """Build an item of a page from a decision; it has no field that names a group."""
        package = decision.package
        flight_id = package.source.flight_id if package.granted and package.source else None
        return cls(
            publisher,
            decision.product_id,
            name,
            decision.granted,
            decision.submission,
            package,
            () if flight_id is None else (flight_id,),
        )


class AccessSearchResponse(Struct, frozen=True, gc=False):
    """A page, by publisher and product id. next_cursor: null on the last page."""

    items: list[ReachableProduct]
    next_cursor: str | None


def read_search(body: bytes) -> AccessSearch:
    """Decode a search. Raises: InvalidInput (or InvalidJson) with every fault of structure."""
    sent = _search.read(body)
    query = QueryFields("-", **{field.name: getattr(sent, field.name) for field in _QUERY})
    limit = LONGEST_PAGE if sent.limit is UNSET else sent.limit
    return AccessSearch(query, None if sent.cursor is UNSET else sent.cursor, limit)

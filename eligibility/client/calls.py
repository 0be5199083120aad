"""The calls of both clients (docs/http-api.md). Each function is also a method of both clients."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Raw, Struct, ValidationError

from eligibility.client.errors import Problem, Unreachable, problem_of
from eligibility.client.exchange import Call, Request
from eligibility.client.model import (
    Account,
    Decision,
    Device,
    EditResponse,
    Query,
    StoredProduct,
    unreachable_decision,
)
from groups.model import Group, Page

T = TypeVar("T")

Batches = Iterator[Call[list[T]]]
"""Calls whose results are joined to one list."""
Pages = Callable[[str | None], Call[Page[T]]]
"""Builds the call for the page at a cursor; None = the first page."""

LONGEST_BATCH = 1_000
LARGEST_BATCH = 1_000_000
"""Limits of one batch, in queries and in bytes: the service accepts at most 1 MiB."""

Emails = str | Iterable[str]
"""Addresses as a list, or as one text, separated by spaces, commas, semicolons or newlines."""


class _BatchResponse(Struct):
    decisions: list[Raw]


class _WriteResponse(Struct):
    revision: int


_encode = msgspec.json.encode


def reader_of(kind: type[T]) -> Callable[[bytes], T]:
    """Build a function that decodes JSON to the type `kind`."""
    return msgspec.json.Decoder(kind).decode


_read_decision = reader_of(Decision)
_read_batch = reader_of(_BatchResponse)
_read_write = reader_of(_WriteResponse)
_read_edit = reader_of(EditResponse)
_read_group = reader_of(Group)
_read_product = reader_of(StoredProduct)
_read_groups = reader_of(Page[Group])
_read_members = reader_of(Page[str])
_read_report = reader_of(dict[str, Any])


def access(query: Query, *, explain: bool = False) -> Call[Decision]:
    """Send one access query. explain: add trace, story and nearest change to the decision."""
    request = _access_request("/v1/access", _encode(query), explain)
    return Call(request, _read_decision, lambda: unreachable_decision(query.product_id))


def access_many(queries: Iterable[Query], *, explain: bool = False) -> Batches[Decision | Problem]:
    """Send any number of access queries; return a decision or a Problem for each, in order.

    Sends batches of up to 1,000, one after the other; `timeout` applies to each batch. Raises a
    Problem that concerns a whole batch.
    """
    for batch, bodies in _batches(queries):
        body = b'{"queries":[' + b",".join(bodies) + b"]}"
        yield _batch_call(batch, _access_request("/v1/access/batch", body, explain))


def _batch_call(batch: Sequence[Query], request: Request) -> Call[list[Decision | Problem]]:
    def read(body: bytes) -> list[Decision | Problem]:
        answers = _read_batch(body).decisions
        if len(answers) != len(batch):
            raise ValidationError(
                f"the response has {len(answers)} answers to {len(batch)} queries"
            )
        return [*map(_decision_or_problem, answers)]

    def deny(answers: list[Decision | Problem]) -> list[Decision | Problem]:
        return [
            unreachable_decision(query.product_id) if isinstance(answer, Unreachable) else answer
            for query, answer in zip(batch, answers, strict=True)
        ]

    def deny_all() -> list[Decision | Problem]:
        return [unreachable_decision(query.product_id) for query in batch]

    return Call(request, read, deny_all, deny)


def _decision_or_problem(answer: Raw) -> Decision | Problem:
    try:
        return _read_decision(bytes(answer))
    except ValidationError:
        return problem_of(bytes(answer))


def _access_request(path: str, body: bytes, explain: bool) -> Request:
    return Request(
        method="POST", path=path + ("?explain=true" if explain else ""), body=body, repeatable=True
    )


def _batches(queries: Iterable[Query]) -> Iterator[tuple[list[Query], list[bytes]]]:
    """Split queries into batches within the limits; yield each batch with its queries as JSON."""
    batch: list[Query] = []
    bodies: list[bytes] = []
    size = 0
    for query in queries:
        body = _encode(query)
        if batch and (len(batch) == LONGEST_BATCH or size + len(body) > LARGEST_BATCH):
            yield batch, bodies
            batch, bodies, size = [], [], 0
        batch.append(query)
        bodies.append(body)
        size += len(body) + 1
    if batch:
        yield batch, bodies


def groups(publisher: str) -> Pages[Group]:
    """Iterate over the groups of a publisher, sorted by id; pages are fetched as needed."""
    path = path_of(publisher, "groups")
    return lambda cursor: Call(get_request(path, cursor=cursor), _read_groups)


def group(publisher: str, group_id: str) -> Call[Group]:
    """Read one group without its members. Pass its `revision` to an edit as `if_revision`."""
    return Call(get_request(path_of(publisher, "groups", group_id)), _read_group)


def members(
    publisher: str, group_id: str, *, prefix: str = "", at: datetime | None = None
) -> Pages[str]:
    """Iterate over a group's addresses, sorted; pages are fetched as needed.

    prefix: only addresses with this beginning. at: the members at this date and time, None = now.
    """
    path = path_of(publisher, "groups", group_id, "members")
    moment = None if at is None else at.isoformat()

    def page(cursor: str | None) -> Call[Page[str]]:
        if not prefix:
            return Call(get_request(path, at=moment, cursor=cursor), _read_members)
        # Send the prefix in a body: it is part of an address, and servers log URLs.
        body = _encode({"prefix": prefix, "at": at, "cursor": cursor})
        search = Request(method="POST", path=f"{path}/search", body=body, repeatable=True)
        return Call(search, _read_members)

    return page


def create_group(
    publisher: str, name: str, emails: Emails, *, group_id: str | None = None
) -> Call[EditResponse]:
    """Create a group. By default, its id is derived from the name. Id and name are permanent."""
    body = {"name": name, "emails": _list_or_text(emails), "group_id": group_id}
    request = Request(
        method="POST", path=path_of(publisher, "groups"), body=_encode(body), repeatable=False
    )
    return Call(request, _read_edit)


def add_members(
    publisher: str,
    group_id: str,
    emails: Emails,
    *,
    if_revision: int | None = None,
    dry_run: bool = False,
) -> Call[EditResponse]:
    """Add addresses to a group, all or none. Present members are only counted, as `unchanged`.

    if_revision: raise a Problem with status 412 if the group has another revision. dry_run: change
    nothing, but return what would change, and the effects on access.
    """
    # Repeatable without if_revision: adding twice has the effect of adding once. With if_revision
    # a second request would fail, because the first changes the revision. Removing is alike.
    body = {"add": _list_or_text(emails)}
    return _edit("PATCH", (publisher, group_id), body, if_revision, dry_run, if_revision is None)


def remove_members(
    publisher: str,
    group_id: str,
    emails: Emails,
    *,
    if_revision: int | None = None,
    dry_run: bool = False,
) -> Call[EditResponse]:
    """Remove addresses, all or none; others are counted as `unknown`. Options: see add_members."""
    body = {"remove": _list_or_text(emails)}
    return _edit("PATCH", (publisher, group_id), body, if_revision, dry_run, if_revision is None)


def replace_members(
    publisher: str,
    group_id: str,
    emails: Emails,
    *,
    if_revision: int | None = None,
    dry_run: bool = False,
) -> Call[EditResponse]:
    """Make these addresses the only members of a group. if_revision, dry_run: see add_members."""
    # Not repeatable: a second request could undo an edit made in between.
    body = {"emails": _list_or_text(emails)}
    return _edit("PUT", (publisher, group_id), body, if_revision, dry_run, repeatable=False)


def _edit(
    method: str,
    group: tuple[str, str],
    body: object,
    if_revision: int | None,
    dry_run: bool,
    repeatable: bool,
) -> Call[EditResponse]:
    publisher, group_id = group
    path = path_of(publisher, "groups", group_id, "members")
    request = Request(
        method=method,
        path=path + ("?dry_run=true" if dry_run else ""),
        body=_encode(body),
        if_revision=if_revision,
        repeatable=repeatable or dry_run,
    )
    return Call(request, _read_edit)


def _list_or_text(emails: Emails) -> str | list[str]:
    return emails if isinstance(emails, str) else list(emails)


def product(publisher: str, product_id: str) -> Call[StoredProduct]:
    """Read a product as declared. Pass its `revision` to put_product as `if_revision`."""
    return Call(get_request(path_of(publisher, "products", product_id)), _read_product)


def put_product(
    publisher: str, product_id: str, product: Mapping[str, Any], *, if_revision: int | None = None
) -> Call[int]:
    """Create or replace a product, and return the publisher's new catalogue revision.

    if_revision: raise a Problem with status 412 if the product has another revision.
    """
    request = Request(
        method="PUT",
        path=path_of(publisher, "products", product_id),
        body=_encode(product),
        if_revision=if_revision,
        repeatable=False,  # a second request could undo a write made in between
    )
    return Call(request, lambda body: _read_write(body).revision)


def coverage(
    publisher: str, product_id: str, *, devices: str = "flights", at: datetime | None = None
) -> Call[dict[str, Any]]:
    """Count the members of a product's groups that get each flight. devices: a preset."""
    moment = None if at is None else at.isoformat()
    path = path_of(publisher, "products", product_id, "coverage")
    return Call(get_request(path, devices=devices, at=moment), _read_report)


def simulate(
    product_id: str,
    devices: Iterable[Device | str],
    *,
    accounts: Iterable[Account | str | None] | None = None,
    groups: Iterable[str] | None = None,
    at: datetime | None = None,
    draft: Mapping[str, Any] | None = None,
) -> Call[dict[str, Any]]:
    """Simulate what accounts get on devices; return the report of the HTTP API.

    devices: devices, or names of presets. accounts: addresses, accounts, or None for a person who
    is not signed in. groups: use the members of these groups if accounts is None. By default:
    everybody in a group of the product. draft: unsaved changes to apply. Sent only once, never
    repeated; the attempt may take all of `timeout`.
    """
    body: dict[str, Any] = {"product_id": product_id, "devices": list(devices)}
    if accounts is not None:
        body["accounts"] = list(accounts)
    elif groups is not None:
        body["accounts"] = {"groups": list(groups)}
    body |= {name: value for name, value in (("at", at), ("draft", draft)) if value is not None}
    request = Request(method="POST", path="/v1/simulations", body=_encode(body), repeatable=False)
    return Call(request, _read_report)


def get_request(path: str, **parameters: str | None) -> Request:
    """Build a GET request; parameters that are None are left out."""
    present = {name: value for name, value in parameters.items() if value is not None}
    query = f"?{urlencode(present)}" if present else ""
    return Request(method="GET", path=path + query, repeatable=True)


def path_of(publisher: str, *parts: str) -> str:
    """Build a path below a publisher. Raises: ValueError for an id that is empty or only dots."""
    return "/v1/publishers/" + "/".join(map(_segment, (publisher, *parts)))


def _segment(text: str) -> str:
    """Quote an id for a path. Refuses an empty id and one of dots only: they change the path."""
    if text.strip(".") == "":
        raise ValueError(f"`{text}` is not an id")
    return quote(text, safe="")

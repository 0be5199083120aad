"""The calls of both clients: each makes a request and reads its response.

Paths and bodies are those of docs/http-api.md. Each function's name, parameters and docstring are
also those of the method of Client and AsyncClient that carries its call out.
"""

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
"""Calls whose results together make one list."""
Pages = Callable[[str | None], Call[Page[T]]]
"""Makes the call for the page at a cursor; None is the first page."""

LONGEST_BATCH = 1_000
LARGEST_BATCH = 1_000_000
"""Queries in one batch, and bytes of them: the service takes 1 MiB."""

Emails = str | Iterable[str]
"""Addresses as a list, or as a text that separates them by spaces, commas, semicolons or lines."""


class _BatchResponse(Struct):
    decisions: list[Raw]


class _WriteResponse(Struct):
    revision: int


_encode = msgspec.json.encode


def reader_of(kind: type[T]) -> Callable[[bytes], T]:
    """A function that reads JSON as a kind of value."""
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


# --- access queries -----------------------------------------------------------------------------


def access(query: Query, *, explain: bool = False) -> Call[Decision]:
    """Ask one access query. explain: the decision has its trace, story and nearest change, too."""
    request = _access_request("/v1/access", _encode(query), explain)
    return Call(request, _read_decision, lambda: unreachable_decision(query.product_id))


def access_many(queries: Iterable[Query], *, explain: bool = False) -> Batches[Decision | Problem]:
    """Ask any number of access queries; in order, each decision or the reason why there is none.

    They are sent as batches of up to 1,000, one after the other, each with a `timeout` of its own.
    An error that concerns a whole batch is raised.
    """
    for batch, bodies in _batches(queries):
        body = b'{"queries":[' + b",".join(bodies) + b"]}"
        yield _one_batch(batch, _access_request("/v1/access/batch", body, explain))


def _one_batch(batch: Sequence[Query], request: Request) -> Call[list[Decision | Problem]]:
    def read(body: bytes) -> list[Decision | Problem]:
        answers = _read_batch(body).decisions
        if len(answers) != len(batch):
            raise ValidationError(f"{len(answers)} answers to {len(batch)} queries")
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
    """Queries, and each as JSON, in batches of no more queries and bytes than the service takes."""
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


# --- groups -------------------------------------------------------------------------------------


def groups(publisher: str) -> Pages[Group]:
    """Iterate over every group of a publisher, by id; each page is fetched when it is reached."""
    path = path_of(publisher, "groups")
    return lambda cursor: Call(get_request(path, cursor=cursor), _read_groups)


def group(publisher: str, group_id: str) -> Call[Group]:
    """Read one group, without its members. An edit can be based on its `revision`."""
    return Call(get_request(path_of(publisher, "groups", group_id)), _read_group)


def members(
    publisher: str, group_id: str, *, prefix: str = "", at: datetime | None = None
) -> Pages[str]:
    """Iterate over a group's addresses, sorted; each page is fetched when it is reached.

    prefix: only those that begin with it. at: as they were at that moment, None = now.
    """
    path = path_of(publisher, "groups", group_id, "members")
    moment = None if at is None else at.isoformat()

    def page(cursor: str | None) -> Call[Page[str]]:
        if not prefix:
            return Call(get_request(path, at=moment, cursor=cursor), _read_members)
        # A prefix is part of an address, and no address goes into a URL.
        body = _encode({"prefix": prefix, "at": at, "cursor": cursor})
        search = Request(method="POST", path=f"{path}/search", body=body, repeatable=True)
        return Call(search, _read_members)

    return page


def create_group(
    publisher: str, name: str, emails: Emails, *, group_id: str | None = None
) -> Call[EditResponse]:
    """Create a group. Its id is made from the name unless one is given; neither can change later."""
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
    """Add addresses to a group, all or none. Those that are members already are counted.

    if_revision: edit only if the group is still at this revision; otherwise Problem, status
    412. dry_run: change nothing; answer what would change, and its effects on access.
    """
    # Adding twice does what adding once does. Based on a revision it does not: the first edit makes
    # the revision of the second an old one. The same holds for removing.
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
    """Remove addresses from a group, all or none. Those that are no members are counted.

    if_revision, dry_run: see add_members.
    """
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
    # Sent twice, it could undo an edit that came between.
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


# --- products -----------------------------------------------------------------------------------


def product(publisher: str, product_id: str) -> Call[StoredProduct]:
    """Read a product as it was declared. A write can be based on its `revision`."""
    return Call(get_request(path_of(publisher, "products", product_id)), _read_product)


def put_product(
    publisher: str, product_id: str, product: Mapping[str, Any], *, if_revision: int | None = None
) -> Call[int]:
    """Declare a whole product, and return the publisher's catalogue revision afterwards.

    if_revision: write only if the product is still at this revision; otherwise Problem,
    status 412.
    """
    request = Request(
        method="PUT",
        path=path_of(publisher, "products", product_id),
        body=_encode(product),
        if_revision=if_revision,
        repeatable=False,  # sent twice, it could undo a write that came between
    )
    return Call(request, lambda body: _read_write(body).revision)


def coverage(
    publisher: str, product_id: str, *, devices: str = "flights", at: datetime | None = None
) -> Call[dict[str, Any]]:
    """Count how many members of a product's groups reach which flight, on a preset of devices."""
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
    """Simulate what accounts get on devices and presets of devices; the HTTP API's report.

    accounts: addresses, accounts, or None for somebody who is not signed in. groups: instead of
    accounts, the members of these groups. Without both: everybody in a group of the product.
    draft: changes to suppose; they are not saved. It is tried once, with all of `timeout`.
    """
    body: dict[str, Any] = {"product_id": product_id, "devices": list(devices)}
    if accounts is not None:
        body["accounts"] = list(accounts)
    elif groups is not None:
        body["accounts"] = {"groups": list(groups)}
    body |= {name: value for name, value in (("at", at), ("draft", draft)) if value is not None}
    request = Request(method="POST", path="/v1/simulations", body=_encode(body), repeatable=False)
    return Call(request, _read_report)


# --- paths --------------------------------------------------------------------------------------


def get_request(path: str, **parameters: str | None) -> Request:
    """A request that reads; parameters that are None are left out."""
    present = {name: value for name, value in parameters.items() if value is not None}
    query = f"?{urlencode(present)}" if present else ""
    return Request(method="GET", path=path + query, repeatable=True)


def path_of(publisher: str, *parts: str) -> str:
    """The path of something that belongs to a publisher. Raises: ValueError for an empty id."""
    return "/v1/publishers/" + "/".join(map(_segment, (publisher, *parts)))


def _segment(text: str) -> str:
    """An id as one part of a path; an empty one, or one of dots alone, would make another path."""
    if text.strip(".") == "":
        raise ValueError(f"`{text}` is no id")
    return quote(text, safe="")

"""Every call as a request and how its answer is read: the paths and bodies of docs/http-api.md."""

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

LONGEST_BATCH = 1_000
LARGEST_BATCH = 1_000_000
"""Queries in one batch, and bytes of them: the service takes 1 MiB."""

Emails = str | Iterable[str]
"""Addresses as a list, or as a text that separates them by spaces, commas, semicolons or lines."""


class _Batch(Struct):
    decisions: list[Raw]


class _Written(Struct):
    revision: int


_encode = msgspec.json.encode


def reader_of(kind: type[T]) -> Callable[[bytes], T]:
    """Reads an answer's JSON as a kind of value."""
    return msgspec.json.Decoder(kind).decode


_decision = reader_of(Decision)
_batch = reader_of(_Batch)
_written = reader_of(_Written)
_edited = reader_of(EditResponse)
_group = reader_of(Group)
_product = reader_of(StoredProduct)
_groups = reader_of(Page[Group])
_members = reader_of(Page[str])


# --- access queries -----------------------------------------------------------------------------


def access(query: Query, explain: bool) -> Call[Decision]:
    """One access query."""
    request = _access_request("/v1/access", _encode(query), explain)
    return Call(request, _decision, lambda: unreachable_decision(query.product_id))


def access_many(
    queries: Iterable[Query], explain: bool, deny: bool
) -> Iterator[Call[list[Decision | Problem]]]:
    """Access queries in batches that the service takes. deny: also in the place of a 5xx of one query."""
    for batch, parts in _batches(queries):
        body = b'{"queries":[' + b",".join(parts) + b"]}"
        yield _one_batch(batch, _access_request("/v1/access/batch", body, explain), deny)


def _one_batch(
    batch: Sequence[Query], request: Request, deny: bool
) -> Call[list[Decision | Problem]]:
    def read(body: bytes) -> list[Decision | Problem]:
        answers = _batch(body).decisions
        if len(answers) != len(batch):
            raise ValidationError(f"{len(answers)} answers to {len(batch)} queries")
        found = map(_decision_or_problem, answers)
        return [
            unreachable_decision(query.product_id)
            if deny and isinstance(answer, Unreachable)
            else answer
            for query, answer in zip(batch, found, strict=True)
        ]

    return Call(request, read, lambda: [unreachable_decision(one.product_id) for one in batch])


def _decision_or_problem(answer: Raw) -> Decision | Problem:
    try:
        return _decision(bytes(answer))
    except ValidationError:
        return problem_of(bytes(answer))


def _access_request(path: str, body: bytes, explain: bool) -> Request:
    return Request(
        method="POST",
        path=path + ("?explain=true" if explain else ""),
        body=body,
        repeatable=True,
    )


def _batches(queries: Iterable[Query]) -> Iterator[tuple[list[Query], list[bytes]]]:
    """Queries, and each as JSON, in batches of no more queries and bytes than one may have."""
    batch: list[Query] = []
    parts: list[bytes] = []
    size = 0
    for query in queries:
        part = _encode(query)
        if batch and (len(batch) == LONGEST_BATCH or size + len(part) > LARGEST_BATCH):
            yield batch, parts
            batch, parts, size = [], [], 0
        batch.append(query)
        parts.append(part)
        size += len(part) + 1
    if batch:
        yield batch, parts


# --- groups -------------------------------------------------------------------------------------


def groups(publisher: str, cursor: str | None) -> Call[Page[Group]]:
    """One page of a publisher's groups."""
    return Call(get_request(path_of(publisher, "groups"), cursor=cursor), _groups)


def group(publisher: str, group_id: str) -> Call[Group]:
    """One group."""
    return Call(get_request(path_of(publisher, "groups", group_id)), _group)


def members(
    publisher: str, group_id: str, prefix: str, at: datetime | None, cursor: str | None
) -> Call[Page[str]]:
    """One page of a group's members. A prefix is a part of an address, so it goes into no URL."""
    path = path_of(publisher, "groups", group_id, "members")
    if not prefix:
        moment = None if at is None else at.isoformat()
        return Call(get_request(path, at=moment, cursor=cursor), _members)
    body = _encode({"prefix": prefix, "at": at, "cursor": cursor})
    return Call(Request(method="POST", path=f"{path}/search", body=body, repeatable=True), _members)


def create_group(
    publisher: str, name: str, emails: Emails, group_id: str | None
) -> Call[EditResponse]:
    """A new group. Sent twice, it would find itself taken."""
    body = {"name": name, "emails": _sent(emails), "group_id": group_id}
    request = Request(
        method="POST", path=path_of(publisher, "groups"), body=_encode(body), repeatable=False
    )
    return Call(request, _edited)


def edit_members(
    publisher: str,
    group_id: str,
    edit: Mapping[str, Emails],
    if_revision: int | None,
    dry_run: bool,
) -> Call[EditResponse]:
    """Members to `add` or `remove`, which sent twice does what it does sent once.

    Based on a revision it does not: the first may have made the second one's revision an old one.
    """
    body = {name: _sent(emails) for name, emails in edit.items()}
    repeatable = if_revision is None
    return _edit("PATCH", publisher, group_id, body, if_revision, dry_run, repeatable)


def replace_members(
    publisher: str, group_id: str, emails: Emails, if_revision: int | None, dry_run: bool
) -> Call[EditResponse]:
    """A whole membership. Sent twice, it could undo an edit that came between."""
    body = {"emails": _sent(emails)}
    return _edit("PUT", publisher, group_id, body, if_revision, dry_run, repeatable=False)


def _edit(
    method: str,
    publisher: str,
    group_id: str,
    body: object,
    if_revision: int | None,
    dry_run: bool,
    repeatable: bool,
) -> Call[EditResponse]:
    path = path_of(publisher, "groups", group_id, "members")
    request = Request(
        method=method,
        path=path + ("?dry_run=true" if dry_run else ""),
        body=_encode(body),
        if_revision=if_revision,
        repeatable=repeatable or dry_run,
    )
    return Call(request, _edited)


def _sent(emails: Emails) -> str | list[str]:
    return emails if isinstance(emails, str) else list(emails)


# --- products -----------------------------------------------------------------------------------


def product(publisher: str, product_id: str) -> Call[StoredProduct]:
    """One product."""
    return Call(get_request(path_of(publisher, "products", product_id)), _product)


def put_product(
    publisher: str, product_id: str, declared: Mapping[str, Any], if_revision: int | None
) -> Call[int]:
    """A product, whole. Sent twice, it could undo a write that came between."""
    request = Request(
        method="PUT",
        path=path_of(publisher, "products", product_id),
        body=_encode(declared),
        if_revision=if_revision,
        repeatable=False,
    )
    return Call(request, lambda body: _written(body).revision)


# --- paths --------------------------------------------------------------------------------------


def get_request(path: str, **parameters: str | None) -> Request:
    """A request that reads; parameters that are None are left out."""
    given = {name: value for name, value in parameters.items() if value is not None}
    query = f"?{urlencode(given)}" if given else ""
    return Request(method="GET", path=path + query, repeatable=True)


def path_of(publisher: str, *parts: str) -> str:
    """The path of something of a publisher's."""
    return "/v1/publishers/" + "/".join(map(_segment, (publisher, *parts)))


def _segment(text: str) -> str:
    """An id as a part of a path; a part of dots, or none, would be another path."""
    if text.strip(".") == "":
        raise ValueError(f"`{text}` is no id")
    return quote(text, safe="")


_read = reader_of(dict[str, Any])


def coverage(
    publisher: str, product_id: str, devices: str, at: datetime | None
) -> Call[dict[str, Any]]:
    """What the members of a product's groups reach."""
    moment = None if at is None else at.isoformat()
    path = path_of(publisher, "products", product_id, "coverage")
    return Call(get_request(path, devices=devices, at=moment), _read)


def simulate(
    product_id: str,
    devices: Iterable[Device | str],
    accounts: Iterable[Account | str | None] | None,
    groups: Iterable[str] | None,
    at: datetime | None,
    draft: Mapping[str, Any] | None,
) -> Call[dict[str, Any]]:
    """Accounts x devices. Tried once, with all the time there is: it is no short query."""
    asked: dict[str, Any] = {"product_id": product_id, "devices": list(devices)}
    if accounts is not None:
        asked["accounts"] = list(accounts)
    elif groups is not None:
        asked["accounts"] = {"groups": list(groups)}
    asked |= {name: one for name, one in (("at", at), ("draft", draft)) if one is not None}
    body = msgspec.json.encode(asked)
    return Call(Request(method="POST", path="/v1/simulations", body=body, repeatable=False), _read)

"""Bodies of AuthZEN requests, taken as sent: members as raw JSON, for members.py to read."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from eligibility.access.wire import LONGEST_BATCH
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.strict_struct import StrictReader, nothing_twice

NULL = b"null"
_T = TypeVar("_T")
_Fields = TypeVar("_Fields", bound=Struct)

RawMember = Raw | UnsetType
"""A member as sent."""


class Subject(Struct, gc=False):
    """See the standard's section 5.1."""

    type: str
    id: str
    properties: RawMember = UNSET


class EvaluationRequest(Struct, gc=False):
    """The members of an evaluation as sent, its subject read already."""

    subject: Subject | None | UnsetType = UNSET
    action: RawMember = UNSET
    resource: RawMember = UNSET
    context: RawMember = UNSET


class LooseEvaluationRequest(Struct, gc=False):
    """The same where something cannot be read, or stands where nobody looks."""

    subject: RawMember = UNSET
    action: RawMember = UNSET
    resource: RawMember = UNSET
    context: RawMember = UNSET


class EvaluationsRequest(EvaluationRequest, gc=False):
    """The same as defaults, and the evaluations that have them."""

    evaluations: list[EvaluationRequest] | None | UnsetType = UNSET
    options: RawMember = UNSET


class LooseEvaluationsRequest(LooseEvaluationRequest, gc=False):
    """The same in parts."""

    evaluations: list[Raw] | None | UnsetType = UNSET
    options: RawMember = UNSET


AnyEvaluationRequest = EvaluationRequest | LooseEvaluationRequest
AnyEvaluationsRequest = EvaluationsRequest | LooseEvaluationsRequest


class SearchRequest(LooseEvaluationRequest, gc=False):
    """The members of a search as sent."""

    page: RawMember = UNSET


_asked = StrictReader(EvaluationRequest)
_loose_asked = StrictReader(LooseEvaluationRequest)
_evaluations = StrictReader(EvaluationsRequest)
_loose_evaluations = StrictReader(LooseEvaluationsRequest)
_search = StrictReader(SearchRequest)


def read_one(body: bytes) -> AnyEvaluationRequest:
    """Take a single evaluation as sent. Raises: InvalidInput."""
    return _as_usual(_asked, body) or _loose_asked.read(body)


def read_search(body: bytes) -> SearchRequest:
    """Take a search as sent. Raises: InvalidInput."""
    return _search.read(body)


def read_many(
    body: bytes,
) -> tuple[AnyEvaluationsRequest, Sequence[AnyEvaluationRequest | InvalidInput]]:
    """Take a batch as sent: its defaults, and its items or what each is instead of an object.

    No items is a single evaluation of the defaults.
    Raises: InvalidInput where the batch itself cannot be read, or is longer than LONGEST_BATCH.
    """
    asked = _as_usual(_evaluations, body)
    if asked is not None:
        return asked, _within_bounds(asked.evaluations or ())
    loose = _loose_evaluations.read(body)
    return loose, [_item(raw) for raw in _within_bounds(loose.evaluations or ())]


def _as_usual(reader: StrictReader[_Fields], body: bytes) -> _Fields | None:
    """A body of which everything is known and can be read; None for others."""
    try:
        read = reader.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return read if nothing_twice(body, read) else None


def _within_bounds(items: Sequence[_T]) -> Sequence[_T]:
    if len(items) > LONGEST_BATCH:
        detail = f"{len(items)} evaluations; a batch has at most {LONGEST_BATCH}"
        raise InvalidInput([Fault("evaluations", "BATCH_LENGTH", detail)])
    return items


def _item(raw: Raw) -> LooseEvaluationRequest | InvalidInput:
    try:
        return _loose_asked.read(bytes(raw))
    except InvalidInput as error:
        return error


def is_told(sent: RawMember) -> bool:
    """Whether a member is there: neither left out nor null."""
    return sent is not UNSET and bytes(sent) != NULL


def check_objects(asked: AnyEvaluationsRequest) -> None:
    """Refuse defaults of a batch that are no objects; what they lack is the items' to tell."""
    faults = []
    for name in ("subject", "action", "resource", "context", "options"):
        sent = getattr(asked, name)
        if isinstance(sent, Raw) and is_told(sent) and not bytes(sent).startswith(b"{"):
            faults.append(Fault(name, "WRONG_TYPE", "must be an object"))
    if faults:
        raise InvalidInput(faults)

"""Bodies of AuthZEN requests. Most members stay raw JSON, which entities.py reads."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from eligibility.access.wire import LONGEST_BATCH
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.strict_struct import StrictReader, nothing_twice

NULL = b"null"
_T = TypeVar("_T")

RawMember = Raw | UnsetType
"""A member as raw JSON, or UNSET if it is missing."""


class Subject(Struct, gc=False):
    """A subject (section 5.1 of the standard)."""

    type: str
    id: str
    properties: RawMember = UNSET


class EvaluationRequest(Struct, gc=False):
    """The members of an evaluation, or of one item of a batch."""

    subject: Subject | None | UnsetType = UNSET
    action: RawMember = UNSET
    resource: RawMember = UNSET
    context: RawMember = UNSET


class RawMembers(Struct, gc=False):
    """The same members as a batch's defaults or a search's terms; they stay raw JSON until needed."""

    subject: RawMember = UNSET
    action: RawMember = UNSET
    resource: RawMember = UNSET
    context: RawMember = UNSET


class SearchRequest(RawMembers, gc=False):
    """The members of a search."""

    page: RawMember = UNSET


class EvaluationsRequest(RawMembers, gc=False):
    """The members of a batch: its evaluations, and defaults for the members that these leave out."""

    evaluations: list[EvaluationRequest] | None | UnsetType = UNSET
    options: RawMember = UNSET


class _RawEvaluations(RawMembers, gc=False):
    """A batch with evaluations as raw JSON, for batches in which some evaluations cannot be read."""

    evaluations: list[Raw] | None | UnsetType = UNSET
    options: RawMember = UNSET


_evaluation = StrictReader(EvaluationRequest, {"subject": Subject})
_evaluations = StrictReader(EvaluationsRequest)
_raw_evaluations = StrictReader(_RawEvaluations)
read_evaluation = _evaluation.read
"""Read a single evaluation. Raises: InvalidInput."""
read_search = StrictReader(SearchRequest).read
"""Read a search. Raises: InvalidInput."""


def read_batch(
    body: bytes,
) -> tuple[RawMembers, RawMember, Sequence[EvaluationRequest | InvalidInput]]:
    """Return a batch's defaults, its options, and each evaluation or the error if it cannot be read.

    Raises: InvalidInput if the batch itself cannot be read, or is longer than LONGEST_BATCH.
    """
    try:
        batch = _evaluations.decode(body)
        if nothing_twice(body, batch):
            return batch, batch.options, _within_bounds(batch.evaluations or ())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # the batch or some evaluation is wrong; the code below finds out which
    raw = _raw_evaluations.read(body)
    items = _within_bounds(raw.evaluations or ())
    return raw, raw.options, [_evaluation_or_fault(item) for item in items]


def _within_bounds(items: Sequence[_T]) -> Sequence[_T]:
    if len(items) > LONGEST_BATCH:
        detail = f"the batch has {len(items)} evaluations; it must have at most {LONGEST_BATCH}"
        raise InvalidInput([Fault("evaluations", "BATCH_LENGTH", detail)])
    return items


def _evaluation_or_fault(item: Raw) -> EvaluationRequest | InvalidInput:
    try:
        return read_evaluation(bytes(item))
    except InvalidInput as error:
        return error


def is_present(member: RawMember) -> bool:
    """Return whether a member is present: neither left out nor null."""
    return member is not UNSET and bytes(member) != NULL


def check_objects(defaults: RawMembers, options: RawMember) -> None:
    """Refuse a batch's defaults that are not objects. Incomplete ones are valid: items complete them."""
    members = {name: getattr(defaults, name) for name in RawMembers.__struct_fields__}
    faults = [
        Fault(name, "WRONG_TYPE", "must be an object")
        for name, member in {**members, "options": options}.items()
        if is_present(member) and not bytes(member).startswith(b"{")
    ]
    if faults:
        raise InvalidInput(faults)

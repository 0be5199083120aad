"""Convert a question of an open standard to an access query, and the decision to a verdict. No I/O.

A question names a resource (`product`, `submission` or `flight`) and an action on it. Its context
describes the device. The table ACTIONS lists the actions of each resource and the rule for each verdict.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from eligibility.access import wire
from eligibility.access.codes import Reason
from eligibility.access.model import Decision, PackageSource
from eligibility.access.wire import AccountFields, QueryFields
from eligibility.catalog.field_types import ID_PATTERN
from eligibility.errors import Fault, InvalidInput

_ID = re.compile(ID_PATTERN)
_encode = msgspec.json.Encoder().encode


class DenialReason(StrEnum):
    """Reasons for denials in addition to the reasons of decisions. Codes are never renamed."""

    UNKNOWN_RESOURCE = "UNKNOWN_RESOURCE"  # it does not exist, or the caller may not know of it
    UNKNOWN_ACTION = "UNKNOWN_ACTION"
    UNKNOWN_SUBJECT = "UNKNOWN_SUBJECT"
    DEVICE_UNKNOWN = "DEVICE_UNKNOWN"
    OTHER_SOURCE = "OTHER_SOURCE"  # the account's packages come from another flight
    NOT_INSTALLED = "NOT_INSTALLED"
    UP_TO_DATE = "UP_TO_DATE"


class StandardVerdict(NamedTuple):
    """Allowed or not, with all reasons; `reason` is the first of them.

    selected: the source of the package, if a product may be installed or updated. secret: the denial
    would reveal something that an account which asks for itself may not know of.
    """

    allowed: bool
    reasons: tuple[str, ...]
    selected: PackageSource | None = None
    secret: bool = False

    @property
    def reason(self) -> str:
        """The first of the reasons."""
        return self.reasons[0]


UNKNOWN_RESOURCE = StandardVerdict(False, (DenialReason.UNKNOWN_RESOURCE,), None, True)
UNKNOWN_ACTION = StandardVerdict(False, (DenialReason.UNKNOWN_ACTION,))
UNKNOWN_SUBJECT = StandardVerdict(False, (DenialReason.UNKNOWN_SUBJECT,))


class Question(NamedTuple):
    """A question: is an action on a resource allowed? flight_id: None if the resource is not a flight."""

    resource_type: str
    action: str
    product_id: str
    flight_id: str | None = None


def _view(_: Question, decision: Decision) -> StandardVerdict:
    half = decision.submission
    return StandardVerdict(half.granted, half.reasons, None, not half.granted)


def _install(_: Question, decision: Decision) -> StandardVerdict:
    if not decision.submission.granted:
        return StandardVerdict(False, decision.submission.reasons, None, True)
    half = decision.package
    return StandardVerdict(half.granted, half.reasons, half.source if half.granted else None)


def _update(question: Question, decision: Decision) -> StandardVerdict:
    installable = _install(question, decision)
    if not installable.allowed or decision.package.action == "update":
        return installable
    keeps = decision.package.action == "keep"
    reason = DenialReason.UP_TO_DATE if keeps else DenialReason.NOT_INSTALLED
    return StandardVerdict(False, (reason,))


def _of_flight(ask: Callable[[Question, Decision], StandardVerdict]) -> "_Rule":
    """Build the rule for a flight: deny if the package comes from elsewhere, else apply `ask`."""

    def verdict(question: Question, decision: Decision) -> StandardVerdict:
        source = decision.package.source
        if decision.submission.granted and (
            source is None or source.flight_id != question.flight_id
        ):
            return StandardVerdict(False, (DenialReason.OTHER_SOURCE,), None, True)
        return ask(question, decision)._replace(selected=None)

    return verdict


_Rule = Callable[[Question, Decision], StandardVerdict]

ACTIONS: Mapping[str, Mapping[str, _Rule]] = {
    "product": {"install": _install, "update": _update, "view": _view},
    "submission": {"view": _view},
    "flight": {"install": _of_flight(_install), "update": _of_flight(_update)},
}
"""Resource type -> action -> rule; actions are in alphabetical order."""


def question_of(resource_type: str, resource_id: str, action: str) -> Question | StandardVerdict:
    """Return the question about a resource, or the denial if its type, action or id is unknown."""
    actions = ACTIONS.get(resource_type)
    if actions is None:
        return UNKNOWN_RESOURCE
    if action not in actions:
        return UNKNOWN_ACTION
    product_id, colon, flight_id = resource_id.partition(":")
    is_flight = resource_type == "flight"
    if bool(colon) != is_flight or not _ID.fullmatch(product_id):
        return UNKNOWN_RESOURCE
    if is_flight and not _ID.fullmatch(flight_id):  # product and flight ids have the same form
        return UNKNOWN_RESOURCE
    return Question(resource_type, action, product_id, flight_id if is_flight else None)


def verdict(question: Question, decision: Decision, device_known: bool = True) -> StandardVerdict:
    """Convert a decision to the verdict on a question.

    Args: device_known = the context has the device. If not, the decision is for a placeholder device,
    and is used only where the device does not matter: to view a product with a public audience.
    """
    result = ACTIONS[question.resource_type][question.action](question, decision)
    if device_known:
        return result
    half = decision.submission
    if question.action == "view" and half.audience == "public":
        return result
    reasons = () if half.granted else tuple(r for r in half.reasons if r not in _OF_THE_DEVICE)
    return StandardVerdict(
        False, (*reasons, DenialReason.DEVICE_UNKNOWN), None, half.audience == "private"
    )


_OF_THE_DEVICE = frozenset({Reason.OS_BELOW_AUDIENCE_MINIMUM, Reason.DEVICE_FAMILY_UNSUPPORTED})


class QuestionContext(NamedTuple):
    """The fields of an access query that come from the context, in the order of QueryFields.

    device_known: the context has both family and OS version; if not, `device` has placeholders.
    """

    device: Raw
    device_known: bool
    installed_version: str | UnsetType = UNSET
    owned: bool | UnsetType = UNSET
    market: str | UnsetType = UNSET
    promotional_code: bool | UnsetType = UNSET
    manual_check: bool | UnsetType = UNSET
    at: str | UnsetType = UNSET


_DEVICE = {"device_family": "family", "os_version": "os_version", "architecture": "architecture"}
_QUERY = {
    "installed_version": "installed_version",
    "owned": "owned",
    "market": "market",
    "promotional_code": "promotional_code",
    "manual_check": "manual_check",
    "time": "at",
}
_LOCS = {f"device.{field}": key for key, field in _DEVICE.items()} | {
    field: key for key, field in _QUERY.items()
}
_STAND_IN = {"family": "Windows.Unknown", "os_version": "10.0.10240.0"}

CONTEXT_KEYS = (*_DEVICE, *_QUERY)
"""The keys of a context that we use; other keys are ignored."""


def read_context(context: Mapping[str, Any], loc: str = "context") -> QuestionContext:
    """Read a context; unknown keys are ignored. Raises: InvalidInput with every wrong key."""
    values = {key: context[key] for key in CONTEXT_KEYS if context.get(key) is not None}
    device = {field: values[key] for key, field in _DEVICE.items() if key in values}
    fields = {field: values[key] for key, field in _QUERY.items() if key in values}
    known = device.keys() >= _STAND_IN.keys()
    try:
        wire.query_of(product_id="-", device=_STAND_IN | device, **fields)
    except InvalidInput as error:
        within = f"{loc}." if loc else ""
        faults = [Fault(within + _LOCS.get(f.loc, f.loc), f.code, f.detail) for f in error.faults]
        raise InvalidInput(faults) from None
    return QuestionContext(Raw(_encode(_STAND_IN | device)), known, **fields)


def query_fields(
    question: Question, account: AccountFields | None, context: QuestionContext
) -> QueryFields:
    """Build the access query for a question."""
    device, _, installed, owned, market, code, manual, at = context
    return QueryFields(
        question.product_id, device, account, installed, owned, market, code, manual, at
    )

"""Members of AuthZEN requests, read as the standard has them: null as absent, others ignored.

Those of a batch are nearly all the same: actions, resources and contexts that were read before are
known by their very bytes. Subjects are people and not remembered.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import UNSET, Struct, UnsetType

from eligibility.access.model import AccountKind
from eligibility.access.wire import AccountFields
from eligibility.errors import Fault, InvalidInput
from eligibility.formats import strict_json
from eligibility.formats.strict_struct import StrictReader, shown
from eligibility.server.authzen.requests import NULL, RawMember, Subject, is_told
from eligibility.standards.questions import (
    UNKNOWN_SUBJECT,
    QuestionContext,
    StandardVerdict,
    read_context,
)

_MOST_REMEMBERED = 65_536
_LONGEST_REMEMBERED = 512
ACCOUNT, ANONYMOUS = "account", "anonymous"
"""The types of subjects."""
EXECUTE_ALL = "execute_all"
SEMANTICS: Mapping[str, bool | None] = {
    EXECUTE_ALL: None,
    "deny_on_first_deny": False,
    "permit_on_first_permit": True,
}
"""The ways to go through a batch, and after which decision each stops."""
_T = TypeVar("_T")


class ResourceEntity(Struct, gc=False):
    """See the standard's section 5.2."""

    type: str
    id: str
    properties: RawMember = UNSET


class ActionEntity(Struct, gc=False):
    """See the standard's section 5.3."""

    name: str
    properties: RawMember = UNSET


class SearchTarget(Struct, gc=False):
    """What a search looks for: an entity without id, or with one that does not count."""

    type: str
    properties: RawMember = UNSET


class Properties(Struct, gc=False):
    """What we read of a subject's properties."""

    kind: AccountKind | None | UnsetType = UNSET
    aliases: list[str] | None | UnsetType = UNSET
    token: str | None | UnsetType = UNSET


class BatchOptions(Struct, gc=False):
    """What we read of a batch's options."""

    evaluations_semantic: str | None | UnsetType = UNSET


class SubjectAccount(NamedTuple):
    """A subject as an account; None = nobody is signed in. claimed: its id, where a token tells it."""

    account: AccountFields | None
    claimed: str | None = None


class Member(Generic[_T]):
    """Reads one kind of member. remembers: by its bytes what was read of them."""

    def __init__(self, name: str, read: Callable[[bytes], _T], remembers: bool = True) -> None:
        self._name, self._read, self._remembers = name, read, remembers
        self._known: dict[bytes, _T] = {}
        self.met = self._known.get
        """What these very bytes were read as before, or None."""

    def __call__(self, sent: RawMember) -> _T:
        """Read a member. Raises: InvalidInput naming it; also where it is missing."""
        body = b"" if sent is UNSET else bytes(sent)
        known = self.met(body)
        if known is not None:
            return known
        if not body or body == NULL:
            raise InvalidInput([Fault(self._name, "MISSING_FIELD", "required")])
        try:
            read = self._read(body)
        except InvalidInput as error:
            raise InvalidInput([_within(self._name, fault) for fault in error.faults]) from None
        if self._remembers and len(body) <= _LONGEST_REMEMBERED:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[body] = read
        return read


def _within(name: str, fault: Fault) -> Fault:
    return Fault(f"{name}.{fault.loc}".rstrip("."), fault.code, fault.detail)


def _object(sent: RawMember, name: str) -> Mapping[str, Any]:
    """A free object as sent. Raises: InvalidInput."""
    if not is_told(sent):
        return {}
    value = strict_json.loads(bytes(sent))  # type: ignore[arg-type]
    if not isinstance(value, dict):
        raise InvalidInput([Fault(name, "WRONG_TYPE", "must be an object")])
    return value


_subject = StrictReader(Subject)
_resource = StrictReader(ResourceEntity)
_action = StrictReader(ActionEntity)
_kind = StrictReader(SearchTarget)
_properties = StrictReader(Properties)
_options = StrictReader(BatchOptions)


def _options_of(sent: RawMember) -> BatchOptions:
    try:
        return _options.read(bytes(sent))  # type: ignore[arg-type]
    except InvalidInput as error:
        raise InvalidInput([_within("options", fault) for fault in error.faults]) from None


def _read_subject(body: bytes) -> SubjectAccount | StandardVerdict:
    return _who(_subject.read(body))


def _who(subject: Subject) -> SubjectAccount | StandardVerdict:
    """A subject of ours, or the no to one that is none of ours."""
    told = Properties()
    if is_told(subject.properties):
        _object(subject.properties, "properties")
        if subject.type == ACCOUNT:
            told = _properties_of(bytes(subject.properties))  # type: ignore[arg-type]
    if subject.type == ANONYMOUS:
        return SubjectAccount(None)
    if subject.type != ACCOUNT:
        return UNKNOWN_SUBJECT
    if told.token:
        return SubjectAccount(AccountFields(token=told.token), subject.id)
    return SubjectAccount(AccountFields(subject.id, told.kind or UNSET, told.aliases or UNSET))


def _properties_of(body: bytes) -> Properties:
    try:
        return _properties.read(body)
    except InvalidInput as error:
        raise InvalidInput([_within("properties", fault) for fault in error.faults]) from None


def _read_resource(body: bytes) -> ResourceEntity:
    resource = _resource.read(body)
    _object(resource.properties, "properties")
    return resource


def _read_action(body: bytes) -> ActionEntity:
    action = _action.read(body)
    _object(action.properties, "properties")
    return action


def _read_kind(body: bytes) -> SearchTarget:
    kind = _kind.read(body)
    _object(kind.properties, "properties")
    return kind


def _read_context(body: bytes) -> QuestionContext:
    value = strict_json.loads(body)
    if not isinstance(value, dict):
        raise InvalidInput([Fault("", "WRONG_TYPE", "must be an object")])
    return read_context(value, "")


_subject_of = Member("subject", _read_subject, remembers=False)
resource_of = Member("resource", _read_resource)
action_of = Member("action", _read_action)
subject_kind_of = Member("subject", _read_kind)
resource_kind_of = Member("resource", _read_kind)
_context_of = Member("context", _read_context)
context_met = _context_of.met
_NO_CONTEXT = read_context({})


def subject_of(sent: Subject | RawMember | None) -> SubjectAccount | StandardVerdict:
    """Read a subject. Raises: InvalidInput."""
    if not isinstance(sent, Subject):
        return _subject_of(UNSET if sent is None else sent)
    if sent.properties is UNSET and sent.type == "account":
        return SubjectAccount(AccountFields(sent.id))
    try:
        return _who(sent)
    except InvalidInput as error:
        raise InvalidInput([_within("subject", fault) for fault in error.faults]) from None


def context_of(sent: RawMember) -> QuestionContext:
    """Read a context; without one nothing is told. Raises: InvalidInput."""
    return _context_of(sent) if is_told(sent) else _NO_CONTEXT


def semantic_of(options: RawMember) -> str:
    """The semantic that the options of a batch name; other options are ignored.

    Raises: InvalidInput for one that there is not.
    """
    named = _options_of(options).evaluations_semantic if is_told(options) else None
    if named is None or named is UNSET:
        return EXECUTE_ALL
    if named not in SEMANTICS:
        detail = f"`{shown(named)}` is none of {', '.join(SEMANTICS)}"
        raise InvalidInput([Fault("options.evaluations_semantic", "UNKNOWN_SEMANTIC", detail)])
    return named

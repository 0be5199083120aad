"""Requests of AuthZEN: their members read as the standard has them, null as absent.

Members are taken as sent first, for those of a batch are nearly all the same: actions, resources and
contexts that were read before are known by their very bytes. Subjects are people and not remembered.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from eligibility import strict_json
from eligibility.errors import Fault, InvalidInput
from eligibility.model import AccountKind
from eligibility.standards.questions import UNKNOWN_SUBJECT, Context, Verdict, read_context
from eligibility.strict_fields import StrictReader, nothing_twice, shown
from eligibility.wire import LONGEST_BATCH, AccountFields

_MOST_REMEMBERED = 65_536
_LONGEST_REMEMBERED = 512
_NULL = b"null"
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
_Fields = TypeVar("_Fields", bound=Struct)

Sent = Raw | UnsetType
"""A member as sent."""


class Subject(Struct, gc=False):
    """See the standard's section 5.1."""

    type: str
    id: str
    properties: Sent = UNSET


class Asked(Struct, gc=False):
    """The members of an evaluation as sent, its subject read already."""

    subject: Subject | None | UnsetType = UNSET
    action: Sent = UNSET
    resource: Sent = UNSET
    context: Sent = UNSET


class LooseAsked(Struct, gc=False):
    """The same where something cannot be read, or stands where nobody looks."""

    subject: Sent = UNSET
    action: Sent = UNSET
    resource: Sent = UNSET
    context: Sent = UNSET


class EvaluationsAsked(Asked, gc=False):
    """The same as defaults, and the evaluations that have them."""

    evaluations: list[Asked] | None | UnsetType = UNSET
    options: Sent = UNSET


class LooseEvaluations(LooseAsked, gc=False):
    """The same in parts."""

    evaluations: list[Raw] | None | UnsetType = UNSET
    options: Sent = UNSET


AnyAsked = Asked | LooseAsked
AnyEvaluations = EvaluationsAsked | LooseEvaluations


class SearchAsked(LooseAsked, gc=False):
    """The members of a search as sent."""

    page: Sent = UNSET


class Resource(Struct, gc=False):
    """See the standard's section 5.2."""

    type: str
    id: str
    properties: Sent = UNSET


class Action(Struct, gc=False):
    """See the standard's section 5.3."""

    name: str
    properties: Sent = UNSET


class Kind(Struct, gc=False):
    """What a search looks for: an entity without id, or with one that does not count."""

    type: str
    properties: Sent = UNSET


class Properties(Struct, gc=False):
    """What we read of a subject's properties."""

    kind: AccountKind | None | UnsetType = UNSET
    aliases: list[str] | None | UnsetType = UNSET
    token: str | None | UnsetType = UNSET


class Options(Struct, gc=False):
    """What we read of a batch's options."""

    evaluations_semantic: str | None | UnsetType = UNSET


class Who(NamedTuple):
    """A subject as an account; None = nobody is signed in. claimed: its id, where a token tells it."""

    account: AccountFields | None
    claimed: str | None = None


_asked = StrictReader(Asked)
_loose_asked = StrictReader(LooseAsked)
_evaluations = StrictReader(EvaluationsAsked)
_loose_evaluations = StrictReader(LooseEvaluations)
_search = StrictReader(SearchAsked)


def read_one(body: bytes) -> AnyAsked:
    """Take a single evaluation as sent. Raises: InvalidInput."""
    return _as_usual(_asked, body) or _loose_asked.read(body)


def read_search(body: bytes) -> SearchAsked:
    """Take a search as sent. Raises: InvalidInput."""
    return _search.read(body)


def read_many(body: bytes) -> tuple[AnyEvaluations, Sequence[AnyAsked | InvalidInput]]:
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


def _item(raw: Raw) -> LooseAsked | InvalidInput:
    try:
        return _loose_asked.read(bytes(raw))
    except InvalidInput as error:
        return error


def is_told(sent: Sent) -> bool:
    """Whether a member is there: neither left out nor null."""
    return sent is not UNSET and bytes(sent) != _NULL


def check_objects(asked: AnyEvaluations) -> None:
    """Refuse defaults of a batch that are no objects; what they lack is the items' to tell."""
    faults = []
    for name in ("subject", "action", "resource", "context", "options"):
        sent = getattr(asked, name)
        if isinstance(sent, Raw) and is_told(sent) and not bytes(sent).startswith(b"{"):
            faults.append(Fault(name, "WRONG_TYPE", "must be an object"))
    if faults:
        raise InvalidInput(faults)


# --- members ------------------------------------------------------------------------------------


class Member(Generic[_T]):
    """Reads one kind of member. remembers: by its bytes what was read of them."""

    def __init__(self, name: str, read: Callable[[bytes], _T], remembers: bool = True) -> None:
        self._name, self._read, self._remembers = name, read, remembers
        self._known: dict[bytes, _T] = {}
        self.met = self._known.get
        """What these very bytes were read as before, or None."""

    def __call__(self, sent: Sent) -> _T:
        """Read a member. Raises: InvalidInput naming it; also where it is missing."""
        body = b"" if sent is UNSET else bytes(sent)
        known = self.met(body)
        if known is not None:
            return known
        if not body or body == _NULL:
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


def _object(sent: Sent, name: str) -> Mapping[str, Any]:
    """A free object as sent. Raises: InvalidInput."""
    if not is_told(sent):
        return {}
    value = strict_json.loads(bytes(sent))  # type: ignore[arg-type]
    if not isinstance(value, dict):
        raise InvalidInput([Fault(name, "WRONG_TYPE", "must be an object")])
    return value


_subject = StrictReader(Subject)
_resource = StrictReader(Resource)
_action = StrictReader(Action)
_kind = StrictReader(Kind)
_properties = StrictReader(Properties)
_options = StrictReader(Options)


def _read_subject(body: bytes) -> Who | Verdict:
    return _who(_subject.read(body))


def _who(subject: Subject) -> Who | Verdict:
    """A subject of ours, or the no to one that is none of ours."""
    told = Properties()
    if is_told(subject.properties):
        _object(subject.properties, "properties")
        if subject.type == ACCOUNT:
            told = _properties_of(bytes(subject.properties))  # type: ignore[arg-type]
    if subject.type == ANONYMOUS:
        return Who(None)
    if subject.type != ACCOUNT:
        return UNKNOWN_SUBJECT
    if told.token:
        return Who(AccountFields(token=told.token), subject.id)
    return Who(AccountFields(subject.id, told.kind or UNSET, told.aliases or UNSET))


def _properties_of(body: bytes) -> Properties:
    try:
        return _properties.read(body)
    except InvalidInput as error:
        raise InvalidInput([_within("properties", fault) for fault in error.faults]) from None


def _read_resource(body: bytes) -> Resource:
    resource = _resource.read(body)
    _object(resource.properties, "properties")
    return resource


def _read_action(body: bytes) -> Action:
    action = _action.read(body)
    _object(action.properties, "properties")
    return action


def _read_kind(body: bytes) -> Kind:
    kind = _kind.read(body)
    _object(kind.properties, "properties")
    return kind


def _read_context(body: bytes) -> Context:
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


def subject_of(sent: Subject | Sent | None) -> Who | Verdict:
    """Read a subject. Raises: InvalidInput."""
    if not isinstance(sent, Subject):
        return _subject_of(UNSET if sent is None else sent)
    if sent.properties is UNSET and sent.type == "account":
        return Who(AccountFields(sent.id))
    try:
        return _who(sent)
    except InvalidInput as error:
        raise InvalidInput([_within("subject", fault) for fault in error.faults]) from None


def context_of(sent: Sent) -> Context:
    """Read a context; without one nothing is told. Raises: InvalidInput."""
    return _context_of(sent) if is_told(sent) else _NO_CONTEXT


def semantic_of(options: Sent) -> str:
    """The semantic that the options of a batch name; other options are ignored.

    Raises: InvalidInput for one that there is not.
    """
    named = _options.read(bytes(options)).evaluations_semantic if is_told(options) else None  # type: ignore[arg-type]
    if named is None or named is UNSET:
        return EXECUTE_ALL
    if named not in SEMANTICS:
        detail = f"`{shown(named)}` is none of {', '.join(SEMANTICS)}"
        raise InvalidInput([Fault("options.evaluations_semantic", "UNKNOWN_SEMANTIC", detail)])
    return named

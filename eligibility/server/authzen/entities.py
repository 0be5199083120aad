"""Reads members of AuthZEN requests by the standard's rules: null counts as absent, unknown keys are ignored.

The items of a batch are nearly all alike, so actions, resources and contexts are cached by their
bytes. Subjects are people and are never cached.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import UNSET, Struct, UnsetType

from eligibility.access.model import AccountKind
from eligibility.access.wire import AccountFields
from eligibility.errors import Fault, InvalidInput
from eligibility.formats import strict_json
from eligibility.formats.lru_cache import LruCache
from eligibility.formats.strict_struct import StrictReader, shown
from eligibility.server.authzen.requests import NULL, RawMember, Subject, is_present
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
    """What a search looks for: an entity without an id, or with one that does not count."""

    type: str
    properties: RawMember = UNSET


class SubjectProperties(Struct, gc=False):
    """What we read of a subject's properties."""

    kind: AccountKind | None | UnsetType = UNSET
    aliases: list[str] | None | UnsetType = UNSET
    token: str | None | UnsetType = UNSET


class BatchOptions(Struct, gc=False):
    """What we read of a batch's options."""

    evaluations_semantic: str | None | UnsetType = UNSET


class SubjectAccount(NamedTuple):
    """A subject as an account; None = nobody is signed in.

    claimed: the subject's id, where a token names the account. denial: the verdict on a subject that is
    neither an account nor anonymous.
    """

    account: AccountFields | None
    claimed: str | None = None
    denial: StandardVerdict | None = None


# --- how a member is read -----------------------------------------------------------------------


class MemberReader(Generic[_T]):
    """Reads one member of a request. remembers: keeps what was read, by its bytes."""

    def __init__(self, name: str, read: Callable[[bytes], _T], remembers: bool = True) -> None:
        self._name, self._read, self._remembers = name, read, remembers
        self._cache: LruCache[bytes, _T] = LruCache(_MOST_REMEMBERED)
        self.known = self._cache.get
        """The value that the same bytes had before, or None."""

    def __call__(self, member: RawMember) -> _T:
        """Read the member. Raises: InvalidInput naming it; also where it is missing."""
        body = b"" if member is UNSET else bytes(member)
        known = self.known(body)
        if known is not None:
            return known
        if not body or body == NULL:
            raise InvalidInput([Fault(self._name, "MISSING_FIELD", "required")])
        value: _T = within(self._name, self._read, body)
        if self._remembers and len(body) <= _LONGEST_REMEMBERED:
            self._cache.put(body, value)
        return value


def within(name: str, read: Callable[[_T], Any], value: _T) -> Any:
    """Read a value; its faults are named within the member that has it."""
    try:
        return read(value)
    except InvalidInput as error:
        faults = [Fault(f"{name}.{f.loc}".rstrip("."), f.code, f.detail) for f in error.faults]
        raise InvalidInput(faults) from None


def _check_properties(entity: Any) -> None:
    if is_present(entity.properties):
        within("properties", _object, bytes(entity.properties))


def _object(body: bytes) -> Mapping[str, Any]:
    value = strict_json.loads(body)
    if not isinstance(value, dict):
        raise InvalidInput([Fault("", "WRONG_TYPE", "must be an object")])
    return value


_E = TypeVar("_E", bound=Struct)


def _entity_reader(entity: type[_E]) -> Callable[[bytes], _E]:
    """Make a reader of an entity with free properties."""
    reader = StrictReader(entity)

    def read(body: bytes) -> _E:
        value = reader.read(body)
        _check_properties(value)
        return value

    return read


# --- the members --------------------------------------------------------------------------------

_read_properties = StrictReader(SubjectProperties).read
_read_options = StrictReader(BatchOptions).read


def _account_of(subject: Subject) -> SubjectAccount:
    """Return a subject as an account, or the denial of one that cannot be ours."""
    _check_properties(subject)
    properties = SubjectProperties()
    if subject.type == ACCOUNT and is_present(subject.properties):
        properties = within("properties", _read_properties, bytes(subject.properties))  # type: ignore[arg-type]
    if subject.type == ANONYMOUS:
        return SubjectAccount(None)
    if subject.type != ACCOUNT:
        return SubjectAccount(None, None, UNKNOWN_SUBJECT)
    if properties.token:
        return SubjectAccount(AccountFields(token=properties.token), subject.id)
    kind, aliases = properties.kind or UNSET, properties.aliases or UNSET
    return SubjectAccount(AccountFields(subject.id, kind, aliases))


_subject_reader = StrictReader(Subject)
_subject_of = MemberReader(
    "subject", lambda body: _account_of(_subject_reader.read(body)), remembers=False
)
resource_of = MemberReader("resource", _entity_reader(ResourceEntity))
action_of = MemberReader("action", _entity_reader(ActionEntity))
subject_kind_of = MemberReader("subject", _entity_reader(SearchTarget))
resource_kind_of = MemberReader("resource", _entity_reader(SearchTarget))
_context_of = MemberReader("context", lambda body: read_context(_object(body), ""))
known_context = _context_of.known
_NO_CONTEXT = read_context({})


def subject_of(subject: Subject | RawMember) -> SubjectAccount:
    """Read a subject. Raises: InvalidInput."""
    if not isinstance(subject, Subject):
        return _subject_of(subject)
    account: SubjectAccount = within("subject", _account_of, subject)
    return account


def context_of(member: RawMember) -> QuestionContext:
    """Read a context; without one nothing is known of the device. Raises: InvalidInput."""
    return _context_of(member) if is_present(member) else _NO_CONTEXT


def semantic_of(options: RawMember) -> str:
    """Return the semantic that the options of a batch name; other options are ignored.

    Raises: InvalidInput for one that does not exist.
    """
    if not is_present(options):
        return EXECUTE_ALL
    read: BatchOptions = within("options", _read_options, bytes(options))  # type: ignore[arg-type]
    semantic = read.evaluations_semantic
    if semantic is None or semantic is UNSET:
        return EXECUTE_ALL
    if semantic not in SEMANTICS:
        detail = f"`{shown(semantic)}` is none of {', '.join(SEMANTICS)}"
        raise InvalidInput([Fault("options.evaluations_semantic", "UNKNOWN_SEMANTIC", detail)])
    return semantic

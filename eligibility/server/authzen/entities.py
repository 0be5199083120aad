"""Read the members of AuthZEN requests. As the standard says, null = absent; unknown keys are ignored.

Most items of a batch have the same action, resource or context, so these are cached by their bytes.
Subjects are never cached, because they are people.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import UNSET, Struct, UnsetType

from eligibility.access.codes import AccountKind
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
"""The types of subjects that we accept."""
EXECUTE_ALL = "execute_all"
SEMANTICS: Mapping[str, bool | None] = {
    EXECUTE_ALL: None,
    "deny_on_first_deny": False,
    "permit_on_first_permit": True,
}
"""For each evaluation semantic of a batch: the decision after which it stops, or None."""
_T = TypeVar("_T")


class ResourceEntity(Struct, gc=False):
    """A resource (section 5.2 of the standard)."""

    type: str
    id: str
    properties: RawMember = UNSET


class ActionEntity(Struct, gc=False):
    """An action (section 5.3 of the standard)."""

    name: str
    properties: RawMember = UNSET


class SearchTarget(Struct, gc=False):
    """The kind of entity that a search looks for; an id is ignored."""

    type: str
    properties: RawMember = UNSET


class SubjectProperties(Struct, gc=False):
    """The properties of a subject that we use."""

    kind: AccountKind | None | UnsetType = UNSET
    aliases: list[str] | None | UnsetType = UNSET
    token: str | None | UnsetType = UNSET


class BatchOptions(Struct, gc=False):
    """The options of a batch that we use."""

    evaluations_semantic: str | None | UnsetType = UNSET


class SubjectAccount(NamedTuple):
    """A subject, read as an account. account: None if nobody is signed in.

    claimed: the subject's id, if a token names the account. denial: the verdict on a subject that is
    neither an account nor anonymous.
    """

    account: AccountFields | None
    claimed: str | None = None
    denial: StandardVerdict | None = None


class MemberReader(Generic[_T]):
    """Reads one member of a request. remembers: cache the results by the member's bytes."""

    def __init__(self, name: str, read: Callable[[bytes], _T], remembers: bool = True) -> None:
        self._name, self._read, self._remembers = name, read, remembers
        self._cache: LruCache[bytes, _T] = LruCache(_MOST_REMEMBERED)
        self.known = self._cache.get
        """Return the cached value for these bytes, or None."""

    def __call__(self, member: RawMember) -> _T:
        """Read the member. Raises: InvalidInput with the member's name, also if it is missing."""
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
    """Read a value; prefix the locations of its faults with the member's name."""
    try:
        return read(value)
    except InvalidInput as error:
        faults = [Fault(f"{name}.{f.loc}".rstrip("."), f.code, f.detail) for f in error.faults]
        raise InvalidInput(faults) from None


def _check_properties(entity: Any) -> None:
    if is_present(entity.properties):
        within("properties", _object, bytes(entity.properties))


def _object(body: bytes) -> Mapping[str, Any]:
    value = strict_json.loads(body, large_numbers=True)
    if not isinstance(value, dict):
        raise InvalidInput([Fault("", "WRONG_TYPE", "must be an object")])
    return value


_E = TypeVar("_E", bound=Struct)


def _entity_reader(entity: type[_E]) -> Callable[[bytes], _E]:
    """Build a reader for an entity that may have any properties."""
    reader = StrictReader(entity)

    def read(body: bytes) -> _E:
        value = reader.read(body)
        _check_properties(value)
        return value

    return read


_read_properties = StrictReader(SubjectProperties).read
_read_options = StrictReader(BatchOptions).read


def _account_of(subject: Subject) -> SubjectAccount:
    """Return a subject as an account, or with a denial if it cannot be one of our accounts."""
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
    """Read a subject from a batch's item or from raw JSON. Raises: InvalidInput."""
    if not isinstance(subject, Subject):
        return _subject_of(subject)
    account: SubjectAccount = within("subject", _account_of, subject)
    return account


def context_of(member: RawMember) -> QuestionContext:
    """Read a context; if it is missing, the device is unknown. Raises: InvalidInput."""
    return _context_of(member) if is_present(member) else _NO_CONTEXT


def semantic_of(options: RawMember) -> str:
    """Return the semantic in a batch's options. Raises: InvalidInput for an unknown semantic."""
    if not is_present(options):
        return EXECUTE_ALL
    read: BatchOptions = within("options", _read_options, bytes(options))  # type: ignore[arg-type]
    semantic = read.evaluations_semantic
    if semantic is None or semantic is UNSET:
        return EXECUTE_ALL
    if semantic not in SEMANTICS:
        detail = f"must be one of {', '.join(SEMANTICS)}, not `{shown(semantic)}`"
        raise InvalidInput([Fault("options.evaluations_semantic", "UNKNOWN_SEMANTIC", detail)])
    return semantic

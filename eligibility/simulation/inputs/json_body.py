"""A simulation as it is asked over HTTP: its JSON body, read into what is simulated.

Nothing here opens a file: what a client writes is never a path.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from eligibility.access import wire
from eligibility.access.asker import Asker
from eligibility.access.model import AccountKind, Device
from eligibility.access.wire import AccountFields, QueryFields
from eligibility.catalog.validation import read_product
from eligibility.errors import Fault, InvalidInput, InvalidSettings
from eligibility.formats import strict_json
from eligibility.formats.addresses import read_fields
from eligibility.formats.strict_struct import shown
from eligibility.formats.suggestions import meant
from eligibility.rules.requirements import requirements_of
from eligibility.simulation.inputs.accounts import Members
from eligibility.simulation.inputs.devices import NamedDevice, preset
from eligibility.simulation.inputs.drafts import Draft, MemberMoves
from eligibility.simulation.inputs.population import Population
from eligibility.windows.releases import facts
from groups import emails

_ANY_DEVICE = Raw(b'{"family":"Windows.Desktop","os_version":"10.0.10240.0"}')
_T = TypeVar("_T")


class AccountTerms(Struct, forbid_unknown_fields=True, kw_only=True):
    """What an account says of itself, as in an access query."""

    installed_version: str | None | UnsetType = UNSET
    owned: bool | UnsetType = UNSET
    market: str | None | UnsetType = UNSET
    promotional_code: bool | UnsetType = UNSET
    manual_check: bool | UnsetType = UNSET


class SimulatedAccount(AccountTerms):
    """An account on terms of its own; id null = nobody is signed in."""

    id: str | None
    kind: AccountKind | UnsetType = UNSET
    aliases: list[str] | UnsetType = UNSET


class SimulatedGroups(Struct, forbid_unknown_fields=True):
    """The members of groups, each once; without `groups`, of all that the product names."""

    groups: list[str] | UnsetType = UNSET


class SimulatedDevice(Struct, forbid_unknown_fields=True):
    """A device, and what to call it."""

    family: str
    os_version: str
    architecture: str | None = None
    name: str | None = None


class GroupDraft(Struct, forbid_unknown_fields=True):
    """Members that come and go, or `emails`, who would be the only ones. Texts as for groups."""

    add: str | list[str] = ""
    remove: str | list[str] = ""
    emails: str | list[str] | UnsetType = UNSET


class DraftFields(Struct, forbid_unknown_fields=True):
    """Changes that are not saved. publisher: of a product that is not stored yet.

    product: the body of its PUT. requirements: all the floors, as requirements.toml has them.
    """

    groups: dict[str, GroupDraft] = {}
    product: dict[str, Any] | None = None
    requirements: dict[str, dict[str, str]] | None = None
    publisher: str | None = None


class SimulationFields(AccountTerms):
    """Accounts x devices of a product. Its own terms are those of every account that says no other.

    accounts: addresses, accounts, or null for nobody; or groups. devices: presets and devices.
    """

    product_id: str
    devices: list[str | SimulatedDevice]
    accounts: list[str | SimulatedAccount | None] | SimulatedGroups = msgspec.field(
        default_factory=SimulatedGroups
    )
    at: str | None = None
    draft: DraftFields | None = None


def read(body: bytes) -> SimulationFields:
    """Read a body's shape. Raises: InvalidJson, InvalidInput."""
    value = strict_json.loads(body)
    try:
        return msgspec.convert(value, SimulationFields)
    except msgspec.ValidationError as error:
        raise InvalidInput([_fault(str(error), value)]) from None


_PART = re.compile(r"\.(\w+)|\[(\d+)\]")
_CODES = {"contains unknown field": "UNKNOWN_FIELD", "missing required": "MISSING_FIELD"}


def _fault(message: str, value: Any) -> Fault:
    """msgspec's sentence, ending ` - at `$.accounts[3].market``, as a fault with the value."""
    what, _, path = message.partition(" - at ")
    parts = [name or int(place) for name, place in _PART.findall(path)]
    for part in parts:
        value = value[part]
    code = next((code for words, code in _CODES.items() if words in what), "WRONG_TYPE")
    detail = what[:1].lower() + what[1:]
    if code == "WRONG_TYPE":
        detail = (
            f"{detail.partition(', got')[0].replace('expected', 'must be')}, not `{shown(value)}`"
        )
    return Fault(".".join(map(str, parts)), code, detail)


def devices_of(asked: Sequence[str | SimulatedDevice]) -> tuple[NamedDevice, ...]:
    """The devices, each once. Raises: InvalidInput naming each that cannot be read."""
    if not asked:
        raise InvalidInput([Fault("devices", "NO_DEVICES", f"names none; {_presets()}")])
    found = [device for part in _each("devices", asked, _devices) for device in part]
    return tuple({one.device: one for one in found}.values())


def _devices(asked: str | SimulatedDevice) -> Sequence[NamedDevice]:
    if isinstance(asked, str):
        if asked in facts().presets:
            return [*preset(asked)]
        detail = f"`{shown(asked)}` is no preset{meant(asked, facts().presets)}; {_presets()}"
        raise InvalidInput([Fault("", "UNKNOWN_PRESET", detail)])
    device = Device.parse(asked.family, asked.os_version, asked.architecture)
    told = (asked.family, asked.os_version, asked.architecture)
    return [NamedDevice(asked.name or "/".join(filter(None, told)), device)]


def _presets() -> str:
    return f"presets are {', '.join(facts().presets)}"


def population_of(
    fields: SimulationFields, members: Members, of_product: Sequence[str]
) -> Population:
    """The accounts: those of a list as they stand there, members of groups each once.

    Args: of_product = ids of the groups that the product names.
    Raises: InvalidInput; groups.errors.UnknownGroup.
    """
    as_told = asker_of(SimulatedAccount(id=None), fields)
    asked = fields.accounts
    if isinstance(asked, SimulatedGroups):
        group_ids = of_product if asked.groups is UNSET else asked.groups
        listed = [address for group_id in group_ids for address in members(group_id)]
        return Population(list(dict.fromkeys(listed)), as_told)
    written = [one for one in asked if isinstance(one, str)]
    plain = emails.canonical_together(written) if len(written) == len(asked) else None
    if plain is not None:
        return Population(plain, as_told)
    return Population.of(_each("accounts", asked, lambda one: asker_of(_account(one), fields)))


def _account(asked: str | SimulatedAccount | None) -> SimulatedAccount:
    return asked if isinstance(asked, SimulatedAccount) else SimulatedAccount(id=asked)


def asker_of(account: SimulatedAccount, terms: AccountTerms) -> Asker:
    """The account on its own terms, else on those of all. Raises: InvalidInput."""
    told = {
        name: getattr(terms if getattr(account, name) is UNSET else account, name)
        for name in AccountTerms.__struct_fields__
    }
    who = None
    if account.id is not None:
        who = AccountFields(account.id, account.kind, account.aliases)
    query = wire.to_query(QueryFields("-", _ANY_DEVICE, who, **told))
    return Asker.of(query)


def draft_of(product_id: str, publisher: str, asked: DraftFields | None) -> Draft:
    """The draft. Raises: InvalidInput (also InvalidProduct) with the place of every fault."""
    if asked is None:
        return Draft(publisher)
    with within("draft.product"):
        products = {} if asked.product is None else {product_id: read_product(asked.product)}
    try:
        floors = asked.requirements and requirements_of(asked.requirements, "draft.requirements")
    except InvalidSettings as error:
        located = [Fault(f"draft.requirements.{f.loc}", f.code, f.detail) for f in error.faults]
        raise InvalidInput(located) from None
    groups = {name: _moves(f"draft.groups.{name}", one) for name, one in asked.groups.items()}
    return Draft(publisher, groups, products, floors or None)


def _moves(loc: str, asked: GroupDraft) -> MemberMoves:
    if asked.emails is not UNSET:
        if asked.add or asked.remove:
            detail = "`emails` are all its members: send no `add` or `remove` beside them"
            raise InvalidInput([Fault(loc, "MEMBERS_TWICE", detail)])
        whole = read_fields(emails.parse, {f"{loc}.emails": asked.emails})
        return MemberMoves(frozenset(*whole.values()), whole=True)
    sent = {f"{loc}.add": asked.add, f"{loc}.remove": asked.remove}
    added, removed = map(frozenset, read_fields(emails.parse, sent).values())
    return MemberMoves(added, removed)


@contextmanager
def within(loc: str, kind: type[InvalidInput] = InvalidInput) -> Iterator[None]:
    """Put a place before those of faults that are raised in an error of a kind."""
    try:
        yield
    except kind as error:
        located = [Fault(f"{loc}.{f.loc}".rstrip("."), f.code, f.detail) for f in error.faults]
        raise type(error)(located) from None


def _each(loc: str, asked: Sequence[Any], read_one: Callable[[Any], _T]) -> list[_T]:
    """Each of a list as read. Raises: InvalidInput with every fault, its place in the list first."""
    found: list[_T] = []
    faults: list[Fault] = []
    for place, one in enumerate(asked):
        try:
            found.append(read_one(one))
        except InvalidInput as error:
            for fault in error.faults:
                inner = fault.loc.removeprefix("account.").removeprefix("device.")
                faults.append(Fault(f"{loc}.{place}.{inner}".rstrip("."), fault.code, fault.detail))
    if faults:
        raise InvalidInput(faults)
    return found

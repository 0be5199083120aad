"""The JSON bodies of simulations, comparisons and timelines. No text in them is used as a path."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType

from eligibility.access.asker import TERMS, Asker
from eligibility.access.codes import AccountKind
from eligibility.access.wire import AccountFields
from eligibility.catalog.errors import InvalidProduct
from eligibility.catalog.validation import read_product
from eligibility.errors import Fault, InvalidInput, InvalidSettings
from eligibility.formats.addresses import read_fields
from eligibility.formats.strict_struct import StrictReader, shown
from eligibility.formats.suggestions import meant
from eligibility.rules.requirements import requirements_of
from eligibility.simulation.inputs.accounts import Members
from eligibility.simulation.inputs.devices import NamedDevice, named_device, preset, preset_names
from eligibility.simulation.inputs.drafts import Draft, MemberMoves
from eligibility.simulation.inputs.population import Population
from eligibility.windows.releases import facts
from groups import emails

_Item = TypeVar("_Item")


class AccountTerms(Struct, forbid_unknown_fields=True, kw_only=True):
    """Claims of an account, as in an access query."""

    installed_version: str | None | UnsetType = UNSET
    owned: bool | UnsetType = UNSET
    market: str | None | UnsetType = UNSET
    promotional_code: bool | UnsetType = UNSET
    manual_check: bool | UnsetType = UNSET


class SimulatedAccount(AccountTerms):
    """An account with its own claims. id: null = nobody is signed in."""

    id: str | None
    kind: AccountKind | UnsetType = UNSET
    aliases: list[str] | UnsetType = UNSET


class SimulatedGroups(Struct, forbid_unknown_fields=True):
    """The members of groups, each once. groups: by default all groups that the product names."""

    groups: list[str] | UnsetType = UNSET


class SimulatedDevice(Struct, forbid_unknown_fields=True):
    """A device, and its name in the response."""

    family: str
    os_version: str
    architecture: str | None = None
    name: str | None = None


class GroupDraft(Struct, forbid_unknown_fields=True):
    """Members to add and to remove, or `emails` to replace all members."""

    add: str | list[str] = ""
    remove: str | list[str] = ""
    emails: str | list[str] | UnsetType = UNSET


class DraftFields(Struct, forbid_unknown_fields=True):
    """Changes to simulate, but not to save. publisher: the owner of a product that is not stored.

    product: a body as for the product's PUT; products: such bodies by id. requirements: all OS
    floors, as in requirements.toml.
    """

    groups: dict[str, GroupDraft] = {}
    product: dict[str, Any] | None = None
    products: dict[str, Any] = {}
    requirements: dict[str, Any] | None = None
    publisher: str | None = None


AccountsField = list[str | SimulatedAccount | None] | SimulatedGroups | None
DevicesField = str | list[str | SimulatedDevice]


class AudienceFields(AccountTerms, kw_only=True):
    """A product, and accounts. The claims here are those of every account without its own.

    accounts: a list of addresses, accounts, or null for nobody signed in; or groups; null = all
    members of the product's groups.
    """

    product_id: str
    accounts: AccountsField = None
    draft: DraftFields | None = None


class SimulationFields(AudienceFields, kw_only=True):
    """A request for what each account gets on each device. at: date and time, null = now."""

    devices: DevicesField
    at: str | None = None


class ComparisonFields(AudienceFields, kw_only=True):
    """A request for changes between two states. A state `draft` includes the draft.

    Without accounts: all members of the product's groups in either state, and nobody signed in.
    """

    after: str
    before: str = "live"
    devices: DevicesField = "all"


class TimelineFields(AccountTerms, kw_only=True):
    """A request for when an account's answers changed or will change.

    account: null = nobody signed in. everything: also list changes with no effect on the answers.
    """

    product_id: str
    account: str | SimulatedAccount | None = None
    devices: DevicesField = "desktop"
    everything: bool = False


SIMULATION = StrictReader(SimulationFields)
COMPARISON = StrictReader(ComparisonFields)
TIMELINE = StrictReader(TimelineFields)


def devices_of(field: DevicesField) -> tuple[NamedDevice, ...]:
    """Read the devices, each once. Raises: InvalidInput with every device that cannot be read."""
    if isinstance(field, str):
        with within("devices"):
            return tuple(_devices(field))
    if not field:
        raise InvalidInput(
            [
                Fault(
                    "devices",
                    "NO_DEVICES",
                    f"is empty: name at least one device; presets are {preset_names()}",
                )
            ]
        )
    listed = [device for part in _read_items("devices", field, _devices) for device in part]
    return tuple({named.device: named for named in listed}.values())


def _devices(item: str | SimulatedDevice) -> Sequence[NamedDevice]:
    if isinstance(item, str):
        if item in facts().presets:
            return [*preset(item)]
        name = shown(item)
        detail = (
            f"`{name}` is not a preset{meant(name, facts().presets)}; presets are {preset_names()}"
        )
        raise InvalidInput([Fault("", "UNKNOWN_PRESET", detail)])
    return [named_device(item.name, item.family, item.os_version, item.architecture)]


def population_of(
    field: AccountsField, terms: AccountTerms, members: Members, of_product: Sequence[str]
) -> Population:
    """Read the accounts. Members of several groups are listed once; a list may repeat an account.

    Args: of_product = ids of the groups that the product names.
    Raises: InvalidInput; groups.errors.UnknownGroup.
    """
    defaults = asker_of(None, terms)
    if field is None or isinstance(field, SimulatedGroups):
        named = UNSET if field is None else field.groups
        group_ids = of_product if named is UNSET else named
        listed = [address for group_id in group_ids for address in members(group_id)]
        return Population(list(dict.fromkeys(listed)), defaults)
    texts = [item for item in field if isinstance(item, str)]
    plain = emails.canonical_together(texts) if len(texts) == len(field) else None
    if plain is not None:
        return Population(plain, defaults)
    return Population.of(_read_items("accounts", field, lambda item: asker_of(item, terms)))


def asker_of(account: str | SimulatedAccount | None, terms: AccountTerms) -> Asker:
    """Read an account with its own claims, or else the common claims. Raises: InvalidInput."""
    own = account if isinstance(account, SimulatedAccount) else SimulatedAccount(id=account)
    fields = {name: getattr(terms if getattr(own, name) is UNSET else own, name) for name in TERMS}
    stated = {name: value for name, value in fields.items() if value is not UNSET}
    who = None if own.id is None else AccountFields(own.id, own.kind, own.aliases)
    return Asker.parse(account=who, **stated)


def draft_of(product_id: str, publisher: str, fields: DraftFields | None) -> Draft:
    """Read the draft. Raises: InvalidInput (also InvalidProduct) with the field of every fault."""
    if fields is None:
        return Draft(publisher)
    products = {}
    for drafted, body in fields.products.items():
        with within(f"draft.products.{shown(drafted)}"):
            products[drafted] = read_product(body)
    if fields.product is not None:
        if product_id in products:
            detail = "is also in `products`: send only one of them"
            raise InvalidInput([Fault("draft.product", "PRODUCT_TWICE", detail)])
        with within("draft.product"):
            products[product_id] = read_product(fields.product)
    try:
        floors = fields.requirements and requirements_of(fields.requirements, "draft.requirements")
    except InvalidSettings as error:
        located = [Fault(f"draft.requirements.{f.loc}", f.code, f.detail) for f in error.faults]
        raise InvalidInput(located) from None
    groups = {name: _moves(f"draft.groups.{shown(name)}", g) for name, g in fields.groups.items()}
    return Draft(publisher, groups, products, floors or None)


def _moves(loc: str, fields: GroupDraft) -> MemberMoves:
    if fields.emails is not UNSET:
        if fields.add or fields.remove:
            detail = "`emails` lists all members: do not send `add` or `remove` with it"
            raise InvalidInput([Fault(loc, "MEMBERS_TWICE", detail)])
        whole = read_fields({f"{loc}.emails": partial(emails.parse, fields.emails)})
        return MemberMoves(frozenset(*whole.values()), whole=True)
    readers = {
        f"{loc}.add": partial(emails.parse, fields.add),
        f"{loc}.remove": partial(emails.parse, fields.remove, strict=False),
    }
    added, removed = read_fields(readers).values()
    return MemberMoves.read(added, removed, loc)


@contextmanager
def within(loc: str, kind: type[InvalidInput] = InvalidInput) -> Iterator[None]:
    """Prefix `loc` to the place of every fault of errors of `kind` raised in this context."""
    try:
        yield
    except kind as error:
        located = [Fault(f"{loc}.{f.loc}".rstrip("."), f.code, f.detail) for f in error.faults]
        raise type(error)(located) from None


@contextmanager
def within_draft(product_id: str, fields: DraftFields | None) -> Iterator[None]:
    """Locate faults found when the draft is applied to a state by their field in the body."""
    in_products = fields is not None and product_id in fields.products
    field = f"products.{shown(product_id)}" if in_products else "product"
    with within("draft"), within(field, InvalidProduct):
        yield


def _read_items(loc: str, items: Sequence[Any], read: Callable[[Any], _Item]) -> list[_Item]:
    """Read each item of a list. Raises: InvalidInput with the place of every fault."""
    results: list[_Item] = []
    faults: list[Fault] = []
    for index, item in enumerate(items):
        try:
            results.append(read(item))
        except InvalidInput as error:
            for fault in error.faults:
                inner = fault.loc.removeprefix("account.").removeprefix("device.")
                inner = "" if isinstance(item, str) and inner == "id" else inner
                faults.append(Fault(f"{loc}.{index}.{inner}".rstrip("."), fault.code, fault.detail))
    if faults:
        raise InvalidInput(faults)
    return results

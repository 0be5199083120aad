"""What changed and what would, over HTTP: POST /v1/access/timeline and POST /v1/simulations/diff.

Both tell of accounts and of groups, so both need `groups:read` beside `access:query`.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictBool, StrictStr

from eligibility.access import wire
from eligibility.access.asker import Asker
from eligibility.access.model import Account, AccountKind, Device
from eligibility.callers.model import Scope
from eligibility.catalog.model import Product
from eligibility.changes.compare import STATES, compare, read_side
from eligibility.changes.responses import (
    ComparisonResponse,
    TimelineResponse,
    difference_told,
    timeline_told,
)
from eligibility.changes.timeline import turns
from eligibility.errors import Fault, InvalidInput, UnknownProduct
from eligibility.formats.addresses import read_fields
from eligibility.formats.suggestions import meant
from eligibility.server.http.authorization import RouteCaller as By
from eligibility.server.http.authorization import needs
from eligibility.server.http.parameters import StrictBody
from eligibility.server.http.strict_route import StrictRoute
from eligibility.service.service import Service
from eligibility.simulation.inputs.devices import NamedDevice, preset
from eligibility.simulation.inputs.drafts import Draft, MemberMoves
from eligibility.simulation.inputs.population import Population
from eligibility.windows.releases import facts
from groups.emails import canonical

_ADA = "ada@contoso.example"
_Queries = Annotated[By, needs(Scope.QUERY)]


class NamedAccount(StrictBody):
    """An account by its address, with further ones that sign in to it."""

    id: StrictStr = Field(examples=[_ADA])
    kind: AccountKind = AccountKind.MICROSOFT
    aliases: list[StrictStr] = Field(default_factory=list, max_length=100)


class DeviceField(StrictBody):
    """A device; the OS version in any form of an access query. name: by default what it is."""

    family: StrictStr = Field(examples=["Windows.Desktop"])
    os_version: StrictStr = Field(examples=["10.0.22631.3007"])
    architecture: StrictStr | None = Field(None, examples=["x64"])
    name: StrictStr | None = Field(None, max_length=100)


DevicesField = Annotated[
    StrictStr | Annotated[list[DeviceField], Field(max_length=1_000)],
    Field(description="The name of a preset, as `desktop`, `xbox` or `all`; or devices."),
]


class TimelineRequest(StrictBody):
    """Whose answers about a product to follow; account null = nobody signed in."""

    product_id: StrictStr = Field(examples=["9NBLGGH4R315"])
    account: NamedAccount | None = None
    devices: DevicesField = "desktop"
    everything: StrictBool = Field(False, description="Also moments that changed no answer.")


class DraftMovesRequest(StrictBody):
    """Who would come to a group, and who would go."""

    add: list[StrictStr] = Field(default_factory=list, max_length=10_000)
    remove: list[StrictStr] = Field(default_factory=list, max_length=10_000)


class DraftRequest(StrictBody):
    """What would be different, by ids of the publisher's groups and products."""

    groups: dict[str, DraftMovesRequest] = Field(default_factory=dict)
    products: dict[str, Product] = Field(default_factory=dict)


class DiffRequest(StrictBody):
    """Which states of a product to compare.

    accounts: addresses; by default everybody in a group of the product, and nobody signed in.
    """

    product_id: StrictStr = Field(examples=["9NBLGGH4R315"])
    before: StrictStr = Field("live", description=f"One of: {STATES}.")
    after: StrictStr = Field(description=f"One of: {STATES}.", examples=["2026-12-01T09:00:00Z"])
    draft: DraftRequest | None = None
    accounts: list[StrictStr] | None = Field(None, min_length=1, max_length=100_000)
    devices: DevicesField = "all"


def router(service: Service) -> APIRouter:
    """The routes over one service."""
    made = APIRouter(prefix="/v1", tags=["simulation"], route_class=StrictRoute)

    @made.post("/access/timeline")
    def timeline(body: TimelineRequest, by: _Queries) -> TimelineResponse:
        """List the moments at which an account's answer changed or will change, each with its cause."""
        _check(service, body.product_id, by)
        account, devices = _account(body.account), _devices(body.devices)
        past = service.past(
            body.product_id,
            account.addresses if account else (),
        )
        requirements = service.evaluator.requirements
        found = turns(past, Asker(account), devices, requirements, everything=body.everything)
        name = account.id if account else None
        return timeline_told(body.product_id, name, devices, found, service.now())

    @made.post("/simulations/diff")
    def diff(body: DiffRequest, by: _Queries) -> ComparisonResponse:
        """Compare two states of a product: who gains, loses or moves, on which devices, and why."""
        _check(service, body.product_id, by)
        publisher = service.states.owner(body.product_id)
        devices, draft = _devices(body.devices), _draft(publisher, body.draft)
        before = read_side(service.states, publisher, body.before, None, draft, "before")
        after = read_side(service.states, publisher, body.after, None, draft, "after")
        population = None if body.accounts is None else _population(body.accounts)
        found = compare(
            service.states, publisher, body.product_id, (before, after), devices, population
        )
        told = (difference_told(found),) if found.changes else ()
        return ComparisonResponse(before=before.label, after=after.label, products=told)

    return made


def _check(service: Service, product_id: str, by: By) -> None:
    """Raises ScopeMissing, UnknownProduct also for products of publishers that the caller has not."""
    by.caller.check(Scope.READ_GROUPS)
    if not by.caller.sees(service.states.owner(product_id)):
        raise UnknownProduct(product_id)


def _account(sent: NamedAccount | None) -> Account | None:
    if sent is None:
        return None
    device = {"family": "Windows.Desktop", "os_version": "10.0.10240.0"}
    return wire.query_of(product_id="-", account=sent.model_dump(), device=device).account


def _devices(sent: str | Sequence[DeviceField]) -> tuple[NamedDevice, ...]:
    """Never a file, as on the command line: it would be the server's."""
    if isinstance(sent, str):
        known = facts().presets
        if sent not in known:
            detail = (
                f"`{sent[:60]}` is no preset{meant(sent[:60], known)}; there are {', '.join(known)}"
            )
            raise InvalidInput([Fault("devices", "UNKNOWN_DEVICES", detail)])
        return tuple(preset(sent))
    found: list[NamedDevice] = []
    faults = [] if sent else [Fault("devices", "NO_DEVICES", "names no device")]
    for number, one in enumerate(sent):
        try:
            device = Device.parse(one.family, one.os_version, one.architecture)
        except InvalidInput as error:
            at = f"devices.{number}"
            faults += [
                Fault(f"{at}.{f.loc.removeprefix('device.')}", f.code, f.detail)
                for f in error.faults
            ]
            continue
        parts = (one.family, one.os_version, one.architecture)
        found.append(NamedDevice(one.name or "/".join(filter(None, parts)), device))
    if faults:
        raise InvalidInput(faults)
    return tuple(found)


def _draft(publisher: str, sent: DraftRequest | None) -> Draft:
    if sent is None:
        return Draft(publisher)
    groups = {}
    for group_id, moves in sent.groups.items():
        loc = f"draft.groups.{group_id[:60]}"
        added, removed = (
            _addresses(moves.add, f"{loc}.add"),
            _addresses(moves.remove, f"{loc}.remove"),
        )
        both = sorted({*added} & {*removed})
        if both:
            detail = f"`{both[0]}` is both to be added and to be removed"
            raise InvalidInput([Fault(loc, "ADDED_AND_REMOVED", detail)])
        groups[group_id] = MemberMoves(frozenset(added), frozenset(removed))
    return Draft(publisher, groups, sent.products)


def _population(sent: Sequence[str]) -> Population:
    return Population(list(dict.fromkeys(_addresses(sent, "accounts"))))


def _addresses(sent: Sequence[str], loc: str) -> list[str]:
    """Canonical. Raises: InvalidInput naming each that is no address, with its place."""
    named = {f"{loc}.{number}": one for number, one in enumerate(sent)}
    return list(read_fields(canonical, named).values())

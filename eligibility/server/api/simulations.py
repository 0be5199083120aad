"""Who gets what, over HTTP: POST /v1/simulations, and the coverage of a product.

Both compute for longer than a query: in a thread, one at a time (turns.py), within limits.py.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from eligibility.access import wire
from eligibility.callers.model import Scope
from eligibility.catalog.errors import InvalidProduct, ProductTaken
from eligibility.errors import UnknownProduct
from eligibility.server.api.products import ProductId
from eligibility.server.http.authorization import QueryCaller, RouteCaller, UnknownPublisher, needs
from eligibility.server.http.limits import ComputationQueue
from eligibility.server.http.parameters import AtParameter, Publisher
from eligibility.server.http.strict_route import JSON, StrictRoute, check_content_type, whole_body
from eligibility.service.service import Service
from eligibility.simulation import responses
from eligibility.simulation.classes import device_classes
from eligibility.simulation.coverage import coverage
from eligibility.simulation.inputs import json_body
from eligibility.simulation.inputs.devices import NamedDevice
from eligibility.simulation.inputs.drafts import Draft
from eligibility.simulation.inputs.json_body import (
    AccountTerms,
    SimulatedAccount,
    SimulatedGroups,
    SimulationFields,
)
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import MOST_DECISIONS, Matrix, check_size, simulate
from eligibility.simulation.state import State

NDJSON = "application/x-ndjson"
STREAMED_CELLS = 5_000
"""A simulation of more cells is streamed, unless the client takes JSON alone."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A simulation, ready to be computed."""

    state: State
    population: Population
    devices: tuple[NamedDevice, ...]

    @property
    def price(self) -> int:
        """Queries that it counts as: accounts x kinds of devices."""
        kinds = device_classes(self.state.snapshot, [one.device for one in self.devices])[1]
        return len(self.population) * len(kinds)

    @property
    def is_long(self) -> bool:
        """Whether its answer is better read line by line."""
        return len(self.population) * len(self.devices) > STREAMED_CELLS

    def matrix(self) -> Matrix:
        """Compute it. Raises: InvalidInput above MOST_DECISIONS."""
        return simulate(self.state, self.population, self.devices, MOST_DECISIONS)


def _terms(
    installed_version: Annotated[
        str | None, Query(description="Installed package version, of every member.")
    ] = None,
    owned: Annotated[bool, Query(description="Every member owns the product.")] = False,
    market: Annotated[str | None, Query(description="Market of every member.")] = None,
    promotional_code: Annotated[
        bool, Query(description="Every member holds a promotional code.")
    ] = False,
    manual_check: Annotated[
        bool, Query(description='Every member pressed "check for updates".')
    ] = False,
) -> AccountTerms:
    return AccountTerms(
        installed_version=installed_version,
        owned=owned,
        market=market,
        promotional_code=promotional_code,
        manual_check=manual_check,
    )


def router(service: Service) -> APIRouter:
    """The routes over one service."""
    made = APIRouter(prefix="/v1", tags=["simulations"], route_class=StrictRoute)
    turns = ComputationQueue()

    @made.post(
        "/simulations",
    )
    async def simulate_accounts(request: Request, by: QueryCaller) -> Response:
        """Tell what accounts get on devices, now, at a moment, or with a draft laid over it.

        One JSON object; or, where it is long or the client asks for it, NDJSON of the same parts.
        """
        check_content_type(request.scope)
        limit = request.app.state.max_upload_bytes
        sent = await whole_body(await request.receive(), request.receive, limit)
        asked = await turns.run(lambda: _read(service, sent, by))
        by.pay(asked.price)
        if _wants_lines(request.headers.get("accept", ""), asked):
            matrix = await turns.run(asked.matrix)
            return StreamingResponse(responses.streamed(matrix, by.reads_groups), media_type=NDJSON)
        whole = await turns.run(lambda: responses.whole(asked.matrix(), by.reads_groups))
        return Response(whole, media_type=JSON)

    @made.get(
        "/publishers/{publisher}/products/{product_id}/coverage",
        dependencies=[needs(Scope.READ_GROUPS)],
    )
    async def show_coverage(
        publisher: Publisher,
        product_id: ProductId,
        terms: Annotated[AccountTerms, Depends(_terms)],
        devices: Annotated[
            str, Query(description="A preset of devices, or several with commas between them.")
        ] = "flights",
        at: AtParameter = None,
    ) -> Response:
        """Count how many members of its groups reach which flight on which devices, and why others do not."""
        found = await turns.run(
            lambda: _coverage(service, publisher, product_id, devices, at, terms)
        )
        return Response(found, media_type=JSON)

    return made


def _coverage(
    service: Service,
    publisher: str,
    product_id: str,
    devices: str,
    at: datetime | None,
    terms: AccountTerms,
) -> bytes:
    named = json_body.devices_of([one.strip() for one in devices.split(",") if one.strip()])
    as_told = json_body.asker_of(SimulatedAccount(id=None), terms)
    if service.states.owner(product_id) != publisher:
        raise UnknownProduct(product_id)
    state = service.states.read(product_id, at)
    return msgspec.json.encode(coverage(state, named, as_told, MOST_DECISIONS))


def _read(service: Service, sent: bytes, by: RouteCaller) -> _Asked:
    """Read what is simulated, from the body and the store. Raises: what a caller did wrong."""
    fields = json_body.read(sent)
    _check_scopes(fields, by)
    devices = json_body.devices_of(fields.devices)
    moment = None if fields.at is None else wire.moment_of(fields.at)
    publisher = _owner(service, fields, by)
    draft = json_body.draft_of(fields.product_id, publisher, fields.draft)
    state = _state(service, fields.product_id, moment, draft)
    members = partial(service.states.members, publisher, at=moment, draft=draft)
    population = json_body.population_of(fields, members, sorted(state.product.groups))
    check_size(len(population), len(devices))
    return _Asked(state, population, devices)


def _state(service: Service, product_id: str, moment: datetime | None, draft: Draft) -> State:
    """The state that is asked, with a memory of its own; what is wrong with a draft has its place."""
    with json_body.within("draft"), json_body.within("product", InvalidProduct):
        return service.states.read(product_id, moment, draft)


def _check_scopes(fields: SimulationFields, by: RouteCaller) -> None:
    """Raise ScopeMissing where more is asked than access:query is for, or by an account for itself.

    A draft needs groups:read too: by drafted flights anybody's membership could be found out.
    """
    accounts = fields.accounts
    if isinstance(accounts, SimulatedGroups):
        by.caller.check(Scope.READ_GROUPS)
    elif by.caller.account or any(
        one if isinstance(one, str) else one and one.id for one in accounts
    ):
        by.caller.check(Scope.ASSERT)
    if fields.draft is not None:
        by.caller.check(Scope.SIMULATE)
        by.caller.check(Scope.READ_GROUPS)


def _owner(service: Service, fields: SimulationFields, by: RouteCaller) -> str:
    """Whose product it is, or would be. Those of others are unknown, and their ids taken."""
    draft = fields.draft
    drafted = draft.publisher if draft is not None and draft.product is not None else None
    if drafted is not None and not by.caller.sees(drafted):
        raise UnknownPublisher(drafted)
    try:
        owner = service.states.owner(fields.product_id)
    except UnknownProduct:
        if drafted is None:
            raise
        return drafted
    if drafted not in (None, owner):
        raise ProductTaken(fields.product_id)
    if not by.caller.sees(owner):
        raise UnknownProduct(fields.product_id)
    return owner


def _wants_lines(accept: str, asked: _Asked) -> bool:
    if NDJSON in accept:
        return True
    return asked.is_long and JSON not in accept

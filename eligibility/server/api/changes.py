"""The routes POST /v1/access/timeline and POST /v1/simulations/diff, which show changes of access.

Both need the scope `groups:read` in addition to `access:query`, because they reveal group members.
"""

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET

from eligibility.callers.model import Scope
from eligibility.changes.compare import ComparisonRequest, members_of_either, read_side
from eligibility.changes.responses import (
    ComparisonResponse,
    TimelineResponse,
    difference_response,
    timeline_response,
)
from eligibility.errors import Fault, InvalidInput
from eligibility.server.api.computations import (
    Computation,
    Computations,
    check_draft,
    owner_of,
    read_body,
)
from eligibility.server.http.authorization import QueryCaller, RouteCaller
from eligibility.server.http.strict_route import JSON, StrictRoute
from eligibility.service.service import Service
from eligibility.simulation.inputs import json_body
from eligibility.simulation.inputs.json_body import SimulatedGroups
from eligibility.simulation.inputs.population import without_duplicates
from eligibility.simulation.matrix import MOST_DECISIONS, check_size, too_many_decisions


def router(service: Service, computations: Computations) -> APIRouter:
    """Build the two routes for a service."""
    routes = APIRouter(prefix="/v1", tags=["simulation"], route_class=StrictRoute)

    @routes.post("/access/timeline", response_model=TimelineResponse)
    async def timeline(request: Request, by: QueryCaller) -> Response:
        """List when an account's answer changed or will change, and the cause of each change."""
        by.caller.check(Scope.READ_GROUPS)
        body = await read_body(request)
        return Response(
            await computations.run(by, lambda: _timeline(service, body, by)), media_type=JSON
        )

    @routes.post("/simulations/diff", response_model=ComparisonResponse)
    async def diff(request: Request, by: QueryCaller) -> Response:
        """Compare two states of a product: who gains access, loses it or changes flight, and why."""
        by.caller.check(Scope.READ_GROUPS)
        body = await read_body(request)
        return Response(
            await computations.run(by, lambda: _comparison(service, body, by)), media_type=JSON
        )

    return routes


def _timeline(service: Service, body: bytes, by: RouteCaller) -> Computation[bytes]:
    """Read a timeline request, and prepare it. Raises: InvalidInput if it is too large."""
    fields = json_body.TIMELINE.read(body)
    owner_of(service, fields.product_id, None, by)
    asker = json_body.asker_of(fields.account, fields)
    devices = json_body.devices_of(fields.devices)
    check_size(1, len(devices))
    timeline = service.timeline(fields.product_id, asker, devices)
    if timeline.decisions > MOST_DECISIONS:
        raise too_many_decisions("all moments and devices", timeline.decisions, MOST_DECISIONS)

    def compute() -> bytes:
        view = timeline_response(timeline, service.now(), everything=fields.everything)
        return msgspec.json.encode(view)

    return Computation(timeline.decisions, compute)


def _comparison(service: Service, body: bytes, by: RouteCaller) -> Computation[bytes]:
    """Read a comparison request, and prepare it. Raises: InvalidInput if it is too large."""
    fields = json_body.COMPARISON.read(body)
    check_draft(fields.draft, by)
    product_id, states = fields.product_id, service.states
    publisher = owner_of(service, product_id, fields.draft, by)
    devices = json_body.devices_of(fields.devices)
    draft = json_body.draft_of(product_id, publisher, fields.draft)
    before = read_side(states, publisher, fields.before, None, draft, "before")
    after = read_side(states, publisher, fields.after, None, draft, "after")
    sides = before, after
    population, defaults = None, json_body.asker_of(None, fields)
    if not _is_everybody(fields.accounts):
        members = members_of_either(states, publisher, sides)
        population = without_duplicates(
            json_body.population_of(fields.accounts, fields, members, ())
        )
        if not population.names:
            raise InvalidInput([Fault("accounts", "NO_ACCOUNTS", "names no account")])
    request = ComparisonRequest(states, publisher, sides, devices, population, defaults)
    with json_body.within_draft(product_id, fields.draft):
        read = request.read(product_id)
    check_size(len(read.population), len(devices))

    def compute() -> bytes:
        difference = read.difference(MOST_DECISIONS)
        products = (difference_response(difference),) if difference.changes else ()
        view = ComparisonResponse(before=before.label, after=after.label, products=products)
        return msgspec.json.encode(view)

    return Computation(read.price, compute)


def _is_everybody(accounts: json_body.AccountsField) -> bool:
    """Return whether the field `accounts` means every member of the product's groups."""
    if isinstance(accounts, SimulatedGroups):
        return accounts.groups is UNSET
    return accounts is None

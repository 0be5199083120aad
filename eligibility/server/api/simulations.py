"""The routes POST /v1/simulations and GET for a product's coverage."""

from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from msgspec import UNSET

from eligibility.errors import UnknownProduct
from eligibility.formats.moments import parse_moment
from eligibility.server.api.computations import (
    Computation,
    Computations,
    check_scopes,
    owner_of,
    read_body,
)
from eligibility.server.api.products import ProductId
from eligibility.server.http.authorization import GroupReader, QueryCaller, RouteCaller
from eligibility.server.http.parameters import AtParameter, Publisher
from eligibility.server.http.strict_route import JSON, StrictRoute
from eligibility.service.service import Service
from eligibility.simulation import responses
from eligibility.simulation.coverage import coverage, coverage_kinds
from eligibility.simulation.inputs import json_body
from eligibility.simulation.inputs.json_body import AccountTerms
from eligibility.simulation.matrix import MOST_DECISIONS, Matrix, check_size, price_of, simulate

NDJSON = "application/x-ndjson"
STREAMED_CELLS = 5_000
"""Simulations with more cells are streamed as NDJSON, unless the client accepts JSON."""


def _terms(
    installed_version: Annotated[
        str | None, Query(description="Installed package version, of every member.")
    ] = None,
    owned: Annotated[
        bool | None,
        Query(description="Every member owns the product; default: if it is installed."),
    ] = None,
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
        owned=UNSET if owned is None else owned,
        market=market,
        promotional_code=promotional_code,
        manual_check=manual_check,
    )


def router(service: Service, computations: Computations) -> APIRouter:
    """Build the two routes for a service."""
    routes = APIRouter(prefix="/v1", tags=["simulations"], route_class=StrictRoute)

    @routes.post("/simulations")
    async def simulate_accounts(request: Request, by: QueryCaller) -> Response:
        """Show what accounts get on devices, now or at another time, with or without a draft.

        The response is one JSON object, or NDJSON if it is long or the client asks for NDJSON.
        """
        body = await read_body(request)
        accept = request.headers.get("accept", "")
        result = await computations.run(by, lambda: _simulation(service, body, accept, by))
        if isinstance(result, Matrix):
            return StreamingResponse(responses.streamed(result, by.reads_groups), media_type=NDJSON)
        return Response(result, media_type=JSON)

    @routes.get("/publishers/{publisher}/products/{product_id}/coverage")
    async def show_coverage(
        publisher: Publisher,
        product_id: ProductId,
        by: GroupReader,
        terms: Annotated[AccountTerms, Depends(_terms)],
        devices: Annotated[
            str, Query(description="A preset of devices, or several with commas between them.")
        ] = "flights",
        at: AtParameter = None,
    ) -> Response:
        """Count the group members that get each flight of a product on each device, or nothing."""

        def prepare() -> Computation[bytes]:
            named = json_body.devices_of([*filter(None, map(str.strip, devices.split(",")))])
            defaults = json_body.asker_of(None, terms)
            if service.states.owner(product_id) != publisher:
                raise UnknownProduct(product_id)
            check_size(1, len(named))
            state = service.states.read(product_id, at)
            members, kinds = coverage_kinds(state, named)
            return Computation(
                members * kinds,
                lambda: msgspec.json.encode(coverage(state, named, defaults, MOST_DECISIONS)),
            )

        return Response(await computations.run(by, prepare), media_type=JSON)

    return routes


def _simulation(
    service: Service, body: bytes, accept: str, by: RouteCaller
) -> Computation[Matrix | bytes]:
    """Read a request, and prepare JSON or a matrix to stream. Raises: InvalidInput if too large."""
    fields = json_body.SIMULATION.read(body)
    check_scopes(fields, by)
    devices = json_body.devices_of(fields.devices)
    moment = None if fields.at is None else parse_moment(fields.at)
    product_id = fields.product_id
    publisher = owner_of(service, product_id, fields.draft, by)
    draft = json_body.draft_of(product_id, publisher, fields.draft)
    with json_body.within_draft(product_id, fields.draft):
        state = service.states.read(product_id, moment, draft)
    members = partial(service.states.members, publisher, at=moment, draft=draft)
    of_product = sorted(state.product.groups)
    population = json_body.population_of(fields.accounts, fields, members, of_product)
    cells = len(population) * len(devices)
    check_size(len(population), len(devices))

    def compute() -> Matrix | bytes:
        matrix = simulate(state, population, devices, MOST_DECISIONS)
        if NDJSON in accept or (cells > STREAMED_CELLS and JSON not in accept):
            return matrix
        return responses.whole(matrix, by.reads_groups)

    return Computation(price_of(state, population, devices), compute)

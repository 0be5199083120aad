"""Build the ASGI application: a gate in front, which answers access queries, and FastAPI behind it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from eligibility import __version__
from eligibility.dashboard import pages as dashboard
from eligibility.dashboard.signin.cookies import CookieCipher
from eligibility.dashboard.signin.sessions import Sessions, Visitors
from eligibility.dashboard.site import Site
from eligibility.server.api import (
    changes,
    group_history,
    group_members,
    groups,
    keys,
    products,
    simulations,
)
from eligibility.server.api.access import AccessEndpoints
from eligibility.server.api.access_search import ACCESS_SEARCH, AccessSearchEndpoint
from eligibility.server.api.computations import Computations
from eligibility.server.authzen import endpoints as authzen
from eligibility.server.authzen import metadata
from eligibility.server.document import docs_page, openapi
from eligibility.server.http import problems
from eligibility.server.http.accounts import AccountResolver
from eligibility.server.http.authentication import Authenticator
from eligibility.server.http.client_address import ClientAddresses
from eligibility.server.http.endpoint import ANY_PART, Endpoint, EndpointPaths
from eligibility.server.http.gate import Gate, Observers
from eligibility.server.http.limits import ProcessLoad
from eligibility.server.http.logs import RequestLog
from eligibility.server.http.tallies import RouteCounters
from eligibility.server.http.traces import Traces, traces_of
from eligibility.server.metrics import route as metrics_route
from eligibility.server.metrics.sharing import Sharing
from eligibility.server.metrics.snapshot import Metrics
from eligibility.server.ofrep import endpoints as ofrep
from eligibility.server.ofrep.flags import Flags
from eligibility.service.service import Service

PUBLIC_PATHS = docs_page.PATHS | {"/healthz", "/readyz", "/openapi.json", "/favicon.ico"}
"""Paths that need no credentials: health checks and documentation."""

DESCRIPTION = "May this account, on this device, have this package or see this submission, and why?"


class Routes(FastAPI):
    """The FastAPI application. Its OpenAPI document also describes the routes that the gate answers."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, which includes the access routes."""
        return openapi.document(self)


def create_app(service: Service, shared: Path | None = None) -> Gate:
    """Build the ASGI application, which closes the service. shared: where workers share metrics."""
    settings = service.settings
    accounts = AccountResolver(service.tokens)
    flags = Flags(
        service.evaluator,
        accounts,
        service.listing,
        service.recorder,
        settings.ofrep_bulk_products,
    )
    endpoints: dict[str, Endpoint[Any]] = {
        **AccessEndpoints(service.evaluator, accounts, service.recorder).endpoints,
        ACCESS_SEARCH: AccessSearchEndpoint(service.evaluator, accounts, service.listing),
        **authzen.endpoints(service, accounts),
        **ofrep.endpoints(flags),
    }
    families = ofrep.families(flags)
    paths = EndpointPaths(endpoints, {**families, **authzen.families()})
    counters = RouteCounters(routes_of(endpoints, families))
    load = ProcessLoad(settings.max_requests_under_way, settings.max_upload_bytes_under_way)
    traces = traces_of(settings)
    public = {metrics_route.PATH} if settings.metrics_public else set()
    authenticator = Authenticator(
        service.key_ring,
        service.tokens,
        rate_limit=settings.rate_limit,
        account_rate_limit=settings.account_rate_limit,
        clock=service.evaluator.clock,
    )
    others = routes(service, Sharing(Metrics(service, counters, load), shared), traces)
    keeper = CookieCipher(
        service.groups.digest_key,
        others.state.by_tls,
        settings.provider_binding(),
        service.evaluator.clock,
    )
    sessions = Sessions(keeper, people=settings.dashboard_provider is not None)
    site = Site(others, service, sessions, Visitors(sessions, authenticator))
    dashboard.install(site, authenticator, keeper)
    return Gate(
        paths,
        authenticator,
        load,
        Observers(counters, RequestLog(settings.log_access, paths), traces),
        others,
        settings.max_body_bytes,
        PUBLIC_PATHS | public,
    )


def routes_of(
    endpoints: Mapping[str, Endpoint[Any]], families: Mapping[str, Endpoint[Any]]
) -> dict[str, Endpoint[Any]]:
    """Return the gate's endpoints by route, without the variants with a publisher in front."""
    named = {
        path: endpoint for path, endpoint in endpoints.items() if not path.startswith(ANY_PART)
    }
    named |= {f"{begins}{{key}}": endpoint for begins, endpoint in families.items()}
    return {f"POST {path}": endpoint for path, endpoint in named.items()}


def routes(service: Service, sharing: Sharing, traces: Traces | None = None) -> Routes:
    """Build the FastAPI application with every route that the gate does not answer itself."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.key_ring.start()
        service.recorder.start()
        sharing.start()
        yield
        if traces is not None:
            traces.close()
        sharing.close()  # before the store closes, because the last snapshot reads it
        service.close()

    app = Routes(
        title="Flight and audience eligibility evaluator",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # docs_page.py serves /docs instead
        redoc_url=None,
    )
    settings = service.settings
    app.state.max_body_bytes = settings.max_body_bytes
    app.state.max_upload_bytes = settings.max_upload_bytes
    app.state.header_ranks = service.header_ranks
    origins = ClientAddresses(settings.trusted_proxies)
    app.state.origin_of, app.state.by_tls = origins.of, origins.by_tls
    problems.install(app)
    docs_page.install(app)
    computations = Computations()
    for router in (
        groups.router(service.groups),
        group_members.router(service.groups, service.effects),
        group_history.router(service.groups, service.forget),
        products.router(service.catalog),
        keys.router(service.key_admin, service.now),
        simulations.router(service, computations),
        changes.router(service, computations),
    ):
        # Not include_router: newer FastAPI hides the routes that it adds, and we read what scope each needs.
        app.router.routes.extend(router.routes)
    metadata.install(app, settings)
    metrics_route.install(app, sharing, public=settings.metrics_public)
    _health(app, service)
    return app


def _health(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """Report that the process is alive."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"])
    def readyz() -> dict[str, str]:
        """Report whether the store answers, so that the server can, too; 503 otherwise."""
        service.evaluator.check_ready()
        return {"status": "ready"}

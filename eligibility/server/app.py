"""The ASGI application: the gate first, access queries behind it, everything else through FastAPI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from eligibility import __version__
from eligibility.dashboard import pages as dashboard
from eligibility.dashboard.sessions import Sessions
from eligibility.dashboard.site import Site
from eligibility.server import (
    catalog,
    comparisons,
    docs_page,
    group_history,
    group_members,
    groups,
    keys,
    openapi,
    problems,
    simulations,
)
from eligibility.server.access import Access
from eligibility.server.accounts import Accounts
from eligibility.server.admission import Admission
from eligibility.server.authzen import endpoints as authzen
from eligibility.server.authzen import metadata
from eligibility.server.gate import Gate
from eligibility.server.load import Load
from eligibility.server.ofrep import endpoints as ofrep
from eligibility.server.ofrep.flags import Flags
from eligibility.server.origin import Origins
from eligibility.server.paths import Paths
from eligibility.server.request_log import RequestLog
from eligibility.server.visitors import Visitors
from eligibility.service import Service

DESCRIPTION = "May this account, on this device, have this package or see this submission, and why?"


class Routes(FastAPI):
    """Every route but the two of Access, which its OpenAPI document describes as well."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, access routes included."""
        return openapi.document(self)


def create_app(service: Service) -> Gate:
    """Build the ASGI application over an open service; closes the service when the server stops."""
    settings = service.settings
    accounts = Accounts(service.tokens)
    flags = Flags(
        service.evaluator,
        accounts,
        service.listing,
        service.recorder,
        settings.ofrep_bulk_products,
    )
    endpoints = {
        **Access(service.evaluator, accounts, service.recorder).endpoints,
        **authzen.endpoints(service, accounts),
        **ofrep.endpoints(flags),
    }
    paths = Paths(endpoints, {**ofrep.families(flags), **authzen.families()})
    admission = Admission(
        service.key_ring,
        service.tokens,
        rate_limit=settings.rate_limit,
        account_rate_limit=settings.account_rate_limit,
    )
    sessions = Sessions(service.groups.digest_key, service.evaluator.clock)
    others = routes(service)
    dashboard.install(Site(others, service, sessions), admission)
    return Gate(
        paths,
        admission,
        Load(settings.max_requests_under_way, settings.max_upload_bytes_under_way),
        RequestLog(settings.log_access, paths),
        others,
        Visitors(sessions, admission),
        settings.max_body_bytes,
    )


def routes(service: Service) -> Routes:
    """Every route but the two of Access."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.key_ring.start()
        service.recorder.start()
        yield
        service.close()

    app = Routes(
        title="Flight and audience eligibility evaluator",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # docs_page.py
        redoc_url=None,
    )
    settings = service.settings
    app.state.max_body_bytes = settings.max_body_bytes
    app.state.max_upload_bytes = settings.max_upload_bytes
    app.state.origin_of = Origins(settings.trusted_proxies).of
    problems.install(app)
    docs_page.install(app)
    for router in (
        groups.router(service.groups),
        group_members.router(service.groups, service.effects),
        group_history.router(service.groups, service.forget, service.audit),
        catalog.router(service.catalog),
        keys.router(service.key_admin, service.now),
        simulations.router(service),
        comparisons.router(service),
    ):
        # Not include_router, which in newer FastAPI hides them from whoever looks for their scopes.
        app.router.routes.extend(router.routes)
    metadata.install(app, settings)
    _health(app, service)
    return app


def _health(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """Whether the process is alive."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"])
    def readyz() -> dict[str, str]:
        """Whether the process can answer from a store that answers; 503 otherwise."""
        service.evaluator.check_ready()
        return {"status": "ready"}

"""The ASGI application: access queries first, everything else through FastAPI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from eligibility import __version__
from eligibility.server import catalog, group_history, group_members, groups, openapi, problems
from eligibility.server.access import Access
from eligibility.service import Service

DESCRIPTION = "May this account, on this device, have this package or see this submission, and why?"


class Routes(FastAPI):
    """Every route but the two of Access, which its OpenAPI document describes as well."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, access routes included."""
        return openapi.document(self)


def create_app(service: Service) -> Access:
    """Build the ASGI application over an open service; closes the service when the server stops."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = Routes(
        title="Flight and audience eligibility evaluator",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
    )
    settings = service.settings
    app.state.max_body_bytes = settings.max_body_bytes
    app.state.max_upload_bytes = settings.max_upload_bytes
    problems.install(app)
    app.include_router(groups.router(service.groups))
    app.include_router(group_members.router(service.groups, service.effects))
    app.include_router(group_history.router(service.groups))
    app.include_router(catalog.router(service.catalog))
    _health(app, service)
    return Access(service.evaluator, settings.max_body_bytes, others=app)


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

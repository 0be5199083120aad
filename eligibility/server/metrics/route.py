"""The route /metrics, for callers with the scope `metrics` or, if so configured, for anybody."""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Response

from eligibility.callers.errors import AllPublishersNeeded
from eligibility.callers.model import Scope
from eligibility.server.http.authorization import RouteCaller, needs
from eligibility.server.http.strict_route import StrictRoute
from eligibility.server.metrics.exposition import exposed
from eligibility.server.metrics.sharing import Sharing

PATH = "/metrics"
AcceptHeader = Annotated[str, Header(include_in_schema=False)]
_TEXT = {"schema": {"type": "string"}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": _TEXT, "application/openmetrics-text": _TEXT}}
}
Scrapes = Annotated[RouteCaller, needs(Scope.METRICS)]


def install(app: FastAPI, sharing: Sharing, *, public: bool) -> None:
    """Add the route to the application. Args: public = no credentials are needed."""

    def exposition(accept: str) -> Response:
        body, media_type = exposed(sharing.all(), accept)
        return Response(body, headers={"content-type": media_type, "cache-control": "no-store"})

    if public:

        @app.get(PATH, tags=["health"], response_class=Response, responses=_RESPONSES)
        def public_metrics(accept: AcceptHeader = "") -> Response:
            """Return the metrics of this server in the format of Prometheus."""
            return exposition(accept)

        return
    router = APIRouter(tags=["health"], route_class=StrictRoute)

    @router.get(PATH, response_class=Response, responses=_RESPONSES)
    def metrics(by: Scrapes, accept: AcceptHeader = "") -> Response:
        """Return the metrics of this server in the format of Prometheus, to callers for all publishers."""
        if by.caller.publishers is not None:  # metrics include all publishers
            raise AllPublishersNeeded(Scope.METRICS)
        return exposition(accept)

    app.router.routes.extend(router.routes)

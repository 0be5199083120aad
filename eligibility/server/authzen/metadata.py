"""GET /.well-known/authzen-configuration: the URLs of the endpoints, for the server or a publisher.

The URLs come from the settings, never from the Host header. The document is the same for unknown and
known publishers, so that nobody can find out which publishers exist.
"""

from typing import Annotated

from fastapi import FastAPI, Path, Response
from pydantic import BaseModel

from eligibility.server.authzen.endpoints import (
    EVALUATION,
    EVALUATIONS,
    SEARCH_ACTION,
    SEARCH_RESOURCE,
    SEARCH_SUBJECT,
)
from eligibility.server.http.problems import RequestProblem
from eligibility.service.settings import Settings

PATH = "/.well-known/authzen-configuration"
_CACHED_SECONDS = 3_600


class Configuration(BaseModel):
    """The document of the standard's section 9, without the optional features that we do not offer."""

    policy_decision_point: str
    access_evaluation_endpoint: str
    access_evaluations_endpoint: str
    search_subject_endpoint: str | None = None
    search_resource_endpoint: str
    search_action_endpoint: str


PublisherPath = Annotated[
    str, Path(description="Id of the publisher.", pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$")
]


def install(app: FastAPI, settings: Settings) -> None:
    """Add the two routes to the application."""

    def configuration(response: Response, base: str) -> Configuration:
        if settings.public_url is None:
            raise RequestProblem(404, "NO_SUCH_PATH", "the setting public_url is not set")
        response.headers["cache-control"] = f"public, max-age={_CACHED_SECONDS}"
        point = settings.public_url + base
        subject = point + SEARCH_SUBJECT if settings.authzen_subject_search else None
        return Configuration(
            policy_decision_point=point,
            access_evaluation_endpoint=point + EVALUATION,
            access_evaluations_endpoint=point + EVALUATIONS,
            search_subject_endpoint=subject,
            search_resource_endpoint=point + SEARCH_RESOURCE,
            search_action_endpoint=point + SEARCH_ACTION,
        )

    @app.get(PATH, tags=["authzen"], response_model_exclude_none=True)
    async def authzen_configuration(response: Response) -> Configuration:
        """List the URLs of AuthZEN's endpoints; 404 if the setting public_url is missing."""
        return configuration(response, "")

    @app.get(f"{PATH}/{{publisher}}", tags=["authzen"], response_model_exclude_none=True)
    async def authzen_configuration_of_publisher(
        response: Response, publisher: PublisherPath
    ) -> Configuration:
        """List the URLs of the endpoints that see only one publisher's products."""
        return configuration(response, f"/{publisher}")

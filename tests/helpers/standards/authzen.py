"""A small world asked over AuthZEN; every answer is held against the standard's schemas."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from eligibility.callers.model import Scope
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import flight, group, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, Headers, asking
from tests.helpers.standards.authzen_schemas import ANSWERS, ERROR, check

ADA, GRACE, STRANGER = "ada@example.com", "grace@example.com", "stranger@example.com"
DESKTOP = {"device_family": "desktop", "os_version": "10.0.22631.0"}
EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SEARCH = "/access/v1/search"

Body = dict[str, Any]


def account(address: str = ADA, **properties: Any) -> Body:
    """A subject."""
    subject: Body = {"type": "account", "id": address}
    return subject | ({"properties": properties} if properties else {})


def resource(name: str) -> Body:
    """A resource, as `flight:APP:canary`."""
    kind, _, resource_id = name.partition(":")
    return {"type": kind, "id": resource_id}


def ask(
    action: str = "install", of: str = "product:APP", subject: Body | None = None, **more: Any
) -> Body:
    """An evaluation, by default one that is permitted: may Ada install APP on her desktop?"""
    return {
        "subject": subject or account(),
        "action": {"name": action},
        "resource": resource(of),
        "context": DESKTOP,
        **more,
    }


class Pdp:
    """The application as a policy decision point, asked by a store backend unless told otherwise."""

    def __init__(self, app: App) -> None:
        self.app, self.service = app, app.service
        self.backend = app.key(Scope.QUERY, Scope.ASSERT)
        self.qa = app.key(Scope.QUERY, Scope.ASSERT, Scope.READ_GROUPS)

    def send(
        self,
        path: str,
        body: Any = None,
        by: Headers | None = None,
        content: bytes | None = None,
        **headers: str,
    ) -> httpx2.Response:
        """Post a body; whatever comes back is of the standard's shape."""
        raw = json.dumps(body).encode() if content is None else content
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"content-type": "application/json", **(by or self.backend), **named}
        answer = self.app.ask("POST", path, sent, content=raw)
        assert answer.headers["content-type"] == "application/json"
        known = "/" + path.partition("/access/v1/")[1].strip("/") + "/" + path.rpartition("v1/")[2]
        check(ANSWERS[known] if answer.status_code == 200 else ERROR, answer.json())
        return answer

    def evaluate(self, body: Any, by: Headers | None = None, path: str = EVALUATION) -> Any:
        """The answer to what can be answered."""
        answer = self.send(path, body, by)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reason(self, body: Body, by: Headers | None = None) -> Any:
        """Decision and first reason."""
        answer = self.evaluate(body, by)
        return answer["decision"], answer["context"]["reason"]

    def batch(self, body: Body, by: Headers | None = None) -> list[Any]:
        """The decisions of a batch."""
        answers = self.evaluate(body, by, EVALUATIONS)["evaluations"]
        return [one["decision"] for one in answers]

    def search(self, what: str, body: Body, by: Headers | None = None) -> list[str]:
        """Ids or names found, page by page until the token is empty."""
        found: list[str] = []
        page = dict(body.get("page") or {})
        for _ in range(100):
            asked = body | ({"page": page} if page else {})
            answer = self.evaluate(asked, by or self.qa, f"{SEARCH}/{what}")
            found += [one.get("id", one.get("name")) for one in answer["results"]]
            if not answer.get("page", {}).get("next_token"):
                return found
            page = {"token": answer["page"]["next_token"]}
        raise AssertionError("the pages do not end")


def stock(service: Service) -> None:
    """Contoso's APP is public and has two flights, SECRET is private; THEIRS is fabrikam's and private.

    Ada is in every group of contoso, Grace in beta.
    """
    group(service, "canary", ADA)
    group(service, "beta", ADA, GRACE)
    group(service, "team", ADA, publisher="fabrikam")
    flights = flight("canary", ["canary"], "3.0.0.0"), flight("beta", ["beta"], "2.0.0.0")
    put(service, "APP", product(*flights))
    put(
        service,
        "SECRET",
        product(
            flight("hidden", ["beta"], "2.0.0.0"), audience="private", audience_groups=["beta"]
        ),
    )
    theirs = product(
        flight("theirs", ["team"], "2.0.0.0"), audience="private", audience_groups=["team"]
    )
    put(service, "THEIRS", theirs, "fabrikam")


@contextmanager
def pdp(store_url: str, clock: Clock, **settings: Any) -> Iterator[Pdp]:
    """The application on an empty store with that world, as of an hour later."""
    made = Settings(store=store_url, **settings)
    with Service(made, clock) as service, asking(service) as app:
        stock(service)
        clock.advance(3_600)
        yield Pdp(app)

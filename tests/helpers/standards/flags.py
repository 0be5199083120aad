"""Products of two publishers, asked about through OFREP; every answer is checked against schemas."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from eligibility.callers.model import Scope
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, Headers, asking
from tests.helpers.standards import ofrep_schemas

ADA, GRACE, STRANGER = "ada@example.com", "grace@example.com", "x@example.com"
BULK = "/ofrep/v1/evaluate/flags"
DEVICE = {"device_family": "desktop", "os_version": "10.0.22631.0"}


def stock(service: Service) -> None:
    """contoso: APP, SECRET (Grace's), ROLLED and STOPPED. fabrikam: THEIRS. Ada is in flight f of each."""
    for publisher in ("contoso", "fabrikam"):
        group(service, "testers", ADA, publisher=publisher)
        group(service, "audience", GRACE, publisher=publisher)
    f = flight("f", ["testers"], "2.0.0.0")
    later = flight("later", ["testers"], "3.0.0.0", publish_at="2100-01-01T00:00:00Z")
    put(service, "APP", product(later, f))
    put(service, "SECRET", product(f, audience="private", audience_groups=["audience"]))
    rollout = {
        "percentage": 50,
        "status": "in_progress",
        "previous_packages": [package("1.0.0.0")],
    }
    put(service, "ROLLED", product(packages=[package("2.0.0.0")], rollout=rollout))
    put(service, "STOPPED", product(discoverability="stop_acquisition"))
    put(service, "THEIRS", product(f), "fabrikam")


class Flags:
    """Asks through OFREP, as a service that may do everything unless told otherwise."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.admin = app.key(Scope.ADMIN)
        self.backend = app.key(Scope.QUERY, Scope.ASSERT, publishers=["contoso"])

    def post(self, path: str, body: Any, headers: Headers | None = None) -> httpx2.Response:
        """Send JSON; the answer is one that the protocol knows."""
        answer = self.app.post(path, body, self.admin if headers is None else headers)
        ofrep_schemas.check(answer)
        return answer

    def one(
        self, key: str, account: str = ADA, headers: Headers | None = None, **context: Any
    ) -> httpx2.Response:
        """Ask for a flag, from a Desktop."""
        body = {"context": {"targetingKey": account, **DEVICE, **context}}
        return self.post(f"{BULK}/{key}", body, headers)

    def told(self, key: str, account: str = ADA, **more: Any) -> Any:
        """The evaluation of a flag."""
        answer = self.one(key, account, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all(
        self, account: str = ADA, headers: Headers | None = None, **context: Any
    ) -> httpx2.Response:
        """Ask for all flags, from a Desktop."""
        return self.post(BULK, {"context": {"targetingKey": account, **DEVICE, **context}}, headers)


@contextmanager
def flag_world(store_url: str, clock: Clock, **settings: Any) -> Iterator[Flags]:
    """The world on an empty store, an hour after it was made."""
    with Service(Settings(store=store_url, **settings), clock) as service:
        stock(service)
        clock.advance(3_600)
        with asking(service) as app:
            yield Flags(app)

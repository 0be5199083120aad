"""The application in this process, asked as callers of every kind ask it; no sockets."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2

from eligibility.app.app import create_app
from eligibility.callers.key_admin import KeyAdmin
from eligibility.service.service import Service
from tests.helpers.servers.process import bearer

Headers = dict[str, str]


class App:
    """A service's application. It is made anew from the service at the first question."""

    def __init__(self, service: Service, runner: asyncio.Runner) -> None:
        self.service = service
        self._runner = runner
        self._client: httpx2.AsyncClient | None = None
        self._keys: dict[object, Headers] = {}

    def key(self, *scopes: str, publishers: Collection[str] | None = None, **more: Any) -> Headers:
        """The header of an API key; the same one for the same wishes."""
        wishes = scopes, publishers and tuple(publishers), tuple(more.items())
        if wishes not in self._keys:
            text = self.key_text(*scopes, publishers=publishers, **more)
            self._keys[wishes] = bearer(text)
        return self._keys[wishes]

    def key_text(self, *scopes: str, publishers: Collection[str] | None = None, **more: Any) -> str:
        """A new API key."""
        made = KeyAdmin(self.service.keys, self.service.audit, self._now).create(
            "tests",
            name=more.pop("name", "tests"),
            scopes=scopes,
            publishers=publishers,
            **more,
        )
        return made.text

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.service.evaluator.clock(), UTC)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **sent: Any
    ) -> httpx2.Response:
        """Send a request and wait for its answer."""
        if self._client is None:
            transport = httpx2.ASGITransport(app=create_app(self.service))
            self._client = httpx2.AsyncClient(transport=transport, base_url="http://test")
        return self._runner.run(self._client.request(method, path, headers=headers, **sent))

    def close(self) -> None:
        """Let go of the application."""
        if self._client is not None:
            self._runner.run(self._client.aclose())

    def post(self, path: str, body: Any, headers: Mapping[str, str]) -> httpx2.Response:
        """Send JSON."""
        return self.ask("POST", path, headers, json=body)


@contextmanager
def asking(service: Service) -> Iterator[App]:
    """The application over an open service."""
    with asyncio.Runner() as runner:
        app = App(service, runner)
        try:
            yield app
        finally:
            app.close()

"""Both clients, called alike, and small answers for them: the same tests for one and the other."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from eligibility.client import AsyncClient, Client, Device, Query

KINDS = (Client, AsyncClient)

QUERY = Query("APP", Device("Desktop", "22631"))
DECISION = {
    "product_id": "APP",
    "granted": True,
    "submission": {
        "granted": True,
        "audience": "public",
        "listing": "searchable",
        "reasons": ["PUBLIC_AUDIENCE"],
    },
    "package": {
        "granted": True,
        "source": None,
        "package": None,
        "action": "install",
        "delivery": "automatic",
        "reasons": ["NON_FLIGHTED_SUBMISSION"],
    },
}
EDITED: dict[str, object] = {
    **dict.fromkeys(("revision", "added", "removed", "unchanged", "unknown"), 1),
    "publisher": "contoso",
    "group_id": "beta",
    "member_count": 1,
}
PROBLEM = {"code": "UNKNOWN_PRODUCT", "detail": "unknown product `APP`", "status": 404}


class Either:
    """A client whose methods give what those of Client give; iterators are read to their end."""

    def __init__(self, client: Client | AsyncClient, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)

        def call(*args: Any, **options: Any) -> Any:
            found = method(*args, **options)
            if isinstance(found, Iterator):
                return list(found)
            if inspect.isawaitable(found) or isinstance(found, AsyncIterator):
                return self._runner.run(_finished(found))
            return found

        return call


async def _finished(found: Any) -> Any:
    if isinstance(found, AsyncIterator):
        return [item async for item in found]
    return await found


@contextmanager
def either(kind: type[Client | AsyncClient], url: str, **options: Any) -> Iterator[Either]:
    """A client of one kind or the other, with its event loop, until the block ends."""
    with asyncio.Runner() as runner:
        client = kind(url, **options)
        try:
            yield Either(client, runner)
        finally:
            if isinstance(client, AsyncClient):
                runner.run(client.aclose())
            else:
                client.close()

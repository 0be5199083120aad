"""AsyncClient: calls the service from an asyncio event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx2

from eligibility.client import calls
from eligibility.client.calls import Batches, Pages
from eligibility.client.exchange import Attempt, AttemptResult, Call, Failure, HttpResponse
from eligibility.client.transport import BaseClient, documented, failure_of, request_of, response_of

T = TypeVar("T")
P = ParamSpec("P")
Result = Coroutine[Any, Any, T]


def _call(make: Callable[P, Call[T]]) -> Callable[Concatenate["AsyncClient", P], Result[T]]:
    """Build a client method that sends one request and returns its result."""

    async def method(client: "AsyncClient", /, *args: P.args, **options: P.kwargs) -> T:
        return await client._run(make(*args, **options))

    return documented(method, make)


def _batches(
    make: Callable[P, Batches[T]],
) -> Callable[Concatenate["AsyncClient", P], Result[list[T]]]:
    """Build a client method that sends several requests and returns all results in one list."""

    async def method(client: "AsyncClient", /, *args: P.args, **options: P.kwargs) -> list[T]:
        return [item for call in make(*args, **options) for item in await client._run(call)]

    return documented(method, make)


def _pages(
    make: Callable[P, Pages[T]],
) -> Callable[Concatenate["AsyncClient", P], AsyncIterator[T]]:
    """Build a client method that iterates over the items of every page of a list."""

    async def method(
        client: "AsyncClient", /, *args: P.args, **options: P.kwargs
    ) -> AsyncIterator[T]:
        page_at = make(*args, **options)
        page = await client._run(page_at(None))
        while True:
            for item in page.items:
                yield item
            if page.next_cursor is None:
                return
            page = await client._run(page_at(page.next_cursor))

    return documented(method, make)


class AsyncClient(BaseClient[str | Callable[[], str | Awaitable[str]]]):
    """Calls the service over HTTP. Create one per event loop: tasks share it and its connections.

    Has the options and methods of Client; `token` may also be a coroutine function.
    """

    _http: httpx2.AsyncClient

    access = _call(calls.access)
    access_many = _batches(calls.access_many)
    groups = _pages(calls.groups)
    group = _call(calls.group)
    members = _pages(calls.members)
    create_group = _call(calls.create_group)
    add_members = _call(calls.add_members)
    remove_members = _call(calls.remove_members)
    replace_members = _call(calls.replace_members)
    product = _call(calls.product)
    put_product = _call(calls.put_product)
    coverage = _call(calls.coverage)
    simulate = _call(calls.simulate)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections to the service."""
        await self._http.aclose()

    def _connect(self, **options: Any) -> None:
        self._http = httpx2.AsyncClient(**options)

    async def _run(self, call: Call[T]) -> T:
        steps = self._rules.steps(call)
        outcome: AttemptResult = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                result: T = done.value
                return result
            if isinstance(step, Attempt):
                outcome = await self._attempt(step)
            else:
                outcome = None
                await asyncio.sleep(step.seconds)

    async def _attempt(self, attempt: Attempt) -> HttpResponse | Failure:
        token = self._credential() if callable(self._credential) else self._credential
        credential = await token if isawaitable(token) else token
        try:
            async with (
                asyncio.timeout(attempt.seconds),
                self._http.stream(**request_of(attempt, credential)) as response,
            ):
                return response_of(response, await response.aread())
        except (httpx2.RequestError, TimeoutError) as error:
            return failure_of(error)

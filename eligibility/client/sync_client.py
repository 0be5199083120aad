"""Client: calls the service from threads and scripts."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx2

from eligibility.client import calls
from eligibility.client.calls import Batches, Pages
from eligibility.client.exchange import Attempt, AttemptResult, Call, Failure, HttpResponse
from eligibility.client.transport import BaseClient, documented, failure_of, request_of, response_of
from groups.model import all_items

T = TypeVar("T")
P = ParamSpec("P")


def _call(make: Callable[P, Call[T]]) -> Callable[Concatenate["Client", P], T]:
    """Build a client method that sends one request and returns its result."""

    def method(client: "Client", /, *args: P.args, **options: P.kwargs) -> T:
        return client._run(make(*args, **options))

    return documented(method, make)


def _batches(make: Callable[P, Batches[T]]) -> Callable[Concatenate["Client", P], list[T]]:
    """Build a client method that sends several requests and returns all results in one list."""

    def method(client: "Client", /, *args: P.args, **options: P.kwargs) -> list[T]:
        return [item for call in make(*args, **options) for item in client._run(call)]

    return documented(method, make)


def _pages(make: Callable[P, Pages[T]]) -> Callable[Concatenate["Client", P], Iterator[T]]:
    """Build a client method that iterates over the items of every page of a list."""

    def method(client: "Client", /, *args: P.args, **options: P.kwargs) -> Iterator[T]:
        page_at = make(*args, **options)
        return all_items(lambda cursor: client._run(page_at(cursor)))

    return documented(method, make)


class Client(BaseClient[str | Callable[[], str]]):
    """Calls the service over HTTP. Create one per process: threads share it and its connections."""

    _http: httpx2.Client

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections to the service."""
        self._http.close()

    def _connect(self, **options: Any) -> None:
        self._http = httpx2.Client(**options)

    def _run(self, call: Call[T]) -> T:
        steps = self._rules.steps(call)
        outcome: AttemptResult = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                result: T = done.value
                return result
            if isinstance(step, Attempt):
                outcome = self._attempt(step)
            else:
                outcome = None
                time.sleep(step.seconds)

    def _attempt(self, attempt: Attempt) -> HttpResponse | Failure:
        credential = self._credential() if callable(self._credential) else self._credential
        ends = time.monotonic() + attempt.seconds
        body = bytearray()
        try:
            with self._http.stream(**request_of(attempt, credential)) as response:
                for part in response.iter_bytes():
                    body += part
                    if time.monotonic() > ends:  # time-outs of httpx2 apply to a part only
                        raise httpx2.ReadTimeout("the response took too long")
                return response_of(response, bytes(body))
        except httpx2.RequestError as error:
            return failure_of(error)

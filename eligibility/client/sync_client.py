"""Client: the service from threads and scripts."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Self, TypeVar

import httpx2

from eligibility.client import calls
from eligibility.client.calls import Emails
from eligibility.client.errors import Problem
from eligibility.client.exchange import Attempt, AttemptResult, Call, Failure, HttpResponse
from eligibility.client.model import Account, Decision, Device, EditResponse, Query, StoredProduct
from eligibility.client.transport import (
    ClientOptions,
    Verify,
    WhenUnreachable,
    answer_of,
    failure_of,
    request_of,
)
from groups.model import Group, each

T = TypeVar("T")


class Client:
    """The evaluator over HTTP. One for a whole process: threads share it and its connections.

    key: an API key. token: a token of an issuer that the service trusts, or what gives one; it is
    asked at every try. timeout: seconds for a call with all its tries. attempt_timeout: seconds for
    one try of what may be sent again. unreachable: what access queries do while no decision can be
    had, raise Unreachable or answer a denial whose `from_service` is False. retries: tries after
    the first. verify: True: by the system's certificates; a path: by those of that PEM file.

    Every method raises Problem, of which errors.py has the kinds. docs/client.md tells all of it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str | None = None,
        token: str | Callable[[], str] | None = None,
        timeout: float = 5.0,
        attempt_timeout: float = 2.0,
        unreachable: WhenUnreachable = "raise",
        retries: int = 2,
        verify: Verify = True,
    ) -> None:
        self._options = ClientOptions(
            base_url=base_url,
            key=key,
            token=token,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            retries=retries,
            unreachable=unreachable,
            verify=verify,
        )
        self._credential = token if key is None else key
        self._exchange = self._options.exchange()
        self._http = httpx2.Client(**self._options.for_httpx())

    def __repr__(self) -> str:
        return f"Client({self._options!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def access(self, query: Query, *, explain: bool = False) -> Decision:
        """Ask one access query; with explain, the decision has its trace."""
        return self._run(calls.access(query, explain))

    def access_many(
        self, queries: Iterable[Query], *, explain: bool = False
    ) -> list[Decision | Problem]:
        """Ask any number of access queries; in order, each decision or why there is none.

        Sent as batches of up to 1,000, one after the other, each with a `timeout` of its own. What
        keeps a batch as a whole from an answer is raised.
        """
        batches = calls.access_many(queries, explain, self._exchange.deny)
        return [answer for batch in batches for answer in self._run(batch)]

    def groups(self, publisher: str) -> Iterator[Group]:
        """Every group of a publisher, by id; a page is fetched when it is reached."""
        return each(lambda cursor: self._run(calls.groups(publisher, cursor)))

    def group(self, publisher: str, group_id: str) -> Group:
        """One group, without its members; its `revision` is what an edit can be based on."""
        return self._run(calls.group(publisher, group_id))

    def members(
        self, publisher: str, group_id: str, *, prefix: str = "", at: datetime | None = None
    ) -> Iterator[str]:
        """A group's addresses, sorted, now or as of a moment; a page is fetched when it is reached."""
        return each(
            lambda cursor: self._run(calls.members(publisher, group_id, prefix, at, cursor))
        )

    def create_group(
        self, publisher: str, name: str, emails: Emails, *, group_id: str | None = None
    ) -> EditResponse:
        """Make a group; its id is made from the name unless given, and both are for good."""
        return self._run(calls.create_group(publisher, name, emails, group_id))

    def add_members(
        self,
        publisher: str,
        group_id: str,
        emails: Emails,
        *,
        if_revision: int | None = None,
        dry_run: bool = False,
    ) -> EditResponse:
        """Add addresses to a group, all or none; those who are members already are counted.

        if_revision: only if the group is still at it; otherwise Problem, status 412. dry_run: tell
        what would change, and its effects on access, and change nothing.
        """
        edit = {"add": emails}
        return self._run(calls.edit_members(publisher, group_id, edit, if_revision, dry_run))

    def remove_members(
        self,
        publisher: str,
        group_id: str,
        emails: Emails,
        *,
        if_revision: int | None = None,
        dry_run: bool = False,
    ) -> EditResponse:
        """Remove addresses from a group, all or none; strangers are counted. See add_members."""
        edit = {"remove": emails}
        return self._run(calls.edit_members(publisher, group_id, edit, if_revision, dry_run))

    def replace_members(
        self,
        publisher: str,
        group_id: str,
        emails: Emails,
        *,
        if_revision: int | None = None,
        dry_run: bool = False,
    ) -> EditResponse:
        """Make these addresses the members of a group, and nobody else. See add_members."""
        return self._run(calls.replace_members(publisher, group_id, emails, if_revision, dry_run))

    def product(self, publisher: str, product_id: str) -> StoredProduct:
        """A product as it was declared; its `revision` is what a write can be based on."""
        return self._run(calls.product(publisher, product_id))

    def put_product(
        self,
        publisher: str,
        product_id: str,
        product: Mapping[str, Any],
        *,
        if_revision: int | None = None,
    ) -> int:
        """Declare a product, whole; the publisher's catalogue revision after it.

        if_revision: only if the product is still at it; otherwise Problem, status 412.
        """
        return self._run(calls.put_product(publisher, product_id, product, if_revision))

    def coverage(
        self,
        publisher: str,
        product_id: str,
        *,
        devices: str = "flights",
        at: datetime | None = None,
    ) -> dict[str, Any]:
        """Count how many members of a product's groups reach which flight on a preset of devices."""
        return self._run(calls.coverage(publisher, product_id, devices, at))

    def simulate(
        self,
        product_id: str,
        devices: Iterable[Device | str],
        *,
        accounts: Iterable[Account | str | None] | None = None,
        groups: Iterable[str] | None = None,
        at: datetime | None = None,
        draft: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Ask what accounts get on devices and presets of them, as the HTTP API tells it.

        accounts: addresses, accounts, or None for nobody; or groups: the members of these; without
        both, everybody in a group of the product. draft: changes that are not saved.
        """
        return self._run(calls.simulate(product_id, devices, accounts, groups, at, draft))

    def _run(self, call: Call[T]) -> T:
        steps = self._exchange.steps(call)
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
                    if time.monotonic() > ends:  # httpx2's own time-outs are for each part
                        raise httpx2.ReadTimeout("the answer took too long")
                return answer_of(response, bytes(body))
        except httpx2.RequestError as error:
            return failure_of(error)

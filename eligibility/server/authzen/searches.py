"""POST /access/v1/search/...: every subject, resource or action of which an evaluation would say yes.

Each result is decided as an evaluation is. Searches read the store, so they are answered in threads.
"""

import heapq
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple

from msgspec import UNSET

from eligibility.access import wire
from eligibility.access.model import Decision
from eligibility.access.wire import AccountFields
from eligibility.catalog.store import CatalogEntry, CatalogStore
from eligibility.server.authzen import entities, requests
from eligibility.server.authzen.decider import Decider, Publishers, ReadEvaluation, Ready
from eligibility.server.authzen.entities import SubjectAccount
from eligibility.server.authzen.paging import Pages, ResultKey, SearchResult
from eligibility.server.authzen.requests import RawMember
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import DeferredAnswer
from eligibility.standards import questions
from eligibility.standards.questions import (
    ACTIONS,
    Question,
    QuestionContext,
    StandardVerdict,
    query_fields,
    question_of,
)
from groups.errors import UnknownGroup
from groups.store import MembershipReader

_MANY = 1_000
"""Products, and members of a group, that are read at a time."""

SearchResults = Callable[[ResultKey | None], Iterator[SearchResult]]
"""Gives the results after a key, in the order of their keys."""


class SearchContext(NamedTuple):
    """Who searches, and where."""

    by: AuthenticatedCaller
    publishers: Publishers
    context: QuestionContext


class SearchEndpoints:
    """The three searches."""

    def __init__(self, decider: Decider, catalog: CatalogStore, groups: MembershipReader) -> None:
        self._decider, self._catalog, self._groups = decider, catalog, groups
        self._pages = Pages(groups.digest_key)

    def actions(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> DeferredAnswer:
        """What the subject may do with the resource."""
        asked = requests.read_search(body)
        who, resource = entities.subject_of(asked.subject), entities.resource_of(asked.resource)
        asking = SearchContext(by, publishers, entities.context_of(asked.context))

        def results(after: ResultKey | None) -> Iterator[SearchResult]:
            account = self._account(who, asking)
            for action in ACTIONS.get(resource.type, ()):
                question = question_of(resource.type, resource.id, action)
                if (after is None or after[0] < action) and not isinstance(
                    account, StandardVerdict
                ):
                    decision = self._decided(question, account, asking)
                    if _allows(question, decision, asking):
                        yield SearchResult([action], {"name": action})

        query = ["action", _named(who), resource.type, resource.id]
        return self._work(asked.page, query, asking, results)

    def resources(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> DeferredAnswer:
        """On which resources of a type the subject may do it."""
        asked = requests.read_search(body)
        who, action = entities.subject_of(asked.subject), entities.action_of(asked.action).name
        kind = entities.resource_kind_of(asked.resource).type
        asking = SearchContext(by, publishers, entities.context_of(asked.context))

        def results(after: ResultKey | None) -> Iterator[SearchResult]:
            account = self._account(who, asking)
            if action not in ACTIONS.get(kind, ()) or isinstance(account, StandardVerdict):
                return
            for entry in self._products(publishers, after):
                keys = [[entry.publisher, entry.product_id, one] for one in _ids_of(kind, entry)]
                whole = Question("product", "view", entry.product_id)
                decision = self._decided(whole, account, asking, listed=True) if keys else None
                for key in keys:
                    question = question_of(kind, key[2], action)
                    if (after is None or list(after) < key) and _allows(question, decision, asking):
                        yield SearchResult(key, {"type": kind, "id": key[2]})

        query = ["resource", _named(who), action, kind]
        return self._work(asked.page, query, asking, results)

    def subjects(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> DeferredAnswer:
        """Which accounts in the product's groups may do it; or whether somebody not signed in may."""
        asked = requests.read_search(body)
        action, resource = (
            entities.action_of(asked.action).name,
            entities.resource_of(asked.resource),
        )
        kind = entities.subject_kind_of(asked.subject).type
        asking = SearchContext(by, publishers, entities.context_of(asked.context))
        question = question_of(resource.type, resource.id, action)

        def results(after: ResultKey | None) -> Iterator[SearchResult]:
            if isinstance(question, StandardVerdict):
                return
            for subject_id in self._candidates(kind, question, asking, after[0] if after else ""):
                account = AccountFields(subject_id) if kind == "account" else None
                if _allows(question, self._decided(question, account, asking), asking):
                    yield SearchResult([subject_id], {"type": kind, "id": subject_id})

        query: list[object] = ["subject", kind, action, resource.type, resource.id]
        return self._work(asked.page, query, asking, results)

    def _work(
        self, page: RawMember, query: list[object], asking: SearchContext, results: SearchResults
    ) -> DeferredAnswer:
        seen = None if asking.publishers is None else sorted(asking.publishers)

        def answer() -> bytes:
            context = query_fields(_ANY, None, asking.context)
            whole = [*query, context, asking.by.caller.name, seen]
            wanted = self._pages.read(page, whole)
            return self._pages.filled(wanted, results(wanted.after))

        return answer

    def _account(
        self, who: SubjectAccount | StandardVerdict, asking: SearchContext
    ) -> AccountFields | StandardVerdict | None:
        """The subject as an account that may be asked about. Raises: as Accounts.settle."""
        if isinstance(who, StandardVerdict):
            ready: ReadEvaluation = who
        else:
            ready = Ready(_ANY, True, query_fields(_ANY, who.account, asking.context), who.claimed)
        settled = self._decider.settled_in_thread(ready, asking.by)
        if isinstance(settled, StandardVerdict):
            return settled
        return settled.fields.account or None

    def _decided(
        self,
        question: Question | StandardVerdict,
        account: AccountFields | None,
        asking: SearchContext,
        listed: bool = False,
    ) -> Decision | StandardVerdict:
        if isinstance(question, StandardVerdict):
            return question
        fields = query_fields(question, account, asking.context)
        settled = Ready(question, asking.context.device_known, fields, None)
        return self._decider.decide(settled, asking.by, asking.publishers, listed)

    def _products(self, publishers: Publishers, after: ResultKey | None) -> Iterator[CatalogEntry]:
        """Products that the caller sees, in the order of publisher and id, from that of a key on."""
        for publisher in self._catalog.publishers():
            if publishers is not None and publisher not in publishers:
                continue
            cursor: str | None = None
            if after is not None and publisher < after[0]:
                continue
            if after is not None and publisher == after[0]:
                found = self._catalog.get(after[1])
                if found is not None and found[0].publisher == publisher:
                    yield found[0]
                cursor = after[1]
            while True:
                page = self._catalog.list_products(publisher, cursor=cursor, limit=_MANY)
                yield from page.items
                cursor = page.next_cursor
                if cursor is None:
                    break

    def _candidates(
        self, kind: str, question: Question, asking: SearchContext, after: str
    ) -> Iterator[str]:
        """Ids of subjects that could be allowed, after one, each once."""
        if kind == "anonymous" and after < _NOBODY:
            yield _NOBODY
        found = self._catalog.get(question.product_id)
        if kind != "account" or found is None:
            return
        publisher, product = found[0].publisher, found[0].product
        if asking.publishers is None or publisher in asking.publishers:
            groups = [self._members(publisher, one, asking, after) for one in product.groups]
            for address, _ in groupby(heapq.merge(*groups)):
                yield address

    def _members(
        self, publisher: str, group_id: str, asking: SearchContext, after: str
    ) -> Iterator[str]:
        at = asking.context.at
        moment = None if at is UNSET else wire.moment_of(at)
        cursor: str | None = after
        while cursor is not None:
            try:
                page = self._groups.members(
                    publisher, group_id, cursor=cursor or None, at=moment, limit=_MANY
                )
            except UnknownGroup:
                return
            yield from page.items
            cursor = page.next_cursor


_ANY = Question("product", "view", "-")
"""In the place of a question where only account and context matter."""
_NOBODY = "-"
"""The id of the subject `anonymous`."""


def _allows(
    question: Question | StandardVerdict,
    decision: Decision | StandardVerdict | None,
    asking: SearchContext,
) -> bool:
    """Whether the evaluation would say yes."""
    if (
        isinstance(question, StandardVerdict)
        or isinstance(decision, StandardVerdict)
        or decision is None
    ):
        return False
    return questions.verdict(question, decision, asking.context.device_known).allowed


def _ids_of(kind: str, entry: CatalogEntry) -> list[str]:
    """The ids of a product's resources of a type, in order."""
    if kind != "flight":
        return [entry.product_id]
    return sorted(f"{entry.product_id}:{flight.flight_id}" for flight in entry.product.flights)


def _named(who: SubjectAccount | StandardVerdict) -> object:
    """What tells one subject from another; a token may be another one on the next page."""
    return who if isinstance(who, StandardVerdict) else who.claimed or who.account

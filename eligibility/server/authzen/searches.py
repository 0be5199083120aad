"""POST /access/v1/search/...: decide every subject, resource or action that may be allowed."""

import heapq
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import groupby
from typing import NamedTuple

from msgspec import UNSET

from eligibility.access.model import Decision
from eligibility.access.wire import AccountFields
from eligibility.catalog.store import CatalogEntry, CatalogStore
from eligibility.engine.product_list import ProductList
from eligibility.formats.moments import parse_moment
from eligibility.server.authzen import entities, requests
from eligibility.server.authzen.decider import Decider, Evaluation, Publishers
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
from groups.model import Page, all_items
from groups.store import MembershipReader

_MANY = 1_000
"""The number of a group's members that are read at a time."""

SearchResults = Callable[[ResultKey | None], Iterator[SearchResult]]
"""Yields the results after a key, in the order of their keys."""


class SearchContext(NamedTuple):
    """The caller of a search, the publishers that it may see, and the device and other context."""

    by: AuthenticatedCaller
    publishers: Publishers
    context: QuestionContext


class SearchEndpoints:
    """The three searches; see endpoint.Endpoint for their arguments and results."""

    def __init__(
        self,
        decider: Decider,
        catalog: CatalogStore,
        listing: ProductList,
        groups: MembershipReader,
    ) -> None:
        self._decider, self._catalog, self._groups = decider, catalog, groups
        self._listing = listing
        self._pages = Pages(groups.digest_key)

    def actions(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> DeferredAnswer:
        """Find the actions that the subject may perform on the resource."""
        request = requests.read_search(body)
        who, resource = entities.subject_of(request.subject), entities.resource_of(request.resource)
        search = SearchContext(by, publishers, entities.context_of(request.context))

        def results(after: ResultKey | None) -> Iterator[SearchResult]:
            settled = self._settled(who, search)
            if settled.denial is not None:
                return
            for action in ACTIONS.get(resource.type, ()):
                if after is None or after[0] < action:
                    question = question_of(resource.type, resource.id, action)
                    decision = self._decided(question, settled.fields.account or None, search)
                    if _allows(question, decision, search):
                        yield SearchResult([action], {"name": action})

        query = ["action", _name_of(who), resource.type, resource.id]
        return self._answer(request.page, query, search, results)

    def resources(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> DeferredAnswer:
        """Find the resources of a type on which the subject may perform the action."""
        request = requests.read_search(body)
        who, action = entities.subject_of(request.subject), entities.action_of(request.action).name
        kind = entities.resource_kind_of(request.resource).type
        search = SearchContext(by, publishers, entities.context_of(request.context))

        def results(after: ResultKey | None) -> Iterator[SearchResult]:
            settled = self._settled(who, search)
            if action not in ACTIONS.get(kind, ()) or settled.denial is not None:
                return
            account = settled.fields.account or None
            for entry in self._listing.entries(publishers, after):
                keys = [[entry.publisher, entry.product_id, id_] for id_ in _ids_of(kind, entry)]
                whole = Question("product", "view", entry.product_id)
                decision = self._decided(whole, account, search, listed=True) if keys else None
                for key in keys:
                    question = question_of(kind, key[2], action)
                    if (after is None or list(after) < key) and _allows(question, decision, search):
                        yield SearchResult(key, {"type": kind, "id": key[2]})

        query = ["resource", _name_of(who), action, kind]
        return self._answer(request.page, query, search, results)

    def subjects(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> DeferredAnswer:
        """Find the accounts in the product's groups, or `anonymous`, that may perform the action."""
        request = requests.read_search(body)
        action = entities.action_of(request.action).name
        resource = entities.resource_of(request.resource)
        kind = entities.subject_kind_of(request.subject).type
        search = SearchContext(by, publishers, entities.context_of(request.context))
        question = question_of(resource.type, resource.id, action)

        def results(after: ResultKey | None) -> Iterator[SearchResult]:
            if isinstance(question, StandardVerdict):
                return
            for subject_id in self._candidates(kind, question, search, after[0] if after else ""):
                account = AccountFields(subject_id) if kind == "account" else None
                if _allows(question, self._decided(question, account, search), search):
                    yield SearchResult([subject_id], {"type": kind, "id": subject_id})

        query: list[object] = ["subject", kind, action, resource.type, resource.id]
        return self._answer(request.page, query, search, results)

    def _answer(
        self, page: RawMember, query: list[object], search: SearchContext, results: SearchResults
    ) -> DeferredAnswer:
        publishers = None if search.publishers is None else sorted(search.publishers)

        def answer() -> bytes:
            context = query_fields(_ANY, None, search.context)
            whole = [*query, context, search.by.caller.name, publishers]
            search_page = self._pages.read(page, whole)
            return self._pages.filled(search_page, results(search_page.after))

        return answer

    def _settled(self, who: SubjectAccount, search: SearchContext) -> Evaluation:
        """Settle the subject as an account that the caller may ask about. Raises: see AccountResolver.settle."""
        fields = query_fields(_ANY, who.account, search.context)
        evaluation = Evaluation(_ANY, True, fields, who.claimed, who.denial)
        return self._decider.settled_in_thread(evaluation, search.by)

    def _decided(
        self,
        question: Question | StandardVerdict,
        account: AccountFields | None,
        search: SearchContext,
        listed: bool = False,
    ) -> Decision | StandardVerdict:
        if isinstance(question, StandardVerdict):
            return question
        fields = query_fields(question, account, search.context)
        settled = Evaluation(question, search.context.device_known, fields)
        return self._decider.decide(settled, search.by, search.publishers, listed)

    def _candidates(
        self, kind: str, question: Question, search: SearchContext, after: str
    ) -> Iterator[str]:
        """Yield the ids of subjects to check, sorted and without duplicates, beginning after the id `after`."""
        if kind == "anonymous" and after < _NOBODY:
            yield _NOBODY
        result = self._catalog.get(question.product_id)
        if kind != "account" or result is None:
            return
        publisher, product = result[0].publisher, result[0].product
        if search.publishers is None or publisher in search.publishers:
            groups = [
                self._members(publisher, group_id, search, after) for group_id in product.groups
            ]
            for address, _ in groupby(heapq.merge(*groups)):
                yield address

    def _members(
        self, publisher: str, group_id: str, search: SearchContext, after: str
    ) -> Iterator[str]:
        at = search.context.at
        moment = None if at is UNSET else parse_moment(at)

        def page(cursor: str | None) -> Page[str]:
            return self._groups.members(publisher, group_id, cursor=cursor, at=moment, limit=_MANY)

        with suppress(UnknownGroup):
            yield from all_items(page, after or None)


_ANY = Question("product", "view", "-")
"""A placeholder question, used where only the account and the context matter."""
_NOBODY = "-"
"""The id of the subject `anonymous`."""


def _allows(
    question: Question | StandardVerdict,
    decision: Decision | StandardVerdict | None,
    search: SearchContext,
) -> bool:
    """Return whether the evaluation would allow the action."""
    if isinstance(question, StandardVerdict) or not isinstance(decision, Decision):
        return False
    return questions.verdict(question, decision, search.context.device_known).allowed


def _ids_of(kind: str, entry: CatalogEntry) -> list[str]:
    """Return the sorted ids of a product's resources of a type."""
    if kind != "flight":
        return [entry.product_id]
    return sorted(f"{entry.product_id}:{flight.flight_id}" for flight in entry.product.flights)


def _name_of(who: SubjectAccount) -> object:
    """Return a value that identifies a subject on all pages; a token will not do, because it may change."""
    return who.denial or who.claimed or who.account

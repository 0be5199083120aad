"""The endpoints of AuthZEN: paths, request headers, and errors in the standard's form.

An error is a JSON string. A media type other than JSON gets status 400. Each path exists twice: for the
whole server, and as /{publisher}/access/v1/... for only the products of one publisher.
"""

from collections.abc import Mapping
from typing import Any

from eligibility.callers.errors import ScopeMissing, UnknownPublisher
from eligibility.callers.model import Scope as CallerScope
from eligibility.server.authzen.decider import Decider, Publishers
from eligibility.server.authzen.evaluations import EvaluationEndpoints, EvaluationHandler
from eligibility.server.authzen.responses import sentence
from eligibility.server.authzen.searches import SearchEndpoints
from eligibility.server.http import problems
from eligibility.server.http.accounts import AccountResolver
from eligibility.server.http.asgi import AsgiScope
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import (
    ANY_PART,
    JSON,
    Endpoint,
    HttpReply,
    UnknownEndpoint,
    problem_reply,
)
from eligibility.server.http.strict_route import check_content_type
from eligibility.service.service import Service
from groups.model import is_id

EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SEARCH_SUBJECT = "/access/v1/search/subject"
SEARCH_RESOURCE = "/access/v1/search/resource"
SEARCH_ACTION = "/access/v1/search/action"
_BASE = "/access/v1/"


def refusal(error: Exception) -> HttpReply:
    """Return the reply for an error in the standard's form: one sentence, as a JSON string."""
    reply = problem_reply(error)
    status = 400 if reply.status == 415 else reply.status
    return HttpReply(status, problems.encoded(sentence(error)), JSON, reply.headers)


class AuthZenEndpoint:
    """One path, with or without a publisher in front. needs: a scope in addition to `access:query`."""

    refusal = staticmethod(refusal)

    def __init__(self, answer: EvaluationHandler, needs: CallerScope | None = None) -> None:
        self.answer, self._needs = answer, needs

    def check(
        self, scope: AsgiScope, headers: Mapping[bytes, bytes], by: AuthenticatedCaller
    ) -> Publishers:
        """See Endpoint. Return the publishers whose products the caller may see at this path."""
        by.check_query(scope["method"])
        if self._needs is not None and not by.caller.may(self._needs):
            raise ScopeMissing(self._needs, by.caller.scopes)
        if headers.get(b"content-type") != JSON:
            check_content_type(scope)
        if scope["path"].startswith(_BASE):
            return by.publishers
        first = scope["path"][1:].partition("/")[0]
        if not first:
            raise problems.no_such_path(scope["path"])
        if not (is_id(first) and by.caller.sees(first)):
            raise UnknownPublisher(first)
        return frozenset({first})


def endpoints(service: Service, accounts: AccountResolver) -> dict[str, Endpoint[Any]]:
    """Build the endpoints, by path."""
    decider = Decider(service.evaluator, accounts)
    evaluations = EvaluationEndpoints(decider, service.recorder)
    searches = SearchEndpoints(decider, service.catalog.store, service.listing, service.groups)
    by_path: dict[str, Endpoint[Any]] = {
        EVALUATION: AuthZenEndpoint(evaluations.evaluate),
        EVALUATIONS: AuthZenEndpoint(evaluations.evaluate_batch),
        SEARCH_RESOURCE: AuthZenEndpoint(searches.resources),
        SEARCH_ACTION: AuthZenEndpoint(searches.actions),
    }
    if service.settings.authzen_subject_search:
        by_path[SEARCH_SUBJECT] = AuthZenEndpoint(searches.subjects, CallerScope.READ_GROUPS)
    return by_path | {ANY_PART + path: endpoint for path, endpoint in by_path.items()}


def families() -> dict[str, Endpoint[Any]]:
    """Build the endpoint that answers 404 for every other path below the two base paths."""
    return dict.fromkeys((_BASE, ANY_PART + _BASE), UnknownEndpoint(refusal))

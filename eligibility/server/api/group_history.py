"""Routes for the history of groups, for consent notes, and to forget a person.

Servers log URLs, so no URL may contain an address: searches by address use POST.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import APIRouter, Response

from eligibility.callers.model import Scope
from eligibility.formats.addresses import read_fields
from eligibility.server.api.group_bodies import ConsentNote, ForgetBody, HistorySearch
from eligibility.server.http.authorization import GroupWriter, needs
from eligibility.server.http.parameters import (
    GroupIdPath,
    IfMatch,
    Limit,
    Publisher,
    RevisionCursor,
    revision_of,
    tag,
)
from eligibility.server.http.strict_route import StrictRoute
from groups.emails import canonical
from groups.model import Consent, ForgetResult, Group, GroupChange, Page
from groups.store import GroupStore

_WITHOUT_IDS = {"items": {"__all__": {"write_id", "chain"}}}


def router(store: GroupStore, forget_person: Callable[..., list[ForgetResult]]) -> APIRouter:
    """Build the routes for a store of groups. Args: forget_person = Service.forget."""
    routes = APIRouter(
        prefix="/v1/publishers/{publisher}", tags=["groups"], route_class=StrictRoute
    )
    _add_history(routes, store)
    _add_consent(routes, store)

    @routes.post("/forget")
    def forget(publisher: Publisher, body: ForgetBody, by: GroupWriter) -> ForgetResult:
        """Remove a person from every group of the publisher and from history."""
        if body.dry_run:
            by.caller.check(Scope.READ_GROUPS)  # a dry run shows who is in groups
        readers = {"address": partial(canonical, body.address, strict=False)}
        if body.replacement is not None:
            readers["replacement"] = partial(canonical, body.replacement)
        addresses = read_fields(readers)
        (result,) = forget_person(publisher, **addresses, actor=by.actor, dry_run=body.dry_run)
        return result

    return routes


def _add_history(routes: APIRouter, store: GroupStore) -> None:
    @routes.get(
        "/groups/{group_id}/history",
        response_model_exclude=_WITHOUT_IDS,
        dependencies=[needs(Scope.READ_GROUPS)],
    )
    def list_history(
        publisher: Publisher,
        group_id: GroupIdPath,
        cursor: RevisionCursor = None,
        limit: Limit = 20,
    ) -> Page[GroupChange]:
        """List the writes to a group, newest first: who wrote, when, and what changed."""
        return store.history(publisher, group_id=group_id, cursor=cursor, limit=limit)

    @routes.post(
        "/groups/{group_id}/history/search",
        response_model_exclude=_WITHOUT_IDS,
        dependencies=[needs(Scope.READ_GROUPS)],
    )
    def search_group_history(
        publisher: Publisher, group_id: GroupIdPath, body: HistorySearch
    ) -> Page[GroupChange]:
        """List the writes to a group that concern an address, newest first."""
        return store.history(publisher, group_id=group_id, **_terms(body))

    @routes.post(
        "/history/search",
        response_model_exclude=_WITHOUT_IDS,
        dependencies=[needs(Scope.READ_GROUPS)],
    )
    def search_history(publisher: Publisher, body: HistorySearch) -> Page[GroupChange]:
        """List the writes to any group that concern an address, newest first."""
        return store.history(publisher, **_terms(body))


def _terms(body: HistorySearch) -> dict[str, Any]:
    """Build GroupStore's arguments for a search. Raises: InvalidInput if the address is not valid."""
    address = read_fields({"address": partial(canonical, body.address, strict=False)})
    return {"cursor": body.cursor, "limit": body.limit, **address}


def _add_consent(routes: APIRouter, store: GroupStore) -> None:
    @routes.put("/groups/{group_id}/consent")
    def note_consent(
        publisher: Publisher,
        group_id: GroupIdPath,
        body: ConsentNote,
        response: Response,
        by: GroupWriter,
        if_match: IfMatch = None,
    ) -> Group:
        """Store a note that the members of a group agreed to be in it; earlier notes stay in history."""
        note = Consent(
            confirmed_by=body.confirmed_by, at=body.at or datetime.now(UTC), text=body.text
        )
        group = store.set_consent(
            publisher, group_id, note, actor=by.actor, if_revision=revision_of(if_match)
        )
        tag(response, group.revision)
        return group

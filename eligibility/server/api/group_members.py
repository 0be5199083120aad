"""Routes for the members of groups, as JSON and as CSV files."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from eligibility.callers.model import Scope
from eligibility.changes.effects import Effects
from eligibility.formats.addresses import read_fields
from eligibility.server.api.group_bodies import (
    EditResponse,
    MembersPatch,
    MembersPut,
    MembersSearch,
)
from eligibility.server.http.authorization import GroupWriter, RouteCaller, needs
from eligibility.server.http.parameters import (
    AtParameter,
    Cursor,
    DryRunParameter,
    GroupIdPath,
    IfMatch,
    Limit,
    Publisher,
    revision_of,
    tag,
)
from eligibility.server.http.sealed_cursors import AddressCursors
from eligibility.server.http.strict_route import CSV, StrictRoute
from groups import csv_file, emails
from groups.model import MAX_MEMBERS, EditResult, MembershipEdit, Page
from groups.store import GroupStore

_TAKES_CSV = {
    "requestBody": {
        "content": {CSV: {"schema": {"type": "string"}, "example": "email\nada@contoso.example\n"}}
    }
}


def router(store: GroupStore, effects: Callable[[EditResult], Effects]) -> APIRouter:
    """Build the routes for a store. Args: effects = computes what an edit would change in access."""
    routes = APIRouter(
        prefix="/v1/publishers/{publisher}/groups", tags=["groups"], route_class=StrictRoute
    )
    _add_reading(routes, store)
    _add_editing(routes, store, effects)
    return routes


def _add_reading(routes: APIRouter, store: GroupStore) -> None:
    cursors = AddressCursors(store.digest_key)

    @routes.get("/{group_id}/members", dependencies=[needs(Scope.READ_GROUPS)])
    def list_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        cursor: Cursor = None,
        at: AtParameter = None,
        limit: Limit = 1_000,
    ) -> Page[str]:
        """List a group's members by address, now or at a moment in time."""
        search = MembersSearch.model_construct(cursor=cursor, at=at, limit=limit)
        return search_members(publisher, group_id, search)

    @routes.post("/{group_id}/members/search", dependencies=[needs(Scope.READ_GROUPS)])
    def search_members(
        publisher: Publisher, group_id: GroupIdPath, body: MembersSearch
    ) -> Page[str]:
        """List the members whose address begins with a text, now or at a moment in time."""
        after = cursors.read(body.cursor)
        page = store.members(
            publisher, group_id, cursor=after, prefix=body.prefix, at=body.at, limit=body.limit
        )
        return Page(items=page.items, next_cursor=cursors.cursor_of(page.next_cursor))

    @routes.get(
        "/{group_id}/members.csv",
        dependencies=[needs(Scope.READ_GROUPS)],
        response_class=Response,
        responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
    )
    def export_members(
        publisher: Publisher, group_id: GroupIdPath, at: AtParameter = None
    ) -> Response:
        """Return the members as a CSV file of one column; to PUT the same file back changes nothing."""
        members = store.members(publisher, group_id, at=at, limit=MAX_MEMBERS)
        headers = {"content-disposition": f'attachment; filename="{group_id}.csv"'}
        return Response(csv_file.write(members.items), 200, headers, f"{CSV}; charset=utf-8")


def _add_editing(
    routes: APIRouter, store: GroupStore, effects: Callable[[EditResult], Effects]
) -> None:
    @routes.patch("/{group_id}/members")
    def edit_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        body: MembersPatch,
        response: Response,
        by: GroupWriter,
        if_match: IfMatch = None,
        dry_run: DryRunParameter = False,
    ) -> EditResponse:
        """Add and remove members; all changes are made, or none."""
        terms = _terms(by, if_match, dry_run)
        readers = {
            "add": partial(emails.parse, body.add),
            "remove": partial(emails.parse, body.remove, strict=False),
        }
        fields = read_fields(readers)
        result = store.edit(publisher, group_id, MembershipEdit(**fields), **terms)
        tag(response, result.revision)
        return EditResponse.of(result, effects(result) if dry_run else None)

    @routes.put("/{group_id}/members", openapi_extra=_TAKES_CSV)
    def replace_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        body: MembersPut,
        response: Response,
        by: GroupWriter,
        if_match: IfMatch = None,
        dry_run: DryRunParameter = False,
        merge: Annotated[bool, Query(description="Add these members, and remove nobody.")] = False,
    ) -> EditResponse:
        """Replace all members by those of a JSON body or a CSV file; all changes are made, or none."""
        terms = _terms(by, if_match, dry_run)
        members = read_fields({"emails": partial(emails.parse, body.emails)})["emails"]
        if merge:
            result = store.edit(publisher, group_id, MembershipEdit(add=members), **terms)
        else:
            result = store.replace(publisher, group_id, members, **terms)
        tag(response, result.revision)
        return EditResponse.of(result, effects(result) if dry_run else None)


def _terms(by: RouteCaller, if_match: str | None, dry_run: bool) -> dict[str, Any]:
    """Build the arguments of an edit. Raises: ScopeMissing: a dry run shows who is a member."""
    if dry_run:
        by.caller.check(Scope.READ_GROUPS)
    return {"actor": by.actor, "if_revision": revision_of(if_match), "dry_run": dry_run}

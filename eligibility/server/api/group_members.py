"""Members of groups over HTTP, as JSON and as CSV files."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Annotated

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
    """The routes over one store; effects = what an edit would do to access."""
    cursors = AddressCursors(store.digest_key)
    made = APIRouter(
        prefix="/v1/publishers/{publisher}/groups", tags=["groups"], route_class=StrictRoute
    )

    def page(
        publisher: str,
        group_id: str,
        cursor: str | None,
        limit: int,
        at: datetime | None,
        prefix: str = "",
    ) -> Page[str]:
        after = cursors.read(cursor)
        found = store.members(publisher, group_id, cursor=after, prefix=prefix, at=at, limit=limit)
        return Page(items=found.items, next_cursor=cursors.made(found.next_cursor))

    @made.get("/{group_id}/members", dependencies=[needs(Scope.READ_GROUPS)])
    def list_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        cursor: Cursor = None,
        at: AtParameter = None,
        limit: Limit = 1_000,
    ) -> Page[str]:
        """List a group's members by address, now or as of a moment."""
        return page(publisher, group_id, cursor, limit, at)

    @made.post("/{group_id}/members/search", dependencies=[needs(Scope.READ_GROUPS)])
    def search_members(
        publisher: Publisher, group_id: GroupIdPath, body: MembersSearch
    ) -> Page[str]:
        """List the members whose address begins with some text, now or as of a moment."""
        return page(publisher, group_id, body.cursor, body.limit, body.at, body.prefix)

    @made.patch("/{group_id}/members")
    def edit_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        body: MembersPatch,
        response: Response,
        by: GroupWriter,
        if_match: IfMatch = None,
        dry_run: DryRunParameter = False,
    ) -> EditResponse:
        """Add and remove members in one step, all or none."""
        _check_names(by, dry_run)
        read = read_fields(emails.parse, {"add": body.add, "remove": body.remove})
        edit = MembershipEdit(add=read["add"], remove=read["remove"])
        result = store.edit(
            publisher,
            group_id,
            edit,
            actor=by.actor,
            if_revision=revision_of(if_match),
            dry_run=dry_run,
        )
        return _edited(result, response, effects(result) if dry_run else None)

    @made.put("/{group_id}/members", openapi_extra=_TAKES_CSV)
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
        """Replace the whole membership, by JSON or a CSV file, all or nothing."""
        _check_names(by, dry_run)
        members = read_fields(emails.parse, {"emails": body.emails})["emails"]
        write = partial(_merged, store) if merge else store.replace
        result = write(
            publisher,
            group_id,
            members,
            actor=by.actor,
            if_revision=revision_of(if_match),
            dry_run=dry_run,
        )
        return _edited(result, response, effects(result) if dry_run else None)

    @made.get(
        "/{group_id}/members.csv",
        dependencies=[needs(Scope.READ_GROUPS)],
        response_class=Response,
        responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
    )
    def export_members(
        publisher: Publisher, group_id: GroupIdPath, at: AtParameter = None
    ) -> Response:
        """Give the members as a CSV file of one column, which a PUT takes back to no change."""
        members = store.members(publisher, group_id, at=at, limit=MAX_MEMBERS)
        headers = {"content-disposition": f'attachment; filename="{group_id}.csv"'}
        return Response(csv_file.write(members.items), 200, headers, f"{CSV}; charset=utf-8")

    return made


def _check_names(by: RouteCaller, dry_run: bool) -> None:
    """A dry run names members and what they have, which is reading."""
    if dry_run:
        by.caller.check(Scope.READ_GROUPS)


def _merged(
    store: GroupStore,
    publisher: str,
    group_id: str,
    emails: Iterable[str],
    *,
    actor: str,
    if_revision: int | None,
    dry_run: bool,
) -> EditResult:
    """Add members as `GroupStore.replace` replaces them."""
    edit = MembershipEdit(add=tuple(emails))
    return store.edit(
        publisher, group_id, edit, actor=actor, if_revision=if_revision, dry_run=dry_run
    )


def _edited(result: EditResult, response: Response, effects: Effects | None) -> EditResponse:
    tag(response, result.revision)
    return EditResponse.of(result, effects)

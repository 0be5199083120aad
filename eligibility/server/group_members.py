"""Members of groups over HTTP, as JSON and as CSV files."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response

from eligibility.addresses import read_fields
from eligibility.effects import Effects
from eligibility.server.group_bodies import Edited, MembersPatch, MembersPut
from eligibility.server.parameters import (
    ACTOR,
    At,
    Cursor,
    DryRun,
    GroupIdPath,
    IfMatch,
    Limit,
    Publisher,
    revision_of,
    tag,
)
from eligibility.server.strict import CSV, StrictRoute
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
    made = APIRouter(
        prefix="/v1/publishers/{publisher}/groups", tags=["groups"], route_class=StrictRoute
    )

    @made.get("/{group_id}/members")
    def list_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        cursor: Cursor = None,
        prefix: Annotated[
            str, Query(max_length=254, description="Only addresses that begin so.")
        ] = "",
        at: At = None,
        limit: Limit = 1_000,
    ) -> Page[str]:
        """List a group's members by address, now or as of a moment."""
        return store.members(publisher, group_id, cursor=cursor, prefix=prefix, at=at, limit=limit)

    @made.patch("/{group_id}/members")
    def edit_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        body: MembersPatch,
        response: Response,
        if_match: IfMatch = None,
        dry_run: DryRun = False,
    ) -> Edited:
        """Add and remove members in one step, all or none."""
        read = read_fields(emails.parse, {"add": body.add, "remove": body.remove})
        edit = MembershipEdit(add=read["add"], remove=read["remove"])
        result = store.edit(
            publisher,
            group_id,
            edit,
            actor=ACTOR,
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
        if_match: IfMatch = None,
        dry_run: DryRun = False,
        merge: Annotated[bool, Query(description="Add these members, and remove nobody.")] = False,
    ) -> Edited:
        """Replace the whole membership, by JSON or a CSV file, all or nothing."""
        members = read_fields(emails.parse, {"emails": body.emails})["emails"]
        write = partial(_merged, store) if merge else store.replace
        result = write(
            publisher,
            group_id,
            members,
            actor=ACTOR,
            if_revision=revision_of(if_match),
            dry_run=dry_run,
        )
        return _edited(result, response, effects(result) if dry_run else None)

    @made.get(
        "/{group_id}/members.csv",
        response_class=Response,
        responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
    )
    def export_members(publisher: Publisher, group_id: GroupIdPath, at: At = None) -> Response:
        """Give the members as a CSV file of one column, which a PUT takes back to no change."""
        members = store.members(publisher, group_id, at=at, limit=MAX_MEMBERS)
        headers = {"content-disposition": f'attachment; filename="{group_id}.csv"'}
        return Response(csv_file.write(members.items), 200, headers, f"{CSV}; charset=utf-8")

    return made


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


def _edited(result: EditResult, response: Response, effects: Effects | None) -> Edited:
    tag(response, result.revision)
    return Edited.of(result, effects)

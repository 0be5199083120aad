"""What was done to groups, over HTTP: history, consent notes, forgetting a person.

Addresses never go into a URL, where logs would keep them: what is asked by address is sent by POST.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field, StrictStr

from eligibility.server.groups import (
    ACTOR,
    Body,
    Cursor,
    GroupIdPath,
    IfMatch,
    Limit,
    Publisher,
    revision_of,
    tagged,
)
from eligibility.server.strict import StrictRoute
from groups.model import Change, Consent, Forgotten, Group, Page
from groups.store import GroupStore

_WITHOUT_IDS = {"items": {"__all__": {"write_id"}}}


class HistorySearch(Body):
    """Whose memberships to look for."""

    address: StrictStr = Field(examples=["ada@contoso.example"])
    cursor: StrictStr | None = Field(None, max_length=512)
    limit: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 20


class ConsentNote(Body):
    """That the people of a group agreed to be in it; without `at`, now."""

    confirmed_by: StrictStr = Field(examples=["Lin, beta programme"])
    at: AwareDatetime | None = None
    text: StrictStr = Field("", examples=["signed form of 2026-11-02"])


class Forget(Body):
    """Whom to forget, and who takes the place in groups that would be empty."""

    address: StrictStr = Field(examples=["ada@contoso.example"])
    replacement: StrictStr | None = Field(None, examples=["owner@contoso.example"])
    dry_run: Annotated[bool, Field(strict=True)] = False


def router(store: GroupStore) -> APIRouter:
    """The routes over one store."""
    made = APIRouter(prefix="/v1/publishers/{publisher}", tags=["groups"], route_class=StrictRoute)

    @made.get("/groups/{group_id}/history", response_model_exclude=_WITHOUT_IDS)
    def list_history(
        publisher: Publisher, group_id: GroupIdPath, cursor: Cursor = None, limit: Limit = 20
    ) -> Page[Change]:
        """List a group's writes, the newest first: who, when, what."""
        return store.history(publisher, group_id=group_id, cursor=cursor, limit=limit)

    @made.post("/groups/{group_id}/history/search", response_model_exclude=_WITHOUT_IDS)
    def search_group_history(
        publisher: Publisher, group_id: GroupIdPath, body: HistorySearch
    ) -> Page[Change]:
        """List the writes to a group that concern an address, the newest first."""
        return store.history(
            publisher,
            group_id=group_id,
            address=body.address,
            cursor=body.cursor,
            limit=body.limit,
        )

    @made.post("/history/search", response_model_exclude=_WITHOUT_IDS)
    def search_history(publisher: Publisher, body: HistorySearch) -> Page[Change]:
        """List the writes to any group that concern an address, the newest first."""
        return store.history(publisher, address=body.address, cursor=body.cursor, limit=body.limit)

    @made.put("/groups/{group_id}/consent")
    def note_consent(
        publisher: Publisher,
        group_id: GroupIdPath,
        body: ConsentNote,
        response: Response,
        if_match: IfMatch = None,
    ) -> Group:
        """Note that the people of a group agreed; the note before stays in history."""
        note = Consent(
            confirmed_by=body.confirmed_by, at=body.at or datetime.now(UTC), text=body.text
        )
        noted = store.set_consent(
            publisher, group_id, note, actor=ACTOR, if_revision=revision_of(if_match)
        )
        return tagged(noted, response)

    @made.post("/forget")
    def forget(publisher: Publisher, body: Forget) -> Forgotten:
        """Remove a person from every group of the publisher and from history."""
        return store.forget(
            publisher,
            body.address,
            actor=ACTOR,
            replacement=body.replacement,
            dry_run=body.dry_run,
        )

    return made

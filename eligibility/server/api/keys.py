"""API keys over HTTP: /v1/keys, for callers that administer the whole deployment."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StrictInt, StrictStr

from eligibility.callers.errors import AllPublishersNeeded
from eligibility.callers.key_admin import DEFAULT_OVERLAP, IssuedKey, KeyAdmin, key_body
from eligibility.callers.model import Scope
from eligibility.callers.store import StoredKey
from eligibility.server.http.authorization import AdminCaller, RouteCaller
from eligibility.server.http.parameters import StrictBody
from eligibility.server.http.strict_route import StrictRoute

KeyIdPath = Annotated[
    str, Path(description="Id of the key, 12 letters and digits.", examples=["G8SbCiefLLA2"])
]


class NewKey(StrictBody):
    """What a key is for. `publishers` null: for all, also those that are yet to come."""

    name: StrictStr = Field(examples=["store-backend"])
    scopes: list[StrictStr] = Field(examples=[["access:query", "access:assert"]])
    publishers: list[StrictStr] | None = Field(examples=[["contoso"]])
    expires: StrictStr | None = Field(None, examples=["90d", "2027-01-31T00:00:00Z"])
    rate_limit: StrictInt | None = Field(None, examples=[500])


class Rotation(StrictBody):
    """How long both keys work, and how long the new one does; null = as long as the old was to."""

    overlap: StrictStr = Field(DEFAULT_OVERLAP, examples=["24h", "0"])
    expires: StrictStr | None = Field(None, examples=["90d"])


class KeyView(BaseModel):
    """A key without what is secret of it; `publishers` null = all."""

    key_id: str
    name: str
    state: str
    scopes: list[str]
    publishers: list[str] | None
    rate_limit: int | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    replaced_by: str | None
    last_used_at: datetime | None


class NewKeyResponse(BaseModel):
    """A new key: `key` is told here and never again."""

    key: str
    key_id: str
    replaced: KeyView | None = None


class KeyList(BaseModel):
    """The keys of the deployment, the oldest first."""

    items: list[KeyView]


def router(admin: KeyAdmin, now: Callable[[], datetime]) -> APIRouter:
    """The routes over the keys of a deployment; now = gives the present moment."""
    made = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=StrictRoute)

    def told(key: StoredKey) -> KeyView:
        return KeyView.model_validate(key_body(key, now()))

    def made_key(issued: IssuedKey) -> NewKeyResponse:
        old = None if issued.replaced is None else told(issued.replaced)
        return NewKeyResponse(key=issued.text, key_id=issued.key.key_id, replaced=old)

    @made.get("")
    def list_keys(
        by: AdminCaller,
        every: Annotated[
            bool, Query(alias="all", description="Also those that have ended.")
        ] = False,
    ) -> KeyList:
        """List the keys that work."""
        _check_all(by)
        return KeyList(items=[told(key) for key in admin.listed(every)])

    @made.post("", status_code=201)
    def create_key(body: NewKey, by: AdminCaller) -> NewKeyResponse:
        """Make a key."""
        _check_all(by)
        return made_key(admin.create(by.actor, **body.model_dump()))

    @made.post("/{key_id}/rotate", status_code=201)
    def rotate_key(key_id: KeyIdPath, body: Rotation, by: AdminCaller) -> NewKeyResponse:
        """Make a key in place of another, for the same; the old one ends after the overlap."""
        _check_all(by)
        return made_key(admin.rotate(by.actor, key_id, **body.model_dump()))

    @made.delete("/{key_id}")
    def revoke_key(key_id: KeyIdPath, by: AdminCaller) -> KeyView:
        """End a key for good; within a second no server takes it any more."""
        _check_all(by)
        return told(admin.revoke(by.actor, key_id))

    return made


def _check_all(by: RouteCaller) -> None:
    """Keys may be for any publisher, so whoever makes them has to be for all."""
    if by.caller.publishers is not None:
        raise AllPublishersNeeded(Scope.ADMIN)

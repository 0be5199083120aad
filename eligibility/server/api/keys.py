"""Routes for API keys, /v1/keys, for callers that administer the whole deployment."""

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
    """A key to create. `publishers` null: all publishers, including future ones."""

    name: StrictStr = Field(examples=["store-backend"])
    scopes: list[StrictStr] = Field(examples=[["access:query", "access:assert"]])
    publishers: list[StrictStr] | None = Field(examples=[["contoso"]])
    expires: StrictStr | None = Field(None, examples=["90d", "2027-01-31T00:00:00Z"])
    rate_limit: StrictInt | None = Field(None, examples=[500])


class Rotation(StrictBody):
    """How to replace a key. overlap: how long both keys work. expires: end of the new key; null = as before."""

    overlap: StrictStr = Field(DEFAULT_OVERLAP, examples=["24h", "0"])
    expires: StrictStr | None = Field(None, examples=["90d"])


class KeyView(BaseModel):
    """A key without its secret. `publishers` null: all publishers."""

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
    """A new key. Only this response contains the secret `key`; it cannot be read later."""

    key: str
    key_id: str
    replaced: KeyView | None = None


class KeyList(BaseModel):
    """The keys of the deployment, oldest first."""

    items: list[KeyView]


def router(admin: KeyAdmin, now: Callable[[], datetime]) -> APIRouter:
    """Build the routes for the keys of a deployment. Args: now = returns the current time."""
    routes = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=StrictRoute)

    def view(key: StoredKey) -> KeyView:
        return KeyView.model_validate(key_body(key, now()))

    def new_key(issued: IssuedKey) -> NewKeyResponse:
        old = None if issued.replaced is None else view(issued.replaced)
        return NewKeyResponse(key=issued.text, key_id=issued.key.key_id, replaced=old)

    @routes.get("")
    def list_keys(
        by: AdminCaller,
        every: Annotated[
            bool, Query(alias="all", description="Also keys that have ended.")
        ] = False,
    ) -> KeyList:
        """List the keys that are valid now."""
        _check_all(by)
        return KeyList(items=[view(key) for key in admin.listed(every)])

    @routes.post("", status_code=201)
    def create_key(body: NewKey, by: AdminCaller) -> NewKeyResponse:
        """Create a key."""
        _check_all(by)
        return new_key(admin.create(by.actor, **body.model_dump()))

    @routes.post("/{key_id}/rotate", status_code=201)
    def rotate_key(key_id: KeyIdPath, body: Rotation, by: AdminCaller) -> NewKeyResponse:
        """Create a key with the rights of an existing key, which stops working after the overlap."""
        _check_all(by)
        return new_key(admin.rotate(by.actor, key_id, **body.model_dump()))

    @routes.delete("/{key_id}")
    def revoke_key(key_id: KeyIdPath, by: AdminCaller) -> KeyView:
        """Revoke a key permanently; after a second at most, no server accepts it."""
        _check_all(by)
        return view(admin.revoke(by.actor, key_id))

    return routes


def _check_all(by: RouteCaller) -> None:
    """Refuse callers that are not for all publishers, because a key may be for any publisher."""
    if by.caller.publishers is not None:
        raise AllPublishersNeeded(Scope.ADMIN)

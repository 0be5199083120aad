"""Routes for known user groups, /v1/publishers/{publisher}/groups. Members: group_members.py."""

from functools import partial

from fastapi import APIRouter, Response

from eligibility.callers.model import Scope
from eligibility.formats.addresses import read_fields
from eligibility.server.api.group_bodies import EditResponse, GroupCreate
from eligibility.server.http.authorization import GroupWriter, needs
from eligibility.server.http.parameters import Cursor, GroupIdPath, Limit, Publisher, tag
from eligibility.server.http.strict_route import StrictRoute
from groups import emails
from groups.errors import GroupsPermanent
from groups.model import Group, Page
from groups.store import GroupStore


def router(store: GroupStore) -> APIRouter:
    """Build the routes for a store of groups."""
    routes = APIRouter(
        prefix="/v1/publishers/{publisher}/groups", tags=["groups"], route_class=StrictRoute
    )

    @routes.get("", dependencies=[needs(Scope.READ_GROUPS)])
    def list_groups(publisher: Publisher, cursor: Cursor = None, limit: Limit = 100) -> Page[Group]:
        """List a publisher's groups by id; `next_cursor` is null on the last page."""
        return store.list_groups(publisher, cursor=cursor, limit=limit)

    @routes.post("", status_code=201)
    def create_group(
        publisher: Publisher, body: GroupCreate, response: Response, by: GroupWriter
    ) -> EditResponse:
        """Create a group of 1 to 10,000 addresses."""
        members = read_fields({"emails": partial(emails.parse, body.emails)})["emails"]
        result = store.create(publisher, body.name, members, group_id=body.group_id, actor=by.actor)
        response.headers["location"] = f"/v1/publishers/{publisher}/groups/{result.group_id}"
        tag(response, result.revision)
        return EditResponse.of(result, None)

    @routes.get("/{group_id}", dependencies=[needs(Scope.READ_GROUPS)])
    def show_group(publisher: Publisher, group_id: GroupIdPath, response: Response) -> Group:
        """Show a group; its revision is the ETag."""
        group = store.get(publisher, group_id)
        tag(response, group.revision)
        return group

    @routes.api_route(
        "/{group_id}",
        methods=["DELETE", "PUT", "PATCH"],
        include_in_schema=False,
        dependencies=[needs(Scope.WRITE_GROUPS)],
    )
    def refuse_change(publisher: Publisher, group_id: GroupIdPath) -> Group:
        """Refuse to remove or rename a group: flights and audiences may use it."""
        store.get(publisher, group_id)
        raise GroupsPermanent(publisher, group_id)

    return routes

"""Known user groups over HTTP: /v1/publishers/{publisher}/groups."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from eligibility.errors import Fault, InvalidInput
from eligibility.server.strict import StrictRoute
from groups import emails
from groups.errors import GroupsPermanent, InvalidEmails
from groups.model import EditResult, Group, MembershipEdit, Page
from groups.store import GroupStore

ACTOR = "api"
"""Who an edit is put down to until callers are told apart (a later issue)."""

Addresses = Annotated[
    StrictStr | list[StrictStr],
    Field(
        description="A list of addresses, or a text of them separated by spaces, commas, semicolons or lines.",
        examples=[
            ["ada@contoso.example", "grace@contoso.example"],
            "ada@contoso.example; grace@contoso.example",
        ],
    ),
]
Publisher = Annotated[str, Path(description="Id of the publisher.", examples=["contoso"])]
GroupIdPath = Annotated[str, Path(description="Id of the group.", examples=["beta"])]
Cursor = Annotated[
    str | None,
    Query(max_length=512, description="Where to go on: `next_cursor` of the page before."),
]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Most items on a page.")]
IfMatch = Annotated[
    str | None,
    Header(
        description="The ETag that the edit is based on; 412 if the group changed since.",
        examples=['"7"'],
    ),
]
DryRun = Annotated[bool, Query(description="Answer what would change, and change nothing.")]


_Tagged = TypeVar("_Tagged", Group, EditResult)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GroupCreate(_Body):
    """A new group. Its id is made from the name unless given; both are permanent."""

    name: StrictStr = Field(examples=["Beta testers"])
    emails: Addresses
    group_id: StrictStr | None = Field(None, examples=["beta"])


class MembersPatch(_Body):
    """Addresses to add and to remove, in one step."""

    add: Addresses = []
    remove: Addresses = []


class MembersPut(_Body):
    """The new membership, in place of the present one."""

    emails: Addresses


def router(store: GroupStore) -> APIRouter:
    """The routes over one store."""
    made = APIRouter(
        prefix="/v1/publishers/{publisher}/groups", tags=["groups"], route_class=StrictRoute
    )

    @made.get("")
    def list_groups(publisher: Publisher, cursor: Cursor = None, limit: Limit = 100) -> Page[Group]:
        """List a publisher's groups by id; `next_cursor` is null on the last page."""
        return store.list_groups(publisher, cursor=cursor, limit=limit)

    @made.post("", status_code=201)
    def create_group(publisher: Publisher, body: GroupCreate, response: Response) -> EditResult:
        """Create a group of 1 to 10,000 addresses."""
        members = _parse(emails=body.emails)["emails"]
        result = store.create(publisher, body.name, members, group_id=body.group_id, actor=ACTOR)
        response.headers["location"] = f"/v1/publishers/{publisher}/groups/{result.group_id}"
        return _tagged(result, response)

    @made.get("/{group_id}")
    def show_group(publisher: Publisher, group_id: GroupIdPath, response: Response) -> Group:
        """Show a group; its revision is the ETag."""
        return _tagged(store.get(publisher, group_id), response)

    @made.api_route("/{group_id}", methods=["DELETE", "PUT", "PATCH"], include_in_schema=False)
    def refuse_change(publisher: Publisher, group_id: GroupIdPath) -> Group:
        """Groups cannot be removed or renamed: a group may be in use by flights and audiences."""
        store.get(publisher, group_id)
        raise GroupsPermanent(publisher, group_id)

    @made.get("/{group_id}/members")
    def list_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        cursor: Cursor = None,
        prefix: Annotated[
            str, Query(max_length=254, description="Only addresses that begin so.")
        ] = "",
        limit: Limit = 1_000,
    ) -> Page[str]:
        """List a group's members by address."""
        return store.members(publisher, group_id, cursor=cursor, prefix=prefix, limit=limit)

    @made.patch("/{group_id}/members")
    def edit_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        body: MembersPatch,
        response: Response,
        if_match: IfMatch = None,
        dry_run: DryRun = False,
    ) -> EditResult:
        """Add and remove members in one step, all or none."""
        read = _parse(add=body.add, remove=body.remove)
        edit = MembershipEdit(add=read["add"], remove=read["remove"])
        revision = _revision(if_match)
        result = store.edit(
            publisher, group_id, edit, actor=ACTOR, if_revision=revision, dry_run=dry_run
        )
        return _tagged(result, response)

    @made.put("/{group_id}/members")
    def replace_members(
        publisher: Publisher,
        group_id: GroupIdPath,
        body: MembersPut,
        response: Response,
        if_match: IfMatch = None,
        dry_run: DryRun = False,
    ) -> EditResult:
        """Replace the whole membership, all or nothing."""
        members = _parse(emails=body.emails)["emails"]
        revision = _revision(if_match)
        result = store.replace(
            publisher, group_id, members, actor=ACTOR, if_revision=revision, dry_run=dry_run
        )
        return _tagged(result, response)

    return made


def _parse(**fields: str | list[str]) -> dict[str, tuple[str, ...]]:
    """Read the addresses of several fields. Raises InvalidInput naming field, position and value."""
    read: dict[str, tuple[str, ...]] = {}
    faults: list[Fault] = []
    for name, sent in fields.items():
        try:
            read[name] = emails.parse(sent)
        except InvalidEmails as error:
            faults += [Fault(f"{name}.{f.loc}".rstrip("."), f.code, f.detail) for f in error.faults]
    if faults:
        raise InvalidInput(faults)
    return read


def _tagged(result: _Tagged, response: Response) -> _Tagged:
    response.headers["etag"] = f'"{result.revision}"'
    return result


def _revision(if_match: str | None) -> int | None:
    """The revision an ETag stands for; None for no header and for `*`."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        detail = f'`{if_match[:60]}` is not an ETag of a group, as in "7"'
        raise InvalidInput([Fault("header.if-match", "UNREADABLE_ETAG", detail)])
    return int(text)

"""Known user groups over HTTP: /v1/publishers/{publisher}/groups."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictStr

from eligibility.effects import Effects
from eligibility.errors import Fault, InvalidInput
from eligibility.server.strict import CSV, StrictRoute
from groups import csv_file, emails
from groups.errors import GroupsPermanent, InvalidEmails
from groups.model import MAX_MEMBERS, EditResult, Group, MembershipEdit, Page
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
At = Annotated[
    AwareDatetime | None,
    Query(description="As of that moment, in place of now.", examples=["2026-12-01T09:00:00Z"]),
]
DryRun = Annotated[bool, Query(description="Answer what would change, and change nothing.")]

_TAKES_CSV = {
    "requestBody": {
        "content": {CSV: {"schema": {"type": "string"}, "example": "email\nada@contoso.example\n"}}
    }
}


class Body(BaseModel):
    """A JSON body without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class GroupCreate(Body):
    """A new group. Its id is made from the name unless given; both are permanent."""

    name: StrictStr = Field(examples=["Beta testers"])
    emails: Addresses
    group_id: StrictStr | None = Field(None, examples=["beta"])


class MembersPatch(Body):
    """Addresses to add and to remove, in one step."""

    add: Addresses = []
    remove: Addresses = []


class MembersPut(Body):
    """The new membership, in place of the present one."""

    emails: Addresses


class Edited(BaseModel):
    """What a write did, or a dry run would do.

    A dry run also names whom `added` and `removed` count, and tells what the edit would do to access:
    how many accounts gain or lose which flight or audience, the first hundred by name.
    """

    publisher: str
    group_id: str
    revision: int
    added: int
    removed: int
    unchanged: int
    unknown: int
    member_count: int
    joined: list[str] | None = None
    left: list[str] | None = None
    effects: Effects | None = None

    @classmethod
    def of(cls, result: EditResult, effects: Effects | None) -> "Edited":
        """The result as it goes over the wire; effects = of a dry run."""
        made = cls.model_validate(result, from_attributes=True)
        if effects is None:
            return made.model_copy(update={"joined": None, "left": None})
        return made.model_copy(update={"effects": effects})


def router(store: GroupStore, effects: Callable[[EditResult], Effects]) -> APIRouter:
    """The routes over one store; effects = what an edit would do to access."""
    made = APIRouter(
        prefix="/v1/publishers/{publisher}/groups", tags=["groups"], route_class=StrictRoute
    )

    @made.get("")
    def list_groups(publisher: Publisher, cursor: Cursor = None, limit: Limit = 100) -> Page[Group]:
        """List a publisher's groups by id; `next_cursor` is null on the last page."""
        return store.list_groups(publisher, cursor=cursor, limit=limit)

    @made.post("", status_code=201)
    def create_group(publisher: Publisher, body: GroupCreate, response: Response) -> Edited:
        """Create a group of 1 to 10,000 addresses."""
        members = _parse(emails=body.emails)["emails"]
        result = store.create(publisher, body.name, members, group_id=body.group_id, actor=ACTOR)
        response.headers["location"] = f"/v1/publishers/{publisher}/groups/{result.group_id}"
        return _edited(result, response, None)

    @made.get("/{group_id}")
    def show_group(publisher: Publisher, group_id: GroupIdPath, response: Response) -> Group:
        """Show a group; its revision is the ETag."""
        return tagged(store.get(publisher, group_id), response)

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
        read = _parse(add=body.add, remove=body.remove)
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
        members = _parse(emails=body.emails)["emails"]
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


def _edited(result: EditResult, response: Response, effects: Effects | None) -> Edited:
    tag(response, result.revision)
    return Edited.of(result, effects)


def tagged(group: Group, response: Response) -> Group:
    """The group, its revision set as the ETag."""
    tag(response, group.revision)
    return group


def tag(response: Response, revision: int) -> None:
    """Set a revision as the ETag."""
    response.headers["etag"] = f'"{revision}"'


def revision_of(if_match: str | None) -> int | None:
    """The revision an ETag stands for; None for no header and for `*`."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        detail = f'`{if_match[:60]}` is not an ETag of ours, as in "7"'
        raise InvalidInput([Fault("header.if-match", "UNREADABLE_ETAG", detail)])
    return int(text)

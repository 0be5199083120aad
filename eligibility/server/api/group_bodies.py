"""Request bodies of the group routes, and the response of the routes that write."""

from typing import Annotated

from pydantic import BaseModel, Discriminator, Field, StrictStr, Tag

from eligibility.changes.effects import Effects
from eligibility.formats.pydantic_faults import LIST, TEXT, text_or_list
from eligibility.server.http.parameters import REVISION_CURSOR, MomentParameter, StrictBody
from groups.model import EditResult

AddressesField = Annotated[
    Annotated[StrictStr, Tag(TEXT)] | Annotated[list[StrictStr], Tag(LIST)],
    Discriminator(text_or_list),
    Field(
        description="A list of addresses, or a text with spaces, commas, semicolons or line ends between them.",
        examples=[
            ["ada@contoso.example", "grace@contoso.example"],
            "ada@contoso.example; grace@contoso.example",
        ],
    ),
]


class GroupCreate(StrictBody):
    """A new group. If no id is sent, it is made from the name. Id and name are permanent."""

    name: StrictStr = Field(examples=["Beta testers"])
    emails: AddressesField
    group_id: StrictStr | None = Field(None, examples=["beta"])


class MembersPatch(StrictBody):
    """Addresses to add and to remove; all changes are made, or none."""

    add: AddressesField = []
    remove: AddressesField = []


class MembersPut(StrictBody):
    """The complete list of members, which replaces the current one."""

    emails: AddressesField


class MembersSearch(StrictBody):
    """A search for members whose address begins with `prefix`."""

    prefix: StrictStr = Field("", max_length=254, examples=["ada@"])
    at: MomentParameter | None = None
    cursor: StrictStr | None = Field(None, max_length=512)
    limit: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 1_000


class HistorySearch(StrictBody):
    """A search for writes that added or removed an address."""

    address: StrictStr = Field(examples=["ada@contoso.example"])
    cursor: StrictStr | None = Field(None, pattern=REVISION_CURSOR)
    limit: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 20


class ConsentNote(StrictBody):
    """A note that the members of a group agreed to be in it, and when (`at`, by default now)."""

    confirmed_by: StrictStr = Field(examples=["Lin, beta programme"])
    at: MomentParameter | None = None
    text: StrictStr = Field("", examples=["signed form of 2026-11-02"])


class ForgetBody(StrictBody):
    """The person to forget. `replacement` is added to groups that would become empty."""

    address: StrictStr = Field(examples=["ada@contoso.example"])
    replacement: StrictStr | None = Field(None, examples=["owner@contoso.example"])
    dry_run: Annotated[bool, Field(strict=True)] = False


class EditResponse(BaseModel):
    """What a write did, or what a dry run would do.

    A dry run also lists the members that `added` and `removed` count, and the effects on access:
    how many accounts gain or lose which flight or audience, with the first hundred accounts.
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
    def of(cls, result: EditResult, effects: Effects | None) -> "EditResponse":
        """Build the response from a result. Args: effects = those of a dry run, else None."""
        response = cls.model_validate(result, from_attributes=True)
        if effects is None:
            return response.model_copy(update={"joined": None, "left": None})
        return response.model_copy(update={"effects": effects})

"""Parameters that routes share: of path, query and header; moments; revisions as ETags."""

from datetime import datetime
from typing import Annotated

from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from eligibility.access import wire
from eligibility.catalog.catalog import ExpectedRevision
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.whole_number import whole_number

REVISION_CURSOR = r"^[0-9]{1,18}$"
"""What `next_cursor` of a page of history looks like."""


def _moment(sent: object) -> datetime:
    """Read a moment by the rule of access queries."""
    try:
        return wire.moment_of(sent if isinstance(sent, str) else repr(sent))
    except InvalidInput as error:
        fault = error.faults[0]
        raise PydanticCustomError("UNREADABLE_MOMENT", "{why}", {"why": fault.detail}) from None


MomentParameter = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
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
        description="The ETag that the edit is based on; 412 if it changed since.",
        examples=['"7"'],
    ),
]
AtParameter = Annotated[
    MomentParameter | None,
    Query(description="As of that moment, in place of now.", examples=["2026-12-01T09:00:00Z"]),
]
DryRunParameter = Annotated[
    bool, Query(description="Answer what would change, and change nothing.")
]


class StrictBody(BaseModel):
    """A JSON body without unknown fields."""

    model_config = ConfigDict(extra="forbid")


def tag(response: Response, revision: int) -> None:
    """Set a revision as the ETag."""
    response.headers["etag"] = f'"{revision}"'


def expected_of(if_match: str | None) -> ExpectedRevision | None:
    """Read the revision that a write is based on from an ETag; `*` = any."""
    if if_match is None or if_match.strip() == "*":
        return None if if_match is None else "*"
    text = if_match.strip().removeprefix("W/").strip('"')
    revision = whole_number(text)
    if revision is None:
        detail = f'`{if_match[:60]}` is not an ETag of this server, such as "7"'
        raise InvalidInput([Fault("header.if-match", "UNREADABLE_ETAG", detail)])
    return revision


def revision_of(if_match: str | None) -> int | None:
    """Read the revision that an edit of a group is based on; None for any."""
    expected = expected_of(if_match)
    return None if expected == "*" else expected

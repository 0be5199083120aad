"""Parameters that routes share (path, query, headers, dates and times), and revisions as ETags."""

from datetime import datetime
from typing import Annotated

from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from eligibility.catalog.catalog import ExpectedRevision
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.moments import parse_moment
from eligibility.formats.whole_number import whole_number

REVISION_CURSOR = r"^[0-9]{1,18}$"
"""The pattern of `next_cursor` on pages of history."""


def _moment(sent: object) -> datetime:
    """Read a date and time by the rules of access queries."""
    try:
        return parse_moment(sent if isinstance(sent, str) else repr(sent))
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
    Query(max_length=512, description="Where to continue: `next_cursor` of the previous page."),
]
RevisionCursor = Annotated[
    str | None,
    Query(
        pattern=REVISION_CURSOR,
        description="Where to continue: `next_cursor` of the previous page.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Most items on a page.")]
IfMatch = Annotated[
    str | None,
    Header(
        description="The ETag that the edit is based on. If the group has changed since, the response is 412.",
        examples=['"7"'],
    ),
]
AtParameter = Annotated[
    MomentParameter | None,
    Query(
        description="Answer as of this moment, instead of now.", examples=["2026-12-01T09:00:00Z"]
    ),
]
DryRunParameter = Annotated[
    bool, Query(description="Return what would change, and change nothing.")
]


class StrictBody(BaseModel):
    """Base class of JSON bodies; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


def tag(response: Response, revision: int) -> None:
    """Set the response's ETag to a revision."""
    response.headers["etag"] = f'"{revision}"'


def expected_of(if_match: str | None) -> ExpectedRevision | None:
    """Read the revision that a write expects from the header If-Match; `*` = any revision."""
    if if_match is None or if_match.strip() == "*":
        return None if if_match is None else "*"
    text = if_match.strip().removeprefix("W/").strip('"')
    revision = whole_number(text)
    if revision is None:
        detail = f'`{if_match[:60]}` is not an ETag of this server, such as "7"'
        raise InvalidInput([Fault("header.if-match", "UNREADABLE_ETAG", detail)])
    return revision


def revision_of(if_match: str | None) -> int | None:
    """Read the revision that an edit of a group expects from the header If-Match; None = any revision."""
    expected = expected_of(if_match)
    return None if expected == "*" else expected

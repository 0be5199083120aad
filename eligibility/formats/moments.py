"""Read moments, which are dates and times with an offset, as people and programs write them."""

import re
from datetime import UTC, datetime

from eligibility.errors import Fault, InvalidInput
from eligibility.formats.strict_struct import shown

_SHAPE = re.compile(
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9:]+([.,][0-9]+)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
)
_RIGHT = "write ISO 8601 with an offset, as in 2026-12-01T09:00:00Z"
FIRST_YEAR = 1970
"""Earlier years are placeholders: the Store's API writes 1601-01-01 for no date, .NET 0001-01-01."""


def parse_moment(text: str, loc: str = "at") -> datetime:
    """Read a moment in ISO 8601 with an offset, and convert it to UTC.

    Raises: InvalidInput with `loc` if the text has another form (a number could be seconds or
    milliseconds, a text of digits a date), or if the moment is before 1970 or after 9999 in UTC.
    """
    moment = _read(text.upper())
    if moment is None:
        detail = f"`{shown(text)}` is not a moment: {_RIGHT}"
    elif moment.year < FIRST_YEAR:
        detail = (
            f"`{shown(text)}` is before {FIRST_YEAR}, so it is no date: leave it out, or {_RIGHT}"
        )
    else:
        return moment
    raise InvalidInput([Fault(loc, "UNREADABLE_MOMENT", detail)])


def _read(text: str) -> datetime | None:
    if not _SHAPE.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: in UTC it is outside the years 1 to 9999
        return None

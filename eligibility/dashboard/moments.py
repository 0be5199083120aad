"""Dates and times that people type into a page or its URL."""

import re
from datetime import datetime

from eligibility.formats.moments import parse_moment

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL = re.compile(_DATE.pattern + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")


def moment_of(text: str) -> datetime:
    """Read a date and time, in UTC if it has no offset (as in browsers). Raises: InvalidInput."""
    if _DATE.fullmatch(text):
        return parse_moment(f"{text}T00:00Z")
    return parse_moment(f"{text}Z" if _LOCAL.fullmatch(text) else text)


def typed(moment: datetime) -> str:
    """Format a date and time in UTC for a `datetime-local` field and for `moment_of`."""
    return moment.replace(tzinfo=None).isoformat()

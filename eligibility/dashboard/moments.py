"""Dates and times that people type into a page or its URL."""

from datetime import datetime

from eligibility.access import wire


def moment_of(text: str) -> datetime:
    """Read a date and time, in UTC if it has no offset (as in browsers). Raises: InvalidInput."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return wire.moment_of(text)  # raises InvalidInput with the reason
    return wire.moment_of(f"{moment.isoformat()}Z" if moment.tzinfo is None else text)


def typed(moment: datetime) -> str:
    """Format a date and time in UTC for a `datetime-local` field and for `moment_of`."""
    return moment.replace(tzinfo=None).isoformat()

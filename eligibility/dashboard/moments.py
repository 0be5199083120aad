"""Moments that people type into a page or its address."""

from datetime import datetime

from eligibility.access import wire


def moment_of(text: str) -> datetime:
    """Read a moment; one without an offset is in UTC, as browsers send it. Raises: InvalidInput."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return wire.moment_of(text)  # which says what is wrong
    return wire.moment_of(f"{moment.isoformat()}Z" if moment.tzinfo is None else text)


def typed(moment: datetime) -> str:
    """A moment in UTC as a `datetime-local` field and `moment_of` read it."""
    return moment.replace(tzinfo=None).isoformat()

"""Convert dates and times to the numbers that stores keep: microseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Convert a date and time, aware in any time zone, to microseconds since 1970-01-01 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Convert a number from `to_us` to a UTC-aware date and time."""
    return _EPOCH + microseconds * _MICROSECOND

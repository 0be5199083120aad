"""Moments as numbers, the way stores keep them: microseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Give a moment (UTC-aware, or in any other zone) as microseconds."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Give the UTC-aware moment of a number from `to_us`."""
    return _EPOCH + microseconds * _MICROSECOND

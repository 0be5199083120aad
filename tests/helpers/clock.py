"""A clock that stands where it is put."""

from datetime import UTC, datetime


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self, moment: str = "2026-06-01T12:00:00+00:00") -> None:
        self.seconds = datetime.fromisoformat(moment).timestamp()

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

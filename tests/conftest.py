"""What many tests need: a service on a store of its own, and a clock that stands where it is put."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from running import Server, running

from eligibility.service.service import Service
from eligibility.service.settings import Settings

pytest_plugins = ("group_fixtures", "audit_world", "dashboard_world")

# A busy machine is no fault of an example. What CI has by default otherwise stays.
settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")


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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests; each uses publishers and products of its own (`names`)."""
    with running(f"sqlite:///{tmp_path_factory.mktemp('server') / 'store.db'}") as started:
        yield started


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def service(store_url: str, clock: Clock) -> Iterator[Service]:
    """The service of one process, on an empty store."""
    with Service(Settings(store=store_url), clock) as opened:
        yield opened

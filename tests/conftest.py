"""What many tests need: a service on a store of its own, and a clock that stands where it is put."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.clock import Clock
from tests.helpers.examples import examples
from tests.helpers.servers.process import Server, running

pytest_plugins = (
    "tests.helpers.commands",
    "tests.helpers.dashboard",
    "tests.helpers.servers.publisher",
    "tests.helpers.stores.audit_trail",
    "tests.helpers.stores.groups",
    "tests.helpers.vectors",
)

# Tests start hundreds of servers and commands. Without bytecode each compiles every file anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy machine is no fault of an example. What CI has by default otherwise stays.
settings.register_profile("unhurried", parent=settings(), deadline=None, max_examples=examples(100))
settings.load_profile("unhurried")


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

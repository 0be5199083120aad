"""What every test of a GroupStore needs: the store of each backend in turn, three people, a group."""

from collections.abc import Iterator

import pytest

from groups.model import MembershipEdit
from groups.store import GroupStore
from tests.helpers.stores.backends import BACKENDS, Deploy, Deployment

ADA, BOB, CAT, DAN = (f"{name}@example.com" for name in ("ada", "bob", "cat", "dan"))
P = "contoso"
LONE = "\ud800"
NAMES_NOTHING = ["missing", "", "Beta", "a b", "%", LONE, "a\0b", "x" * 5_000]


@pytest.fixture(params=BACKENDS)
def deploy(request: pytest.FixtureRequest) -> Deploy:
    return BACKENDS[request.param]


@pytest.fixture
def deployment(deploy: Deploy) -> Iterator[Deployment]:
    with deploy() as made:
        yield made


@pytest.fixture
def store(deployment: Deployment) -> GroupStore:
    return deployment.open()


@pytest.fixture
def beta(store: GroupStore) -> str:
    """The id of a group with two members."""
    return store.create(P, "Beta", [ADA, BOB], actor="tests").group_id


def emails(store: GroupStore, group_id: str, publisher: str = P) -> tuple[str, ...]:
    return store.members(publisher, group_id, limit=20_000).items


def add(store: GroupStore, group_id: str, *addresses: str) -> int:
    return store.edit(P, group_id, MembershipEdit(add=addresses), actor="tests").revision


def remove(store: GroupStore, group_id: str, *addresses: str) -> int:
    return store.edit(P, group_id, MembershipEdit(remove=addresses), actor="tests").revision

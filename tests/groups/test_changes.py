"""How a GroupStore tells what changed (groups/store.py), on every backend."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from groups.errors import HistoryLost, StoreUnavailable
from groups.model import Consent, Head, MembershipEdit
from groups.sqlite.store import SqliteGroupStore
from groups.storage.sqlite_database import Database
from groups.store import GroupStore
from tests.helpers.catalog.products import product
from tests.helpers.stores import redis_servers as servers
from tests.helpers.stores.backends import BACKENDS, Deployment
from tests.helpers.stores.groups import ADA, BOB, CAT, DAN, P, add
from tests.helpers.stores.redis_servers import until

# Who came and went


def test_a_write_tells_who_joined_and_who_left(store: GroupStore) -> None:
    made = store.create(P, "Beta", [BOB, ADA, "BOB@example.com"], actor="tests")
    assert (made.joined, made.left) == ((ADA, BOB), ())
    edit = MembershipEdit(add=(DAN, CAT, ADA), remove=(BOB, "x@example.com"))
    for dry_run in (True, False):
        done = store.edit(P, "beta", edit, actor="tests", dry_run=dry_run)
        assert (done.joined, done.left) == ((CAT, DAN), (BOB,))
        assert (done.added, done.removed) == (2, 1)
    replaced = store.replace(P, "beta", [BOB, DAN], actor="tests")
    assert (replaced.joined, replaced.left) == ((BOB,), (ADA, CAT))
    again = store.replace(P, "beta", [DAN, BOB], actor="tests")
    assert (again.joined, again.left) == ((), ())


# Writes after a revision


def test_changes_come_in_parts_when_a_limit_says_so(store: GroupStore, beta: str) -> None:
    for address in (CAT, DAN):
        add(store, beta, address)
    everything = store.changes_since(P, 0)
    assert store.changes_since(P, 0, limit=2) == everything[:2]
    assert store.changes_since(P, 2, limit=2) == everything[2:]
    assert store.changes_since(P, 3, limit=2) == ()


@pytest.mark.parametrize("limit", [0, -1])
def test_a_part_has_at_least_one_change(store: GroupStore, beta: str, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        store.changes_since(P, 0, limit=limit)


def test_a_write_is_known_again_by_its_id(store: GroupStore, beta: str) -> None:
    head, _ = store.member_set(P, beta)
    add(store, beta, CAT)
    later, _ = store.member_sets(P, [beta])
    first, second = store.changes_since(P, 0)
    assert (head, later) == (first.head, second.head)
    assert store.changes_since(P, head.revision, head.write_id) == (second,)
    assert store.changes_since(P, later.revision, later.write_id) == ()
    if head.write_id:
        assert head.write_id != later.write_id


def test_another_write_of_a_revision_means_that_history_was_lost(
    store: GroupStore, beta: str
) -> None:
    head, _ = store.member_set(P, beta)
    if not head.write_id:
        assert isinstance(store, SqliteGroupStore)  # a file loses no write
        return
    for lost in (Head(1, "another"), Head(2, head.write_id)):
        with pytest.raises(HistoryLost) as caught:
            store.changes_since(P, lost.revision, lost.write_id)
        assert (caught.value.publisher, caught.value.revision) == (P, lost.revision)


# Tokens


def test_the_token_of_a_publisher_differs_after_every_kind_of_write(
    deployment: Deployment,
) -> None:
    stores = deployment.open_both()
    groups, catalog = stores.groups, stores.catalog
    token = groups.change_token(P)
    writes: list[Callable[[], object]] = [
        lambda: groups.create(P, "Beta", [ADA, BOB], actor="tests"),
        lambda: groups.edit(P, "beta", MembershipEdit(add=(CAT,)), actor="tests"),
        lambda: groups.replace(P, "beta", [ADA, BOB], actor="tests"),
        lambda: groups.set_consent(
            P, "beta", Consent(confirmed_by="Eve", at=deployment.clock.now), actor="tests"
        ),
        lambda: groups.forget(P, ADA, actor="tests"),
        lambda: catalog.apply(P, {"APP": product()}, actor="tests"),
        lambda: catalog.apply(P, {}, ["APP"], actor="tests"),
    ]
    seen = {token}
    for write in writes:
        write()
        token = groups.change_token(P)
        assert token not in seen
        seen.add(token)


def test_the_token_differs_when_somebody_is_forgotten_who_had_left(
    deployment: Deployment, store: GroupStore, beta: str
) -> None:
    """No group changes, and no revision; but history does, and a note may."""
    store.edit(P, beta, MembershipEdit(remove=(ADA,)), actor="tests")
    other = deployment.open()
    for one in (store, other):
        one.change_token(P)
        one.catch_up(P)
    before, elsewhere = store.change_token(P), other.change_token(P)
    store.forget(P, ADA, actor="tests")
    assert store.change_token(P) != before
    until(lambda: other.change_token(P) != elsewhere, "the forgetting to be told", seconds=1.5)


@pytest.mark.parametrize("kind", servers.KINDS)
def test_on_a_server_what_one_publisher_writes_changes_no_token_of_another(kind: str) -> None:
    with BACKENDS[kind]() as deployment:
        store, other = deployment.open_both(), deployment.open()
        groups = store.groups
        groups.create("fabrikam", "Beta", [ADA, BOB], actor="tests")
        for one in (groups, other):
            one.change_token("fabrikam")
            one.catch_up("fabrikam")
        before = [one.change_token("fabrikam") for one in (groups, other)]
        groups.create(P, "Beta", [ADA, BOB], actor="tests")
        groups.forget(P, ADA, actor="tests")
        store.catalog.apply(P, {"APP": product()}, actor="tests")
        for one in (groups, other):
            one.catch_up(P)
            one.catch_up("fabrikam")
        assert [one.change_token("fabrikam") for one in (groups, other)] == before


def test_once_caught_up_the_token_tells_of_every_write_of_others(
    deployment: Deployment, store: GroupStore, beta: str
) -> None:
    other = deployment.open_both()
    for number in range(20):
        before = store.change_token(P)
        if number % 2:
            add(other.groups, beta, f"user{number}@example.com")
        else:
            other.catalog.apply(P, {"APP": product()}, actor="tests")
        store.catch_up(P)
        assert store.change_token(P) != before
        assert store.last_look(P)[0] == store.change_token(P)


def test_catching_up_with_nobody_known_or_nothing_new_is_fine(store: GroupStore, beta: str) -> None:
    store.catch_up("fabrikam")
    store.catch_up(P)
    token = store.change_token(P)
    store.catch_up(P)
    assert store.change_token(P) == token


def test_the_last_look_tells_up_to_which_moment_every_write_is_known(
    deployment: Deployment, store: GroupStore, beta: str
) -> None:
    store.change_token(P)
    assert store.last_look(P)[1] <= deployment.clock.now
    later = deployment.clock.move(60)

    def looked() -> bool:
        store.change_token(P)
        return store.last_look(P)[1] == later

    until(looked, "a look after a minute", seconds=5)
    before, _ = store.last_look(P)
    deployment.clock.move(60)
    add(deployment.open(), beta, CAT)
    until(lambda: store.change_token(P) != before, "the write to be told", seconds=1.5)
    assert store.last_look(P)[0] != before


def test_a_file_is_looked_at_once_in_a_while_and_when_caught_up(tmp_path: Path) -> None:
    path = tmp_path / "groups.db"
    with (
        closing(SqliteGroupStore(Database(path))) as other,
        closing(SqliteGroupStore(Database(path, monotonic=lambda: 0.0))) as store,
    ):
        before = store.change_token(P)
        other.create(P, "Beta", [ADA], actor="tests")
        assert store.change_token(P) == before
        store.catch_up(P)
        assert store.change_token(P) != before


def test_the_last_look_is_told_while_a_file_is_away(tmp_path: Path) -> None:
    path = tmp_path / "groups.db"
    with closing(SqliteGroupStore(Database(path))) as store:
        store.create(P, "Beta", [ADA], actor="tests")
        last = store.last_look(P)
        path.rename(tmp_path / "elsewhere.db")
        for ask in (store.catch_up, store.revision):
            with pytest.raises(StoreUnavailable):
                ask(P)
        assert store.last_look(P) == last

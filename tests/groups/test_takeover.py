"""Taking over another store's writes as GroupStore promises it, from and to every backend."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import chain

import pytest

from groups.errors import NotEmpty
from groups.model import Consent, GroupChange, MembershipEdit, all_items
from groups.store import GroupStore
from tests.helpers.stores.backends import BACKENDS, Clock, Deploy, Deployment, sqlite_groups
from tests.helpers.stores.groups import ADA, BOB, CAT, DAN, P, add, remove

NAMES = {"beta": "Beta", "other": "Anders"}


@pytest.fixture
def source(deployment: Deployment) -> GroupStore:
    """A store with something of everything: members gone and back, consent, somebody forgotten."""
    store, clock = deployment.open(), deployment.clock
    store.create(P, "Beta", [ADA, BOB], actor="Eve Ö")
    clock.move(60)
    store.create(P, "Anders", [DAN], group_id="other", actor="eve")
    add(store, "beta", CAT, "é@example.com")
    clock.move(60)
    swap = MembershipEdit(add=(CAT,), remove=(DAN,))
    store.edit(P, "other", swap, actor="eve")
    note = Consent(confirmed_by=f"Bob, {ADA}", at=clock.now, text=f"{ADA} said yes")
    store.set_consent(P, "beta", note, actor="eve")
    clock.move(60)
    remove(store, "beta", CAT)
    store.forget(P, ADA, actor="eve")
    clock.move(60)
    add(store, "beta", ADA, *(f"user{number}@example.com" for number in range(300)))
    return store


@pytest.fixture(params=BACKENDS)
def target(request: pytest.FixtureRequest) -> Iterator[GroupStore]:
    deploy: Deploy = BACKENDS[request.param]
    with deploy() as made:
        made.clock.move(86_400)  # writes keep the moments they have
        yield made.open()


def take_over(source: GroupStore, target: GroupStore, at_once: int = 1_000) -> None:
    target.adopt_digest_key(source.digest_key())
    while changes := source.changes_since(P, target.revision(P), limit=at_once):
        target.record(P, NAMES, changes)


def questions(clock: Clock) -> list[Callable[[GroupStore], object]]:
    moments = [clock.now - timedelta(seconds=30 * number) for number in range(9)]

    def members_at(at: datetime) -> Callable[[GroupStore], object]:
        return lambda store: [store.members(P, one, at=at, limit=9_999) for one in NAMES]

    def memberships_at(at: datetime) -> Callable[[GroupStore], object]:
        return lambda store: store.memberships_at(P, NAMES, [ADA, BOB, CAT, DAN], at)

    def history_of(address: str) -> Callable[[GroupStore], object]:
        return lambda store: store.history(P, address=address)

    return [
        lambda store: store.publishers(),
        lambda store: store.revision(P),
        lambda store: store.list_groups(P),
        lambda store: store.digest_key(),
        lambda store: [store.members(P, one, limit=9_999) for one in NAMES],
        lambda store: [store.member_set(P, one)[1].digests for one in NAMES],
        lambda store: store.changes_since(P, 0),
        lambda store: store.recent_changes(P, moments[2]),
        lambda store: store.history(P, group_id="beta", limit=2),
        *map(history_of, (ADA, BOB, CAT)),
        *chain(map(members_at, moments), map(memberships_at, moments)),
    ]


@pytest.mark.parametrize("at_once", [1, 3, 1_000])
def test_a_store_that_took_everything_over_answers_every_question_alike(
    deployment: Deployment, source: GroupStore, target: GroupStore, at_once: int
) -> None:
    take_over(source, target, at_once)
    for question in questions(deployment.clock):
        assert question(target) == question(source)


def test_a_store_goes_on_where_the_other_left_off(
    deployment: Deployment, source: GroupStore, target: GroupStore
) -> None:
    take_over(source, target)
    last = source.revision(P)
    assert add(target, "beta", "new@example.com") == last + 1
    target.create(P, "Third", [ADA], actor="eve")
    assert target.changes_since(P, last)[0].at >= deployment.clock.now
    assert target.forget(P, DAN, actor="eve").history == source.forget(P, DAN, actor="eve").history


def test_only_the_next_write_is_taken_over(source: GroupStore, target: GroupStore) -> None:
    target.adopt_digest_key(source.digest_key())
    changes = source.changes_since(P, 0)
    for wrong in (changes[1:], (changes[0], changes[2])):
        with pytest.raises(NotEmpty):
            target.record(P, NAMES, wrong)
    assert (target.revision(P), target.group_ids(P)) == (0, frozenset())
    target.record(P, NAMES, changes[:2])
    with pytest.raises(NotEmpty):
        target.record(P, NAMES, changes)
    target.record(P, NAMES, changes[2:])
    assert target.changes_since(P, 0) == changes


def test_taking_over_nothing_writes_nothing(target: GroupStore) -> None:
    target.record(P, {}, [])
    assert (target.revision(P), target.publishers()) == (0, ())


def test_publishers_are_taken_over_each_for_itself(source: GroupStore, target: GroupStore) -> None:
    target.create("fabrikam", "Beta", [CAT], actor="eve")
    theirs = target.changes_since("fabrikam", 0)
    target.record(P, NAMES, source.changes_since(P, 0))
    assert (target.publishers(), target.changes_since("fabrikam", 0)) == ((P, "fabrikam"), theirs)


def test_a_secret_is_adopted_before_anything_else_and_for_ever(
    source: GroupStore, target: GroupStore
) -> None:
    key = source.digest_key()
    for _ in range(2):  # the same again is nothing new
        target.adopt_digest_key(key)
        assert target.digest_key() == key
    with pytest.raises(NotEmpty):
        target.adopt_digest_key(bytes(32))
    assert target.digest_key() == key


def test_a_store_with_a_secret_of_its_own_adopts_no_other(target: GroupStore) -> None:
    own = target.digest_key()
    with pytest.raises(NotEmpty):
        target.adopt_digest_key(bytes(32))
    assert target.digest_key() == own


def test_a_store_that_was_written_to_adopts_none(target: GroupStore) -> None:
    target.create(P, "Beta", [ADA], actor="eve")
    with pytest.raises(NotEmpty):
        target.adopt_digest_key(bytes(32))
    assert target.digest_key() != bytes(32)


def test_a_group_that_nobody_named_is_not_taken_over(
    source: GroupStore, target: GroupStore
) -> None:
    with pytest.raises(KeyError):
        target.record(P, {}, source.changes_since(P, 0))
    assert (target.revision(P), target.publishers()) == (0, ())


def test_who_was_forgotten_is_taken_over_as_a_digest_that_still_matches(
    target: GroupStore,
) -> None:
    """Whoever holds the members before a forgetting patches them by it: the digests have to be the same."""
    with sqlite_groups() as made:
        store = made.open()
        store.create(P, "Beta", [ADA, BOB], actor="eve")
        key, members = store.digest_key(), store.member_set(P, "beta")[1]
        store.forget(P, ADA, actor="eve")
        target.adopt_digest_key(key)
        target.record(P, NAMES, store.changes_since(P, 0))
    created = next(iter(target.changes_since(P, 0)))
    assert len(created.added) == 2
    (forgotten,) = (one for one in created.added if one != BOB)
    assert int(forgotten.removeprefix("forgotten:"), 16) in members.digests
    every: Iterator[GroupChange] = all_items(lambda cursor: target.history(P, cursor=cursor))
    assert not any(ADA in (*change.added, *change.removed) for change in every)

"""Forgetting a person as GroupStore promises it (groups/store.py), on every backend."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from groups.errors import InvalidEmails, WouldBeEmpty
from groups.member_set import Digester, digest
from groups.model import FORGOTTEN, Consent, ForgetResult
from groups.store import GroupStore
from tests.helpers.stores.backends import Clock, Deployment
from tests.helpers.stores.groups import ADA, BOB, CAT, DAN, NAMES_NOTHING, P, add, emails, remove

EVER = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock(deployment: Deployment) -> Clock:
    return deployment.clock


@pytest.fixture
def joined(store: GroupStore, beta: str) -> str:
    """A second group of Ada; a third that she left; a minute passed since. Four writes."""
    store.create(P, "Other", [ADA, CAT], actor="tests")
    store.create(P, "Left", [ADA, CAT], actor="tests")
    remove(store, "left", ADA)
    return beta


def forget(store: GroupStore, address: str = ADA, replacement: str | None = None) -> ForgetResult:
    return store.forget(P, address, actor="eve", replacement=replacement)


def dry_run(store: GroupStore, address: str = ADA, replacement: str | None = None) -> ForgetResult:
    return store.forget(P, address, actor="eve", replacement=replacement, dry_run=True)


def forgotten(store: GroupStore, address: str = ADA) -> str:
    """What stands in history in place of an address."""
    return f"{FORGOTTEN}{digest(address, store.digest_key()):016x}"


def everything(store: GroupStore) -> str:
    """All that a store tells of a publisher, as text."""
    groups = store.list_groups(P).items
    members = [store.members(P, group.group_id).items for group in groups]
    past = [store.members(P, group.group_id, at=datetime.now(UTC)).items for group in groups]
    return repr((groups, members, past, store.changes_since(P, 0)))


def test_who_is_forgotten_leaves_every_group_and_each_is_a_write(
    store: GroupStore, joined: str, clock: Clock
) -> None:
    clock.move(60)
    done = forget(store)
    assert (done.publisher, done.groups, done.emptied) == (P, (joined, "other"), ())
    assert [emails(store, one) for one in (joined, "other", "left")] == [(BOB,), (CAT,), (CAT,)]
    gone = forgotten(store)
    told = [
        (one.revision, one.group_id, one.actor, one.at, one.added, one.removed)
        for one in store.changes_since(P, 4)
    ]
    assert told == [
        (5, joined, "eve", clock.now, (), (gone,)),
        (6, "other", "eve", clock.now, (), (gone,)),
    ]
    assert store.revision(P) == 6
    assert [store.get(P, one).revision for one in (joined, "other", "left")] == [5, 6, 4]
    assert [len(members) for members in store.member_sets(P, [joined, "other"])[1].values()] == [
        1,
        1,
    ]


@pytest.mark.parametrize("form", ["ADA@Example.com", "  ada@EXAMPLE.COM\n"])
def test_a_person_is_forgotten_by_any_form_of_the_address(
    store: GroupStore, joined: str, form: str
) -> None:
    assert forget(store, form).groups == (joined, "other")
    assert ADA not in everything(store)


def test_in_history_a_digest_takes_the_place(store: GroupStore, joined: str) -> None:
    before = store.changes_since(P, 0)
    done = forget(store)
    gone = forgotten(store)
    assert done.history == 6  # made in three, left one, forgotten in two
    after = store.changes_since(P, 0)
    for then, now in zip(before, after, strict=False):
        assert set(now.added) == {gone if one == ADA else one for one in then.added}
        assert set(now.removed) == {gone if one == ADA else one for one in then.removed}
        assert now.added == tuple(sorted(now.added))
        assert replace(now, added=(), removed=()) == replace(then, added=(), removed=())
    assert store.recent_changes(P, EVER) == store.history(P).items[::-1] == after
    key = Digester(store.digest_key())
    assert key.of_recorded(gone) == key.of(ADA)


def test_nothing_that_a_store_tells_names_who_was_forgotten(
    deployment: Deployment, store: GroupStore, joined: str, clock: Clock
) -> None:
    then = clock.now
    clock.move(60)
    add(store, joined, CAT)
    forget(store)
    for reader in (store, deployment.open()):
        assert ADA not in everything(reader)
        assert reader.history(P, address=ADA).items == ()
        for at in (then, clock.now):
            past = reader.memberships_at(P, [joined, "other", "left"], [ADA], at)
            assert past.last == ()
        assert reader.memberships_at(P, [joined], [ADA, BOB], then).revision == 4
        assert reader.members(P, joined, at=then).items == (BOB, forgotten(reader))
        assert reader.members(P, joined, at=clock.now).items == (BOB, CAT)


def test_of_others_nothing_changes(store: GroupStore, joined: str, clock: Clock) -> None:
    store.create("fabrikam", "Beta", [ADA], actor="tests")
    near = ("ada@example.com.au", "a.da@example.com", "xada@example.com")
    add(store, joined, *near)
    forget(store)
    assert emails(store, joined) == tuple(sorted((BOB, *near)))
    assert [one.added for one in store.history(P, address=near[2]).items] == [(near[2],)]
    assert emails(store, "beta", "fabrikam") == (ADA,)
    past = store.memberships_at("fabrikam", ["beta"], [ADA], clock.now)
    assert (past.groups, past.revision) == (frozenset({"beta"}), 1)


def test_who_only_left_before_is_forgotten_without_a_write(store: GroupStore, joined: str) -> None:
    remove(store, joined, ADA)
    remove(store, "other", ADA)
    done = forget(store)
    assert (done.groups, done.emptied, done.history) == ((), (), 6)
    assert store.revision(P) == len(store.changes_since(P, 0)) == 6
    assert ADA not in everything(store)


def test_a_stranger_is_forgotten_without_a_trace(store: GroupStore, joined: str) -> None:
    before = everything(store)
    for _ in range(2):
        assert forget(store, DAN) == ForgetResult(publisher=P, groups=(), emptied=(), history=0)
    assert everything(store) == before


def test_who_was_forgotten_may_come_back_and_be_forgotten_again(
    store: GroupStore, joined: str, clock: Clock
) -> None:
    forget(store)
    clock.move(60)
    assert add(store, joined, ADA) == 7
    assert store.memberships_at(P, [joined], [ADA], clock.now).groups == {joined}
    assert [one.revision for one in store.history(P, address=ADA).items] == [7]
    assert forget(store) == ForgetResult(publisher=P, groups=(joined,), emptied=(), history=2)
    assert ADA not in everything(store)


@pytest.mark.parametrize("publisher", NAMES_NOTHING)
def test_of_a_publisher_that_is_not_there_nobody_is_forgotten(
    store: GroupStore, beta: str, publisher: str
) -> None:
    for dry in (True, False):
        done = store.forget(publisher, ADA, actor="eve", dry_run=dry)
        assert done == ForgetResult(publisher=publisher, groups=(), emptied=(), history=0)
    assert (store.publishers(), emails(store, beta)) == ((P,), (ADA, BOB))


# Dry runs


def test_a_dry_run_tells_whom_it_concerns_and_saves_nothing(store: GroupStore, joined: str) -> None:
    before = everything(store)
    planned = dry_run(store)
    assert (planned.groups, planned.emptied, planned.history) == ((joined, "other"), (), 4)
    assert everything(store) == before
    done = forget(store)
    assert (planned.groups, planned.emptied) == (done.groups, done.emptied)


# Groups that would be empty


@pytest.fixture
def alone(store: GroupStore, beta: str) -> GroupStore:
    """A store with two groups that have nobody but Ada, and one where she is not alone."""
    for name in ("solo", "sole"):
        store.create(P, name, [ADA], actor="tests")
    return store


def test_without_a_replacement_no_group_is_emptied(alone: GroupStore) -> None:
    before = everything(alone)
    with pytest.raises(WouldBeEmpty) as caught:
        forget(alone)
    assert caught.value.groups == [f"{P}/sole", f"{P}/solo"]
    assert everything(alone) == before


def test_a_dry_run_reports_what_would_be_empty_instead(alone: GroupStore) -> None:
    before = everything(alone)
    planned = dry_run(alone)
    assert (planned.groups, planned.emptied) == (("beta", "sole", "solo"), ("sole", "solo"))
    assert dry_run(alone, replacement=CAT) == planned
    assert everything(alone) == before


def test_a_replacement_takes_the_place_only_where_nobody_else_is_left(alone: GroupStore) -> None:
    done = forget(alone, replacement=" CAT@Example.com")
    assert (done.groups, done.emptied) == (("beta", "sole", "solo"), ("sole", "solo"))
    assert [emails(alone, one) for one in done.groups] == [(BOB,), (CAT,), (CAT,)]
    gone = forgotten(alone)
    told = [(one.group_id, one.added, one.removed) for one in alone.changes_since(P, 3)]
    assert told == [
        ("beta", (), (gone,)),
        ("sole", (CAT,), (gone,)),
        ("solo", (CAT,), (gone,)),
    ]
    assert ADA not in everything(alone)


def test_nobody_takes_their_own_place(alone: GroupStore) -> None:
    for replacement in (ADA, "ADA@example.com "):
        for ask in (forget, dry_run):
            with pytest.raises(InvalidEmails) as caught:
                ask(alone, ADA, replacement)
            (fault,) = caught.value.faults
            assert (fault.loc, fault.code) == ("replacement", "REPLACED_BY_ITSELF")
    assert alone.revision(P) == 3


def test_what_is_no_address_is_refused(alone: GroupStore) -> None:
    for address, replacement in (("nobody", None), (ADA, "nobody"), ("", CAT)):
        with pytest.raises(InvalidEmails):
            forget(alone, address, replacement)
    assert alone.revision(P) == 3


# Consent


def test_consent_notes_that_name_the_person_name_a_digest(
    store: GroupStore, joined: str, clock: Clock
) -> None:
    note = Consent(confirmed_by=f"Eve for {ADA}", at=clock.now, text=f"{ADA}; {BOB}\n{ADA} again")
    store.set_consent(P, joined, note, actor="tests")
    newer = replace(note, confirmed_by="Eve", text="all of them")
    other = replace(note, confirmed_by="Bob", text=f"only {BOB}")
    store.set_consent(P, "left", note, actor="tests")
    store.set_consent(P, "left", newer, actor="tests")
    store.set_consent(P, "other", other, actor="tests")
    done = forget(store)
    gone = forgotten(store)
    scrubbed = Consent(
        confirmed_by=f"Eve for {gone}", at=clock.now, text=f"{gone}; {BOB}\n{gone} again"
    )
    noted = [store.get(P, one).consent for one in (joined, "other", "left")]
    assert noted == [scrubbed, other, newer]
    history = [one.consent for one in store.changes_since(P, 4)]
    assert history == [scrubbed, scrubbed, newer, other, None, None]
    assert done.history == 6
    assert ADA not in everything(store)


def test_a_note_alone_is_scrubbed_too(store: GroupStore, joined: str, clock: Clock) -> None:
    note = Consent(confirmed_by=DAN, at=clock.now)
    store.set_consent(P, joined, note, actor="tests")
    assert dry_run(store, DAN).groups == forget(store, DAN).groups == ()
    assert store.get(P, joined).consent == replace(note, confirmed_by=forgotten(store, DAN))
    assert DAN not in everything(store)


# Others at the same time


def test_another_store_sees_that_somebody_was_forgotten(
    deployment: Deployment, store: GroupStore, joined: str
) -> None:
    other = deployment.open()
    before = other.change_token(P)
    forget(store)
    other.catch_up(P)
    assert other.change_token(P) != before
    changes = other.changes_since(P, 4)
    assert [one.removed for one in changes] == [(forgotten(store),)] * 2

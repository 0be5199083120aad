"""What GroupStore promises of the past (groups/store.py), on every backend."""

from datetime import UTC, datetime, timedelta

import pytest

from groups.errors import InvalidEmails, InvalidGroup, UnknownGroup
from groups.model import Consent, GroupChange, MembershipChange, Page
from groups.store import GroupStore
from tests.helpers.stores.backends import Clock, Deployment
from tests.helpers.stores.groups import (
    ADA,
    BOB,
    CAT,
    DAN,
    LONE,
    NAMES_NOTHING,
    P,
    add,
    emails,
    remove,
)

TICK = timedelta(microseconds=1)


@pytest.fixture
def clock(deployment: Deployment) -> Clock:
    return deployment.clock


@pytest.fixture
def other(store: GroupStore, beta: str) -> str:
    """A second group, and a history of five writes: beta, other, then Cat, Dan and Cat again."""
    store.create(P, "Other", [DAN, "cåt@example.com"], actor="tests")
    add(store, beta, CAT)
    add(store, "other", CAT)
    remove(store, beta, CAT)
    return "other"


def revisions(page: Page[GroupChange]) -> list[int]:
    return [change.revision for change in page.items]


# Writes, the newest first


def test_history_gives_the_writes_the_newest_first(store: GroupStore, other: str) -> None:
    page = store.history(P)
    assert page.items == store.changes_since(P, 0)[::-1]
    assert (revisions(page), page.next_cursor) == ([5, 4, 3, 2, 1], None)


def test_history_of_one_group_is_that_of_no_other(store: GroupStore, beta: str, other: str) -> None:
    assert revisions(store.history(P, group_id=beta)) == [5, 3, 1]
    assert revisions(store.history(P, group_id=other)) == [4, 2]


def test_history_about_an_address_names_it_alone(store: GroupStore, beta: str, other: str) -> None:
    page = store.history(P, address=CAT)
    told = [(one.revision, one.group_id, one.added, one.removed) for one in page.items]
    assert told == [(5, beta, (), (CAT,)), (4, other, (CAT,), ()), (3, beta, (CAT,), ())]
    (made,) = store.history(P, address=DAN).items
    assert (made.revision, made.added, made.actor) == (2, (DAN,), "tests")
    assert revisions(store.history(P, group_id=other, address=CAT)) == [4]
    assert store.history(P, address="stranger@example.com").items == ()


@pytest.mark.parametrize("form", ["  DAN@Example.COM ", "dan@EXAMPLE.com"])
def test_history_knows_an_address_in_any_form(store: GroupStore, other: str, form: str) -> None:
    assert revisions(store.history(P, address=form)) == [2]
    assert revisions(store.history(P, address=" CA\u030aT@example.com")) == [2]


def test_history_about_what_is_no_address_is_refused(store: GroupStore, beta: str) -> None:
    with pytest.raises(InvalidEmails):
        store.history(P, address="nobody")


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_history_comes_page_by_page_and_a_cursor_is_a_revision(
    store: GroupStore, other: str, limit: int
) -> None:
    seen, cursor = list[int](), None
    while True:
        page = store.history(P, cursor=cursor, limit=limit)
        assert 1 <= len(page.items) <= limit
        seen += revisions(page)
        cursor = page.next_cursor
        if cursor is None:
            break
        assert cursor == str(seen[-1])
    assert seen == [5, 4, 3, 2, 1]
    assert revisions(store.history(P, cursor="3", limit=1)) == [2]
    assert store.history(P, cursor="1").items == ()
    assert revisions(store.history(P, cursor=str(2**80))) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("cursor", ["9" * 5_000, "-1", "x", "\u0663", LONE])
def test_a_cursor_that_no_page_gave_is_refused(store: GroupStore, beta: str, cursor: str) -> None:
    with pytest.raises(InvalidGroup) as caught:
        store.history(P, cursor=cursor)
    assert [(fault.loc, fault.code) for fault in caught.value.faults] == [
        ("cursor", "UNKNOWN_CURSOR")
    ]
    assert len(str(caught.value)) < 200


def test_pages_about_one_group_or_address_skip_the_others(
    store: GroupStore, beta: str, other: str
) -> None:
    first = store.history(P, group_id=beta, limit=2)
    assert (revisions(first), first.next_cursor) == ([5, 3], "3")
    assert revisions(store.history(P, group_id=beta, cursor=first.next_cursor)) == [1]
    first = store.history(P, address=CAT, limit=2)
    assert (revisions(first), first.next_cursor) == ([5, 4], "4")
    rest = store.history(P, address=CAT, cursor=first.next_cursor, limit=1)
    assert (revisions(rest), rest.next_cursor) == ([3], None)


def test_a_cursor_stays_good_while_others_write(store: GroupStore, beta: str, other: str) -> None:
    cursor = store.history(P, limit=2).next_cursor
    add(store, beta, "new@example.com")
    assert revisions(store.history(P, cursor=cursor)) == [3, 2, 1]


def test_history_of_a_group_that_is_not_there_is_unknown(store: GroupStore, beta: str) -> None:
    for group_id in NAMES_NOTHING:
        with pytest.raises(UnknownGroup):
            store.history(P, group_id=group_id)


def test_a_page_of_history_has_at_least_one_entry(store: GroupStore, beta: str) -> None:
    for limit in (0, -1):
        with pytest.raises(ValueError, match="limit"):
            store.history(P, limit=limit)


def test_publishers_share_no_history(store: GroupStore, beta: str, clock: Clock) -> None:
    store.create("fabrikam", "Beta", [CAT], actor="tests")
    assert [one.publisher for one in store.history("fabrikam").items] == ["fabrikam"]
    assert store.history("fabrikam", address=ADA).items == ()
    past = store.memberships_at("fabrikam", [beta], [ADA, CAT], clock.now)
    assert [one.address for one in past.last] == [CAT]


# Members of a moment


def test_members_of_a_moment_are_those_of_then(store: GroupStore, beta: str, clock: Clock) -> None:
    made = clock.now
    joined = clock.move(60)
    add(store, beta, CAT)
    left = clock.move(60)
    remove(store, beta, ADA)
    back = clock.move(60)
    add(store, beta, ADA)

    def at(moment: datetime) -> tuple[str, ...]:
        return store.members(P, beta, at=moment).items

    assert at(made - TICK) == ()
    assert at(made) == at(joined - TICK) == (ADA, BOB)
    assert at(joined) == at(left - TICK) == (ADA, BOB, CAT)
    assert at(left) == at(back - TICK) == (BOB, CAT)
    assert at(back) == at(back + timedelta(days=9)) == (ADA, BOB, CAT) == emails(store, beta)


def test_a_moment_may_be_told_in_any_zone(store: GroupStore, beta: str, clock: Clock) -> None:
    at = clock.now
    clock.move(60)
    add(store, beta, CAT)
    for hours in (-8, 5.5):
        zoned = at.astimezone(datetime.strptime(f"{hours:+03.0f}00", "%z").tzinfo)
        assert store.members(P, beta, at=zoned).items == (ADA, BOB)


def test_members_of_a_moment_come_page_by_page_and_by_prefix(
    store: GroupStore, clock: Clock
) -> None:
    then = [f"{name}@x.com" for name in ("b", "a", "a.b", "ab", "é", "\ufa0e", "_")]
    store.create(P, "Beta", then, actor="tests")
    at = clock.now
    clock.move(1)
    store.replace(P, "beta", ["ac@x.com", "zz@x.com"], actor="tests")
    seen, cursor = list[str](), None
    while True:
        page = store.members(P, "beta", at=at, cursor=cursor, limit=3)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted(then)
    assert store.members(P, "beta", at=at, prefix="A").items == ("a.b@x.com", "a@x.com", "ab@x.com")
    page = store.members(P, "beta", at=at, prefix="a", limit=2)
    assert page.next_cursor == "a@x.com"
    rest = store.members(P, "beta", at=at, prefix="a", cursor=page.next_cursor)
    assert (rest.items, rest.next_cursor) == (("ab@x.com",), None)
    assert store.members(P, "beta", at=at, prefix=LONE).items == ()


def test_a_group_that_is_not_there_never_was(store: GroupStore, beta: str, clock: Clock) -> None:
    with pytest.raises(UnknownGroup):
        store.members(P, "missing", at=clock.now)


# Memberships of a moment


def test_memberships_at_a_moment_are_those_of_then_that_instant_included(
    store: GroupStore, beta: str, clock: Clock
) -> None:
    made = clock.now
    left = clock.move(60)
    remove(store, beta, ADA)
    before, gone = (store.memberships_at(P, [beta], [ADA], at) for at in (left - TICK, left))
    assert (set(before.groups), before.revision) == ({beta}, 1)
    assert before.last == (MembershipChange(address=ADA, group_id=beta, at=made, change="added"),)
    assert (gone.groups, gone.revision) == (frozenset(), 2)
    assert gone.last == (MembershipChange(address=ADA, group_id=beta, at=left, change="removed"),)


def test_before_anything_was_written_nobody_was_a_member(
    store: GroupStore, beta: str, clock: Clock
) -> None:
    for at in (clock.now - TICK, datetime(1900, 1, 1, tzinfo=UTC)):
        past = store.memberships_at(P, [beta], [ADA], at)
        assert (past.revision, past.last, past.groups) == (0, (), frozenset())


def test_a_moment_ahead_is_as_now(store: GroupStore, beta: str, other: str, clock: Clock) -> None:
    for at in (clock.now, clock.now + timedelta(days=1), datetime(9999, 12, 31, tzinfo=UTC)):
        past = store.memberships_at(P, [beta, other], [CAT, ADA], at)
        assert (past.revision, set(past.groups)) == (5, {beta, other})
        assert [(one.address, one.group_id, one.change) for one in past.last] == [
            (ADA, beta, "added"),
            (CAT, beta, "removed"),
            (CAT, other, "added"),
        ]


def test_several_addresses_are_told_apart_and_ordered(
    store: GroupStore, beta: str, other: str, clock: Clock
) -> None:
    past = store.memberships_at(P, [other, beta], [DAN, BOB, "x@example.com"], clock.now)
    assert past.groups == {beta, other}
    assert [(one.address, one.group_id) for one in past.last] == [(BOB, beta), (DAN, other)]
    assert store.memberships_at(P, [beta], [DAN], clock.now).groups == frozenset()


def test_a_group_that_does_not_exist_listed_nobody(
    store: GroupStore, beta: str, clock: Clock
) -> None:
    past = store.memberships_at(P, [beta, *NAMES_NOTHING], [ADA], clock.now)
    assert (set(past.groups), past.revision) == ({beta}, 1)


@pytest.mark.parametrize(("groups", "addresses"), [([], [ADA]), (["beta"], []), ([], [])])
def test_of_no_group_or_address_only_the_revision_is_told(
    store: GroupStore, beta: str, clock: Clock, groups: list[str], addresses: list[str]
) -> None:
    past = store.memberships_at(P, groups, addresses, clock.now)
    assert (past.revision, past.last) == (1, ())


@pytest.mark.parametrize("publisher", NAMES_NOTHING)
def test_a_publisher_that_is_not_there_has_no_past(
    store: GroupStore, beta: str, clock: Clock, publisher: str
) -> None:
    assert store.history(publisher).items == store.history(publisher, address=ADA).items == ()
    past = store.memberships_at(publisher, [beta], [ADA], clock.now)
    assert (past.revision, past.last) == (0, ())


def test_a_consent_note_changes_no_past_membership(
    store: GroupStore, beta: str, clock: Clock
) -> None:
    clock.move(60)
    store.set_consent(P, beta, Consent(confirmed_by="Eve", at=clock.now), actor="tests")
    past = store.memberships_at(P, [beta], [ADA], clock.now)
    assert (past.revision, set(past.groups)) == (2, {beta})
    assert store.members(P, beta, at=clock.now).items == (ADA, BOB)
    assert revisions(store.history(P, address=ADA)) == [1]


# Moments


def test_moments_never_go_back_whatever_the_clocks_say(
    deployment: Deployment, store: GroupStore, beta: str
) -> None:
    """The second process is five minutes late; what it writes happens with the first one's last."""
    late = Clock(deployment.clock.now - timedelta(minutes=5))
    behind = deployment.open(late)
    made = deployment.clock.now
    add(behind, beta, CAT)
    assert late.move(301) > made
    add(behind, beta, DAN)
    remove(store, beta, DAN)
    behind.set_consent(P, beta, Consent(confirmed_by="Eve", at=made), actor="tests")
    behind.create(P, "Other", [ADA], actor="tests")
    behind.forget(P, BOB, actor="tests")
    moments = [change.at for change in store.changes_since(P, 0)]
    assert moments == [made, made] + [made + timedelta(seconds=1)] * 5
    assert store.get(P, "other").created_at == made + timedelta(seconds=1)


def test_a_past_moment_means_one_revision_though_a_clock_was_wrong(
    deployment: Deployment, store: GroupStore, beta: str
) -> None:
    behind = deployment.open(Clock(deployment.clock.now - timedelta(days=1)))
    add(behind, beta, CAT)
    at = deployment.clock.now
    assert store.memberships_at(P, [beta], [CAT], at - TICK).revision == 0
    assert store.memberships_at(P, [beta], [CAT], at).groups == {beta}
    assert [one.revision for one in store.recent_changes(P, at)] == [1, 2]


def test_the_moments_of_publishers_do_not_touch(deployment: Deployment, store: GroupStore) -> None:
    ahead = deployment.open(Clock(deployment.clock.now + timedelta(days=1)))
    ahead.create("fabrikam", "Beta", [ADA], actor="tests")
    store.create(P, "Beta", [ADA], actor="tests")
    assert store.changes_since(P, 0)[0].at == deployment.clock.now

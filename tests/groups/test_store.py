"""The contract of GroupStore (groups/store.py), sentence by sentence, on every backend."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest

from groups.errors import (
    GroupExists,
    GroupsError,
    GroupSizeOutOfRange,
    InvalidEmails,
    InvalidGroup,
    RevisionMismatch,
    StoreUnavailable,
    UnknownGroup,
)
from groups.member_set import digest
from groups.model import Group, GroupChange, Head, MembershipEdit
from groups.store import GroupStore
from tests.helpers.stores.backends import Clock, Deploy, Deployment
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
from tests.helpers.stores.redis_servers import until

CROWD = [f"user{number}@example.com" for number in range(10_000)]


@pytest.fixture
def clock(deployment: Deployment) -> Clock:
    return deployment.clock


# Creating


def test_a_store_never_written_is_empty_and_at_revision_zero(store: GroupStore) -> None:
    assert store.revision(P) == 0
    assert store.publishers() == ()
    assert store.group_ids(P) == frozenset()
    assert store.list_groups(P).items == ()
    assert store.list_groups(P).next_cursor is None
    assert store.changes_since(P, 0) == ()
    assert store.member_sets(P, []) == (Head(0), {})


def test_a_created_group_tells_what_it_is(store: GroupStore, clock: Clock) -> None:
    result = store.create(P, "  Beta Testers (EU) ", [ADA, " BOB@example.com", ADA], actor="eve")
    assert (result.group_id, result.revision, result.added) == ("beta-testers-eu", 1, 2)
    assert (result.removed, result.unchanged, result.unknown, result.member_count) == (0, 0, 0, 2)
    assert store.get(P, "beta-testers-eu") == Group(
        publisher=P,
        group_id="beta-testers-eu",
        name="Beta Testers (EU)",
        member_count=2,
        revision=1,
        created_at=clock.now,
    )
    assert emails(store, "beta-testers-eu") == (ADA, BOB)


def test_addresses_may_come_as_pasted_text(store: GroupStore) -> None:
    store.create(P, "Beta", f"{CAT}; {ADA.upper()}\n{BOB},{ADA}", actor="eve")
    assert emails(store, "beta") == (ADA, BOB, CAT)


def test_a_group_id_can_be_chosen(store: GroupStore) -> None:
    assert store.create(P, "Beta", [ADA], group_id="b.2_x-y", actor="eve").group_id == "b.2_x-y"
    assert store.group_ids(P) == {"b.2_x-y"}


@pytest.mark.parametrize(
    ("name", "group_id"),
    [
        ("Beta", "beta"),
        ("Contoso  Beta_1.0 (EU)!", "contoso-beta_1.0-eu"),
        ("Ünïcode Ring", "unicode-ring"),
        ("--- a ---", "a"),
        ("日本のテスター", "group-bd28df41"),
        ("!", "group-80af745e"),
    ],
)
def test_every_name_makes_a_group_id(store: GroupStore, name: str, group_id: str) -> None:
    assert store.create(P, name, [ADA], actor="eve").group_id == group_id
    assert store.get(P, group_id).name == name


def test_an_id_is_taken_only_once(store: GroupStore, beta: str) -> None:
    with pytest.raises(GroupExists):
        store.create(P, "Another", [ADA], group_id=beta, actor="eve")
    assert store.revision(P) == 1


@pytest.mark.parametrize("name", ["Beta", "BETA", " beta  "])
def test_a_name_is_taken_only_once_in_any_letter_case(
    store: GroupStore, beta: str, name: str
) -> None:
    with pytest.raises(GroupExists):
        store.create(P, name, [ADA], group_id="another", actor="eve")
    assert store.group_ids(P) == {beta}


def test_letter_case_is_that_of_all_scripts(store: GroupStore) -> None:
    store.create(P, "STRASSE Ö", [ADA], group_id="one", actor="eve")
    with pytest.raises(GroupExists):
        store.create(P, "straße o\u0308", [ADA], group_id="two", actor="eve")


def test_publishers_share_no_ids_names_or_revisions(store: GroupStore, beta: str) -> None:
    store.create("fabrikam", "Beta", [CAT], actor="eve")
    add(store, beta, DAN)
    assert store.publishers() == (P, "fabrikam")
    assert emails(store, "beta", "fabrikam") == (CAT,)
    assert (store.revision(P), store.revision("fabrikam")) == (2, 1)


@pytest.mark.parametrize("wrong", ["", "Beta", "-beta", ".", "a b", "a/b", "ä", "a" * 101, LONE])
def test_an_id_is_a_slug_of_1_to_100_characters(store: GroupStore, wrong: str) -> None:
    with pytest.raises(InvalidGroup):
        store.create(P, "Beta", [ADA], group_id=wrong, actor="eve")
    with pytest.raises(InvalidGroup):
        store.create(wrong, "Beta", [ADA], actor="eve")
    assert store.publishers() == ()


@pytest.mark.parametrize("wrong", ["", "  ", "a\nb", "a\0b", "a" * 101, LONE])
def test_a_name_has_1_to_100_characters_and_no_control_characters(
    store: GroupStore, wrong: str
) -> None:
    with pytest.raises(InvalidGroup):
        store.create(P, wrong, [ADA], actor="eve")
    assert store.publishers() == ()


def test_the_longest_name_and_id_are_accepted(store: GroupStore) -> None:
    store.create("p" * 100, "N" * 100, [ADA], group_id="g" * 100, actor="eve")
    assert store.get("p" * 100, "g" * 100).name == "N" * 100


# Sizes


def test_a_group_has_1_to_10_000_members(store: GroupStore) -> None:
    assert store.create(P, "Full", CROWD, actor="eve").member_count == 10_000
    assert store.create(P, "Single", [ADA], actor="eve").member_count == 1


def test_members_are_counted_after_duplicates_are_gone(store: GroupStore) -> None:
    result = store.create(P, "Full", [*CROWD, *map(str.upper, CROWD)], actor="eve")
    assert (result.added, result.member_count) == (10_000, 10_000)


@pytest.mark.parametrize("members", [[], [*CROWD, ADA]], ids=["none", "10,001"])
def test_a_group_of_no_member_or_of_10_001_is_refused_whole(
    store: GroupStore, members: list[str]
) -> None:
    with pytest.raises(GroupSizeOutOfRange) as caught:
        store.create(P, "Beta", members, actor="eve")
    assert (caught.value.group_id, caught.value.size) == ("beta", len(members))
    assert store.group_ids(P) == frozenset()
    assert store.publishers() == ()


def test_an_edit_that_would_leave_nobody_is_refused_whole(store: GroupStore, beta: str) -> None:
    with pytest.raises(GroupSizeOutOfRange) as caught:
        remove(store, beta, ADA, BOB)
    assert caught.value.size == 0
    assert emails(store, beta) == (ADA, BOB)
    assert store.revision(P) == 1


def test_an_edit_that_would_leave_10_001_is_refused_whole(store: GroupStore) -> None:
    store.create(P, "Full", CROWD, actor="eve")
    with pytest.raises(GroupSizeOutOfRange) as caught:
        add(store, "full", ADA)
    assert caught.value.size == 10_001
    assert store.get(P, "full").member_count == 10_000
    swap = MembershipEdit(add=(ADA,), remove=(CROWD[0],))
    assert store.edit(P, "full", swap, actor="eve").member_count == 10_000


def test_a_replacement_by_nobody_or_by_10_001_is_refused_whole(
    store: GroupStore, beta: str
) -> None:
    for members in ([], [*CROWD, ADA]):
        with pytest.raises(GroupSizeOutOfRange):
            store.replace(P, beta, members, actor="eve")
    assert emails(store, beta) == (ADA, BOB)


# Editing


def test_an_edit_counts_what_it_did_and_what_was_asked_in_vain(
    store: GroupStore, beta: str
) -> None:
    edit = MembershipEdit(add=(CAT, ADA, "CAT@example.com"), remove=(BOB, DAN))
    result = store.edit(P, beta, edit, actor="eve")
    assert (result.added, result.removed, result.unchanged, result.unknown) == (1, 1, 1, 1)
    assert (result.revision, result.member_count) == (2, 2)
    assert emails(store, beta) == (ADA, CAT)


def test_a_write_raises_the_revision_of_the_publisher_and_of_the_group(
    store: GroupStore, beta: str
) -> None:
    store.create(P, "Other", [ADA], actor="eve")
    assert add(store, beta, CAT) == store.revision(P) == store.get(P, beta).revision == 3
    assert store.get(P, "other").revision == 2


def test_an_edit_that_changes_nothing_keeps_the_revision(store: GroupStore, beta: str) -> None:
    store.create(P, "Other", [ADA], actor="eve")
    edits = [MembershipEdit(), MembershipEdit(add=(ADA,)), MembershipEdit(remove=(DAN,))]
    assert [store.edit(P, beta, edit, actor="eve").revision for edit in edits] == [1, 1, 1]
    assert store.replace(P, beta, [BOB, ADA], actor="eve").revision == 1
    assert store.revision(P) == 2
    assert len(store.changes_since(P, 0)) == 2


def test_a_replacement_leaves_exactly_the_new_members(store: GroupStore, beta: str) -> None:
    result = store.replace(P, beta, [CAT, ADA.upper(), ADA], actor="eve")
    assert (result.added, result.removed, result.unchanged, result.unknown) == (1, 1, 1, 0)
    assert emails(store, beta) == (ADA, CAT)


def test_one_invalid_address_refuses_the_whole_write_and_all_are_named(
    store: GroupStore, beta: str
) -> None:
    edit = MembershipEdit(add=(CAT, "nobody", "a@@b"))
    writes: list[Callable[[], object]] = [
        lambda: store.create(P, "Other", edit.add, actor="eve"),
        lambda: store.edit(P, beta, edit, actor="eve"),
        lambda: store.replace(P, beta, edit.add, actor="eve"),
    ]
    for write in writes:
        with pytest.raises(InvalidEmails) as caught:
            write()
        assert [fault.loc.partition(".")[2] for fault in caught.value.faults] == ["2", "3"]
    assert emails(store, beta) == (ADA, BOB)
    assert store.group_ids(P) == {beta}


def test_adding_and_removing_one_address_at_once_is_refused(store: GroupStore, beta: str) -> None:
    edit = MembershipEdit(add=(CAT, DAN), remove=("Cat@Example.com",))
    with pytest.raises(InvalidGroup, match=CAT):
        store.edit(P, beta, edit, actor="eve")
    assert emails(store, beta) == (ADA, BOB)


def test_an_edit_based_on_an_older_revision_is_refused(store: GroupStore, beta: str) -> None:
    add(store, beta, CAT)
    for if_revision in (1, 3, 0, 2**70):
        with pytest.raises(RevisionMismatch) as caught:
            store.replace(P, beta, [DAN], actor="eve", if_revision=if_revision)
        assert (caught.value.expected, caught.value.actual) == (if_revision, 2)
    edit = MembershipEdit(add=(DAN,))
    assert store.edit(P, beta, edit, actor="eve", if_revision=2).revision == 3


def test_if_revision_is_that_of_the_group_not_of_the_publisher(
    store: GroupStore, beta: str
) -> None:
    store.create(P, "Other", [ADA], actor="eve")
    assert store.replace(P, beta, [CAT], actor="eve", if_revision=1).revision == 3


def test_a_dry_run_counts_and_checks_and_saves_nothing(store: GroupStore, beta: str) -> None:
    edit = MembershipEdit(add=(CAT,), remove=(BOB, DAN))
    result = store.edit(P, beta, edit, actor="eve", dry_run=True)
    assert (result.added, result.removed, result.unknown, result.member_count) == (1, 1, 1, 2)
    assert result.revision == 1
    assert store.replace(P, beta, [CAT], actor="eve", dry_run=True).removed == 2
    with pytest.raises(GroupSizeOutOfRange):
        store.replace(P, beta, [], actor="eve", dry_run=True)
    with pytest.raises(RevisionMismatch):
        store.edit(P, beta, edit, actor="eve", if_revision=9, dry_run=True)
    assert emails(store, beta) == (ADA, BOB)
    assert (store.revision(P), len(store.changes_since(P, 0))) == (1, 1)


def test_a_dry_run_says_what_the_write_then_does(store: GroupStore, beta: str) -> None:
    edit = MembershipEdit(add=(CAT, ADA), remove=(BOB, DAN))
    planned = store.edit(P, beta, edit, actor="eve", dry_run=True)
    done = store.edit(P, beta, edit, actor="eve")
    assert (planned.added, planned.removed, planned.unchanged, planned.unknown) == (1, 1, 1, 1)
    assert (done.added, done.removed, done.unchanged, done.unknown) == (1, 1, 1, 1)
    assert planned.member_count == done.member_count


def test_a_member_can_leave_and_come_back(store: GroupStore, beta: str) -> None:
    remove(store, beta, ADA)
    assert add(store, beta, ADA) == 3
    assert emails(store, beta) == (ADA, BOB)


# Reading


@pytest.mark.parametrize("group_id", NAMES_NOTHING)
def test_a_group_that_is_not_there_is_unknown_to_every_method(
    store: GroupStore, beta: str, group_id: str
) -> None:
    reads: list[Callable[[], object]] = [
        lambda: store.get(P, group_id),
        lambda: store.members(P, group_id),
        lambda: store.member_set(P, group_id),
        lambda: store.member_sets(P, [beta, group_id]),
        lambda: store.edit(P, group_id, MembershipEdit(add=(ADA,)), actor="eve"),
        lambda: store.replace(P, group_id, [ADA], actor="eve"),
        lambda: store.replace(P, group_id, [ADA], actor="eve", dry_run=True),
    ]
    for read in reads:
        with pytest.raises(UnknownGroup) as caught:
            read()
        assert (caught.value.publisher, caught.value.group_id) == (P, group_id)


@pytest.mark.parametrize("publisher", NAMES_NOTHING)
def test_a_publisher_that_is_not_there_has_nothing(
    store: GroupStore, beta: str, publisher: str
) -> None:
    assert store.revision(publisher) == 0
    assert store.list_groups(publisher).items == ()
    assert store.group_ids(publisher) == frozenset()
    assert store.changes_since(publisher, 0) == ()
    assert store.recent_changes(publisher, datetime(2000, 1, 1, tzinfo=UTC)) == ()
    with pytest.raises(UnknownGroup):
        store.get(publisher, beta)


def test_groups_are_listed_by_id_page_by_page(store: GroupStore) -> None:
    for group_id in ("b", "a-1", "a.1", "a", "0", "a_1", "a1"):
        store.create(P, f"Group {group_id}", [ADA], group_id=group_id, actor="eve")
    seen, cursor = [], None
    while True:
        page = store.list_groups(P, cursor=cursor, limit=3)
        assert 1 <= len(page.items) <= 3
        seen += [group.group_id for group in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["0", "a", "a-1", "a.1", "a1", "a_1", "b"]


def test_a_page_that_ends_with_the_last_item_has_no_next(store: GroupStore, beta: str) -> None:
    store.create(P, "Other", [ADA], actor="eve")
    assert store.list_groups(P, limit=2).next_cursor is None
    assert store.members(P, beta, limit=2).next_cursor is None
    assert store.members(P, beta, limit=1).next_cursor is not None


def test_a_limit_below_one_is_the_callers_mistake(store: GroupStore, beta: str) -> None:
    for limit in (0, -1):
        with pytest.raises(ValueError, match="limit"):
            store.list_groups(P, limit=limit)
        with pytest.raises(ValueError, match="limit"):
            store.members(P, beta, limit=limit)


def test_members_are_listed_by_code_point_page_by_page(store: GroupStore) -> None:
    members = [
        f"{name}@x.com"
        for name in ("b", "a", "a.b", "a-b", "a+b", "ab", "é", "\ufa0e", "\U00020000", "_")
    ]
    store.create(P, "Beta", members, actor="eve")
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = store.members(P, "beta", cursor=cursor, limit=3)
        seen += page.items
        cursor = page.next_cursor
    assert cursor is None
    assert seen == sorted(members)


def test_a_cursor_stays_good_while_members_come_and_go(store: GroupStore) -> None:
    store.create(P, "Beta", [ADA, BOB, CAT], actor="eve")
    cursor = store.members(P, "beta", limit=2).next_cursor
    edit = MembershipEdit(add=("aaa@example.com", DAN), remove=(BOB,))
    store.edit(P, "beta", edit, actor="eve")
    assert store.members(P, "beta", cursor=cursor).items == (CAT, DAN)


def test_members_can_be_asked_for_by_prefix(store: GroupStore) -> None:
    members = ["ab@x.com", "a_b@x.com", "a%b@x.com", "abc@x.com", "é@x.com", "b@x.com"]
    store.create(P, "Beta", members, actor="eve")

    def found(prefix: str) -> tuple[str, ...]:
        return store.members(P, "beta", prefix=prefix).items

    assert found("AB") == ("ab@x.com", "abc@x.com")
    assert found("a_") == ("a_b@x.com",)
    assert found("a%") == ("a%b@x.com",)
    assert found("É") == ("é@x.com",)
    assert found("b@x.com") == ("b@x.com",)
    assert found("z") == found(LONE) == found("b@x.com.") == ()
    page = store.members(P, "beta", prefix="a", limit=3)
    assert store.members(P, "beta", prefix="a", cursor=page.next_cursor).items == ("abc@x.com",)


# Member sets


def test_a_member_set_holds_the_digests_of_the_members(store: GroupStore, beta: str) -> None:
    key = store.digest_key()
    head, members = store.member_set(P, beta)
    assert (head.revision, len(members)) == (1, 2)
    assert list(members.digests) == sorted(digest(address, key) for address in (ADA, BOB))


def test_member_sets_of_a_full_group_are_complete_and_sorted(store: GroupStore) -> None:
    store.create(P, "Full", CROWD, actor="eve")
    key = store.digest_key()
    _, members = store.member_set(P, "full")
    assert list(members.digests) == sorted(digest(address, key) for address in CROWD)


def test_member_sets_come_with_the_revision_of_the_publisher(store: GroupStore, beta: str) -> None:
    store.create(P, "Other", [CAT], actor="eve")
    head, sets = store.member_sets(P, {"other", beta})
    assert head.revision == 2
    assert {group_id: len(members) for group_id, members in sets.items()} == {beta: 2, "other": 1}
    assert store.member_sets(P, [])[0].revision == 2


def test_any_number_of_groups_can_be_asked_for_at_once(store: GroupStore, beta: str) -> None:
    many = [f"g{number}" for number in range(10_000)]
    with pytest.raises(UnknownGroup):
        store.member_sets(P, [beta, *many])
    past = store.memberships_at(P, [beta, *many[:1_000]], [ADA], store.get(P, beta).created_at)
    assert past.groups == {beta}


def test_member_sets_are_one_snapshot_while_another_writes(
    deployment: Deployment, store: GroupStore
) -> None:
    """The writer moves one address between two groups: no reader sees it in both or in none."""
    for name in ("left", "right"):
        store.create(P, name, [BOB], actor="eve")
    add(store, "left", ADA)
    writer = deployment.open()

    def write() -> None:
        for _ in range(20):
            add(writer, "right", ADA)
            remove(writer, "left", ADA)
            add(writer, "left", ADA)
            remove(writer, "right", ADA)

    thread = Thread(target=write)
    thread.start()
    seen = [store.member_sets(P, ["left", "right"]) for _ in range(100)]
    thread.join()
    sizes_at = [(2, 1), (2, 2), (1, 2), (2, 2)]  # of left and right, from revision 3 on
    for head, sets in seen:
        assert (len(sets["left"]), len(sets["right"])) == sizes_at[(head.revision - 3) % 4]
    assert store.revision(P) == 83


def test_the_digest_key_is_the_same_for_everyone_and_not_guessable(
    deploy: Deploy, deployment: Deployment
) -> None:
    key = deployment.open().digest_key()
    assert len(key) == 32
    assert deployment.open().digest_key() == key
    with deploy() as other:
        assert other.open().digest_key() != key


# History


def test_the_history_says_who_changed_what_and_when(
    store: GroupStore, beta: str, clock: Clock
) -> None:
    created_at = clock.now
    edited_at = clock.move(1.5)
    edit = MembershipEdit(add=(DAN, CAT), remove=(BOB, ADA))
    store.edit(P, beta, edit, actor="Eve Ö")
    first, second = store.changes_since(P, 0)
    assert first == GroupChange(
        publisher=P,
        revision=1,
        group_id=beta,
        at=created_at,
        actor="tests",
        added=(ADA, BOB),
        removed=(),
    )
    assert second == GroupChange(
        publisher=P,
        revision=2,
        group_id=beta,
        at=edited_at,
        actor="Eve Ö",
        added=(CAT, DAN),
        removed=(ADA, BOB),
    )
    assert second.at.tzinfo is not None


def test_changes_since_a_revision_are_those_after_it_oldest_first(
    store: GroupStore, beta: str
) -> None:
    for address in (CAT, DAN):
        add(store, beta, address)
    assert [change.revision for change in store.changes_since(P, 1)] == [2, 3]
    assert [change.revision for change in store.changes_since(P, -5)] == [1, 2, 3]
    assert store.changes_since(P, 3) == store.changes_since(P, 2**80) == ()


def test_recent_changes_are_those_at_or_after_a_moment(
    store: GroupStore, beta: str, clock: Clock
) -> None:
    moments = []
    for address in (CAT, DAN):
        moments.append(clock.move(0.000001))
        add(store, beta, address)
    assert [change.revision for change in store.recent_changes(P, moments[0])] == [2, 3]
    assert [change.revision for change in store.recent_changes(P, moments[1])] == [3]
    assert store.recent_changes(P, clock.move(0.000001)) == ()


def test_a_replacement_is_told_as_what_came_and_went(store: GroupStore, beta: str) -> None:
    store.replace(P, beta, [CAT, BOB], actor="eve")
    change = store.changes_since(P, 1)[0]
    assert (change.added, change.removed) == ((CAT,), (ADA,))


# Others at the same data


def test_what_one_store_wrote_another_reads(deployment: Deployment, beta: str) -> None:
    other = deployment.open()
    assert emails(other, beta) == (ADA, BOB)
    add(other, beta, CAT)
    assert emails(deployment.opened[0], beta) == (ADA, BOB, CAT)


def test_writers_at_the_same_time_each_get_a_revision_of_their_own(
    deployment: Deployment, store: GroupStore, beta: str
) -> None:
    """Each reads, then writes: without one order of the writes two would get one revision."""
    barrier, revisions = Barrier(4), list[int]()

    def write(mine: GroupStore, name: int) -> None:
        barrier.wait()
        for number in range(10):
            revisions.append(add(mine, beta, f"w{name}.{number}@example.com"))

    stores = [store, store, deployment.open(), deployment.open()]
    threads = [Thread(target=write, args=(one, at)) for at, one in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(revisions) == list(range(2, 42))
    assert store.get(P, beta).member_count == len(emails(store, beta)) == 42
    assert [change.revision for change in store.changes_since(P, 0)] == list(range(1, 42))


def test_of_many_creating_the_same_group_one_succeeds(deployment: Deployment) -> None:
    barrier, outcomes = Barrier(4), list[str]()

    def create(mine: GroupStore) -> None:
        barrier.wait()
        try:
            mine.create(P, "Beta", [ADA], actor="eve")
            outcomes.append("created")
        except GroupsError as error:
            outcomes.append(error.code)

    threads = [Thread(target=create, args=(deployment.open(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["GROUP_EXISTS"] * 3 + ["created"]


def test_the_change_token_differs_after_a_write_through_the_same_store(
    store: GroupStore, beta: str
) -> None:
    before = store.change_token(P)
    assert store.change_token(P) == before
    add(store, beta, CAT)
    after = store.change_token(P)
    assert after != before
    assert store.change_token(P) == after


def test_the_change_token_differs_after_a_write_of_another(
    deployment: Deployment, store: GroupStore, beta: str
) -> None:
    other = deployment.open()
    before = store.change_token(P)
    add(other, beta, CAT)
    until(lambda: store.change_token(P) != before, "the write to be told", seconds=1.5)


# Closing


def test_a_closed_store_is_unavailable_and_may_be_closed_again(
    store: GroupStore, beta: str
) -> None:
    store.close()
    store.close()
    uses: list[Callable[[], object]] = [
        lambda: store.create(P, "Other", [ADA], actor="eve"),
        lambda: store.get(P, beta),
        lambda: store.list_groups(P),
        lambda: store.group_ids(P),
        store.publishers,
        lambda: store.members(P, beta),
        lambda: store.edit(P, beta, MembershipEdit(add=(CAT,)), actor="eve"),
        lambda: store.replace(P, beta, [CAT], actor="eve"),
        lambda: store.revision(P),
        lambda: store.member_set(P, beta),
        lambda: store.member_sets(P, [beta]),
        lambda: store.changes_since(P, 0),
        lambda: store.recent_changes(P, datetime(2000, 1, 1, tzinfo=UTC)),
        store.digest_key,
        lambda: store.change_token(P),
    ]
    for use in uses:
        with pytest.raises(StoreUnavailable):
            use()

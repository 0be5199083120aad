"""Consent notes as GroupStore promises them (groups/store.py), on every backend."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from groups.errors import InvalidGroup, RevisionMismatch, UnknownGroup
from groups.model import Consent, Group
from groups.store import GroupStore
from tests.helpers.stores.backends import Clock, Deployment
from tests.helpers.stores.groups import ADA, BOB, CAT, LONE, NAMES_NOTHING, P, add, emails

AT = datetime(2026, 2, 28, 9, 30, 0, 123456, tzinfo=UTC)
NOTE = Consent(confirmed_by="Eve Ö", at=AT, text='asked by mail, "yes" from all\n日本')


@pytest.fixture
def clock(deployment: Deployment) -> Clock:
    return deployment.clock


def note(
    store: GroupStore, group_id: str, consent: Consent, if_revision: int | None = None
) -> Group:
    return store.set_consent(P, group_id, consent, actor="eve", if_revision=if_revision)


def test_a_group_has_no_consent_until_one_is_noted(
    deployment: Deployment, store: GroupStore, beta: str
) -> None:
    before = store.get(P, beta)
    assert before.consent is None
    noted = note(store, beta, NOTE)
    assert noted == replace(before, consent=NOTE, revision=2)
    assert store.get(P, beta) == deployment.open().get(P, beta) == noted
    assert store.list_groups(P).items == (noted,)
    assert emails(store, beta) == (ADA, BOB)


def test_a_note_is_a_write_that_history_carries(store: GroupStore, beta: str, clock: Clock) -> None:
    clock.move(60)
    note(store, beta, NOTE)
    assert store.revision(P) == 2
    (change,) = store.changes_since(P, 1)
    assert (change.revision, change.group_id, change.at) == (2, beta, clock.now)
    assert (change.actor, change.added, change.removed) == ("eve", (), ())
    assert change.consent == NOTE
    assert store.history(P, limit=1).items == store.recent_changes(P, clock.now) == (change,)
    assert store.history(P, group_id=beta).items[1].consent is None


def test_the_same_note_again_is_none(store: GroupStore, beta: str, clock: Clock) -> None:
    first = note(store, beta, NOTE)
    clock.move(60)
    zoned = replace(NOTE, at=AT.astimezone(timezone(timedelta(hours=-8))))
    for same in (NOTE, zoned):
        assert note(store, beta, same) == first
    assert len(store.changes_since(P, 0)) == store.revision(P) == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(NOTE, confirmed_by="Bob"),
        replace(NOTE, at=AT + timedelta(microseconds=1)),
        replace(NOTE, text=""),
    ],
)
def test_another_note_takes_the_place_and_history_keeps_both(
    store: GroupStore, beta: str, other: Consent
) -> None:
    note(store, beta, NOTE)
    assert note(store, beta, other).revision == 3
    assert store.get(P, beta).consent == other
    assert [change.consent for change in store.changes_since(P, 0)] == [None, NOTE, other]


def test_a_note_stays_while_members_change(store: GroupStore, beta: str) -> None:
    note(store, beta, NOTE)
    add(store, beta, CAT)
    store.replace(P, beta, [CAT], actor="tests")
    assert store.get(P, beta).consent == NOTE


def test_a_note_based_on_an_older_revision_is_refused(store: GroupStore, beta: str) -> None:
    store.create(P, "Other", [ADA], actor="tests")
    for if_revision in (0, 2, 2**70):
        with pytest.raises(RevisionMismatch) as caught:
            note(store, beta, NOTE, if_revision)
        assert (caught.value.expected, caught.value.actual) == (if_revision, 1)
    assert store.get(P, beta).consent is None
    assert note(store, beta, NOTE, 1).revision == 3
    with pytest.raises(RevisionMismatch):  # also where nothing would change
        note(store, beta, NOTE, 1)


@pytest.mark.parametrize("group_id", NAMES_NOTHING)
def test_no_note_on_a_group_that_is_not_there(store: GroupStore, beta: str, group_id: str) -> None:
    with pytest.raises(UnknownGroup):
        note(store, group_id, NOTE)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        (replace(NOTE, confirmed_by=""), ["confirmed_by"]),
        (replace(NOTE, confirmed_by="  \n"), ["confirmed_by"]),
        (replace(NOTE, confirmed_by="e" * 201), ["confirmed_by"]),
        (replace(NOTE, text="t" * 2_001), ["text"]),
        (replace(NOTE, at=AT.replace(tzinfo=None)), ["at"]),
        (replace(NOTE, at=datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))), ["at"]),
        (replace(NOTE, at=datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))), ["at"]),
        (
            Consent(confirmed_by=" ", at=AT.replace(tzinfo=None), text="t" * 2_001),
            ["confirmed_by", "text", "at"],
        ),
    ],
)
def test_a_note_that_cannot_be_kept_is_refused_and_every_fault_is_named(
    store: GroupStore, beta: str, wrong: Consent, fields: list[str]
) -> None:
    with pytest.raises(InvalidGroup) as caught:
        note(store, beta, wrong)
    assert [fault.loc for fault in caught.value.faults] == fields
    assert {fault.code for fault in caught.value.faults} == {"INVALID_CONSENT"}
    assert store.revision(P) == 1


def test_a_moment_in_any_zone_is_kept_and_told_in_utc(store: GroupStore, beta: str) -> None:
    zoned = replace(NOTE, at=AT.astimezone(timezone(timedelta(hours=5, minutes=30))))
    told = [note(store, beta, zoned).consent, store.get(P, beta).consent]
    told.append(store.history(P, limit=1).items[0].consent)
    assert [one and one.at.isoformat() for one in told] == [AT.isoformat()] * 3


@pytest.mark.parametrize(
    "moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_any_moment_of_utc_can_be_kept(store: GroupStore, beta: str, moment: datetime) -> None:
    noted = note(store, beta, replace(NOTE, at=moment))
    assert store.get(P, beta) == noted


def test_text_that_is_no_unicode_is_kept_with_question_marks(store: GroupStore, beta: str) -> None:
    odd = replace(NOTE, confirmed_by=f"Eve{LONE}", text=LONE)
    kept = replace(NOTE, confirmed_by="Eve?", text="?")
    assert note(store, beta, odd).consent == store.get(P, beta).consent == kept
    assert note(store, beta, odd).revision == 2
    assert store.changes_since(P, 1)[0].consent == kept


def test_the_longest_note_is_accepted(store: GroupStore, beta: str) -> None:
    longest = Consent(confirmed_by="ö" * 200, at=AT, text="\U0001d4b6" * 2_000)
    assert note(store, beta, longest).consent == longest
    assert store.get(P, beta).consent == longest

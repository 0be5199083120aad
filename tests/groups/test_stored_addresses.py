"""Members that earlier releases took and nobody can sign in with: a store that has them still works."""

import pytest

from groups import csv_file, emails
from groups.errors import InvalidEmails
from groups.model import MembershipEdit
from groups.store import GroupStore
from tests.helpers.stores.groups import ADA, BOB, P

GUEST = "bob_fabrikam.example#ext#@contoso.onmicrosoft.example"
CURLY = "o\u2019brien@contoso.example"


@pytest.fixture
def old(store: GroupStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a group that an earlier release made."""
    with monkeypatch.context() as earlier:
        earlier.setattr(emails, "check_sign_in", lambda _: None)
        return store.create(P, "Old", [ADA, CURLY, GUEST], actor="tests").group_id


def test_they_are_listed_and_exported(store: GroupStore, old: str) -> None:
    members = store.members(P, old).items
    assert set(members) == {ADA, CURLY, GUEST}
    assert CURLY in csv_file.write(members).decode("utf-8-sig")
    assert store.history(P, address=CURLY).items[0].added == (CURLY,)


def test_others_come_and_go_and_they_are_removed(store: GroupStore, old: str) -> None:
    store.edit(P, old, MembershipEdit(add=(BOB,), remove=(GUEST.upper(),)), actor="tests")
    assert set(store.members(P, old).items) == {ADA, BOB, CURLY}
    assert store.forget(P, CURLY, actor="tests").groups == (old,)
    assert set(store.members(P, old).items) == {ADA, BOB}


def test_they_cannot_be_added_again(store: GroupStore, old: str) -> None:
    with pytest.raises(InvalidEmails, match="write `'`"):
        store.edit(P, old, MembershipEdit(add=(CURLY,)), actor="tests")
    with pytest.raises(InvalidEmails, match=r"perhaps bob@fabrikam\.example"):
        store.replace(P, old, [ADA, GUEST], actor="tests")
    with pytest.raises(InvalidEmails):
        store.forget(P, ADA, replacement=CURLY, actor="tests")
    assert set(store.members(P, old).items) == {ADA, CURLY, GUEST}

"""Any sequence of writes leaves a store as it leaves a dict of sets, on every backend."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import ClassVar, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from groups.errors import GroupExists, GroupSizeOutOfRange, RevisionMismatch, WouldBeEmpty
from groups.member_set import digest
from groups.model import FORGOTTEN, Consent, EditResult, ForgetResult, GroupChange, MembershipEdit
from groups.store import GroupStore
from tests.helpers.examples import examples
from tests.helpers.stores.backends import BACKENDS, Deployment

PUBLISHERS = st.sampled_from(["contoso", "fabrikam"])
GROUP_IDS = st.sampled_from(["a", "a-b", "b"])
# Canonical already, so that the model needs no rules of its own; two differ only by a dot.
PEOPLE = [f"{name}@x.com" for name in ("ada", "a.da", "ada+1", "é", "bob", "c")]
ADDRESSES = st.sampled_from(PEOPLE)
ADDRESS_SETS = st.sets(ADDRESSES)
NEVER = datetime(1900, 1, 1, tzinfo=UTC)
CONSENTS = st.builds(
    Consent,
    confirmed_by=st.sampled_from(["Eve", "bob@x.com"]),
    at=st.sampled_from([NEVER, datetime(2026, 2, 1, tzinfo=UTC)]),
    text=st.sampled_from(["", "é@x.com said yes"]),
)


class Written(NamedTuple):
    """A write as the model remembers it; who was forgotten stands as a digest here, too."""

    group_id: str
    at: datetime
    added: set[str]
    removed: set[str]
    consent: Consent | None


def written(change: GroupChange) -> Written:
    added, removed = set(change.added), set(change.removed)
    return Written(change.group_id, change.at, added, removed, change.consent)


class AgainstADictOfSets(RuleBasedStateMachine):
    """INVARIANT: after each step, every question about the store has the model's answer."""

    backend: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.scope: AbstractContextManager[Deployment] = BACKENDS[self.backend]()
        self.deployment = self.scope.__enter__()
        self.store: GroupStore = self.deployment.open()
        self.other: GroupStore = self.deployment.open()
        self.groups: dict[tuple[str, str], set[str]] = {}
        self.revised: dict[tuple[str, str], int] = {}
        self.revisions: dict[str, int] = {}
        self.history: dict[str, list[Written]] = {}
        self.consents: dict[tuple[str, str], Consent] = {}
        self.moments: list[datetime] = [NEVER]

    def teardown(self) -> None:
        self.scope.__exit__(None, None, None)

    groups_made = Bundle[tuple[str, str]]("groups_made")

    @initialize(target=groups_made)
    def first_group(self) -> tuple[str, str]:
        return self._create("contoso", "a", {"ada@x.com"})

    @rule(target=groups_made, publisher=PUBLISHERS, group_id=GROUP_IDS, members=ADDRESS_SETS)
    def create(self, publisher: str, group_id: str, members: set[str]) -> tuple[str, str]:
        return self._create(publisher, group_id, members)

    @rule(key=groups_made, add=ADDRESS_SETS, remove=ADDRESS_SETS, dry_run=st.booleans())
    def edit(self, key: tuple[str, str], add: set[str], remove: set[str], dry_run: bool) -> None:
        add = add - remove
        edit = MembershipEdit(add=tuple(add), remove=tuple(remove))

        def write() -> EditResult:
            return self.store.edit(*key, edit, actor="model", dry_run=dry_run)

        before = self.groups.get(key)
        if before is not None:
            self._written(key, write, (before | add) - remove, dry_run)

    @rule(key=groups_made, members=ADDRESS_SETS, dry_run=st.booleans())
    def replace(self, key: tuple[str, str], members: set[str], dry_run: bool) -> None:
        def write() -> EditResult:
            return self.store.replace(*key, members, actor="model", dry_run=dry_run)

        if key in self.groups:
            self._written(key, write, members, dry_run)

    @rule(key=groups_made, stale=st.integers(-2, 2).filter(bool))
    def replace_by_an_older_revision(self, key: tuple[str, str], stale: int) -> None:
        if key in self.groups:
            with pytest.raises(RevisionMismatch):
                self.store.replace(
                    *key, ["z@x.com"], actor="model", if_revision=self.revised[key] + stale
                )

    @rule(key=groups_made, consent=CONSENTS)
    def set_consent(self, key: tuple[str, str], consent: Consent) -> None:
        if key in self.groups:
            noted = self.store.set_consent(*key, consent, actor="model")
            if consent != self.consents.get(key):
                self.consents[key] = consent
                self._remember(key, set(), set(), consent)
            assert (noted.consent, noted.revision) == (consent, self.revised[key])

    @rule(publisher=PUBLISHERS, who=ADDRESSES, instead=st.none() | ADDRESSES, dry=st.booleans())
    def forget(self, publisher: str, who: str, instead: str | None, dry: bool) -> None:
        instead = None if instead == who else instead
        listed = sorted(g for (p, g), all_ in self.groups.items() if p == publisher and who in all_)
        emptied = [group_id for group_id in listed if len(self.groups[publisher, group_id]) == 1]

        def ask() -> ForgetResult:
            return self.store.forget(
                publisher, who, actor="model", replacement=instead, dry_run=dry
            )

        if emptied and not instead and not dry:
            with pytest.raises(WouldBeEmpty):
                ask()
            return
        done = ask()
        assert (done.groups, done.emptied) == (tuple(listed), tuple(emptied))
        if not dry:
            for group_id in listed:
                joins = {instead} if instead and group_id in emptied else set[str]()
                self._became(
                    (publisher, group_id), self.groups[publisher, group_id] - {who} | joins
                )
        told = self.history.get(publisher, [])
        assert done.history == sum(who in one.added | one.removed for one in told)
        if not dry:
            self._erase(publisher, who)

    @rule()
    def time_passes(self) -> None:
        self.moments.append(self.deployment.clock.now)
        self.deployment.clock.move(1)

    @rule()
    def continue_in_the_other_process(self) -> None:
        self.store, self.other = self.other, self.store

    @invariant()
    def both_stores_answer_as_the_model(self) -> None:
        for store in (self.store, self.other):
            self._agrees(store)
        for publisher in self.revisions:
            ours = {group_id for one, group_id in self.groups if one == publisher}
            self._agrees_on_the_past(self.other, publisher, ours)

    def _create(self, publisher: str, group_id: str, members: set[str]) -> tuple[str, str]:
        key = (publisher, group_id)

        def write() -> EditResult:
            return self.store.create(
                publisher, f"Group {group_id}", members, group_id=group_id, actor="model"
            )

        if key in self.groups:
            with pytest.raises((GroupExists, GroupSizeOutOfRange)):
                write()
        else:
            self._written(key, write, members, dry_run=False)
        return key

    def _written(
        self, key: tuple[str, str], write: Callable[[], EditResult], after: set[str], dry_run: bool
    ) -> None:
        """Write, and bring the model to `after` if that is allowed."""
        if not after:
            with pytest.raises(GroupSizeOutOfRange):
                write()
            return
        before = self.groups.get(key, set())
        result = write()
        assert (result.added, result.removed) == (len(after - before), len(before - after))
        assert result.member_count == len(after)
        if not dry_run and after != before:
            self._became(key, after)
        assert result.revision == self.revised[key]

    def _became(self, key: tuple[str, str], after: set[str]) -> None:
        before = self.groups.get(key, set())
        self.groups[key] = set(after)
        self._remember(key, after - before, before - after, None)

    def _remember(
        self, key: tuple[str, str], added: set[str], removed: set[str], consent: Consent | None
    ) -> None:
        publisher, group_id = key
        self.revised[key] = self.revisions[publisher] = self.revisions.get(publisher, 0) + 1
        made = Written(group_id, self.deployment.clock.now, added, removed, consent)
        self.history.setdefault(publisher, []).append(made)

    def _erase(self, publisher: str, who: str) -> None:
        """Put the digest in place of an address wherever the model remembers it."""
        instead = f"{FORGOTTEN}{digest(who, self.store.digest_key()):016x}"

        def other(people: set[str]) -> set[str]:
            return {instead if one == who else one for one in people}

        def scrubbed(note: Consent | None) -> Consent | None:
            return note and Consent(
                confirmed_by=note.confirmed_by.replace(who, instead),
                at=note.at,
                text=note.text.replace(who, instead),
            )

        self.history[publisher] = [
            Written(
                one.group_id, one.at, other(one.added), other(one.removed), scrubbed(one.consent)
            )
            for one in self.history.get(publisher, [])
        ]
        for key, note in self.consents.items():
            if key[0] == publisher:
                self.consents[key] = scrubbed(note) or note

    def _members_at(self, publisher: str, group_id: str, at: datetime) -> set[str]:
        members = set[str]()
        for one in self.history.get(publisher, []):
            if one.group_id == group_id and one.at <= at:
                members = (members | one.added) - one.removed
        return members

    def _agrees_on_the_past(self, store: GroupStore, publisher: str, ours: set[str]) -> None:
        told = self.history.get(publisher, [])
        for at in (*self.moments[-2:], self.deployment.clock.now + timedelta(days=1)):
            members = {one: self._members_at(publisher, one, at) for one in ours}
            for group_id, then in members.items():
                assert store.members(publisher, group_id, at=at).items == tuple(sorted(then))
            past = store.memberships_at(publisher, ours, PEOPLE, at)
            assert past.revision == sum(one.at <= at for one in told)
            listed = {(one.address, one.group_id) for one in past.last if one.change == "added"}
            assert listed == {(who, g) for g, then in members.items() for who in then & {*PEOPLE}}
            assert [change.revision for change in store.recent_changes(publisher, at)] == [
                revision for revision, one in enumerate(told, 1) if one.at >= at
            ]
        for who in PEOPLE[:3]:
            page = store.history(publisher, address=who, limit=100)
            assert [(one.revision, one.added, one.removed) for one in page.items] == [
                (revision, (who,) * (who in one.added), (who,) * (who in one.removed))
                for revision, one in reversed([*enumerate(told, 1)])
                if who in one.added | one.removed
            ]

    def _agrees(self, store: GroupStore) -> None:
        assert store.publishers() == tuple(sorted(self.revisions))
        secret = store.digest_key()
        for publisher in ("contoso", "fabrikam"):
            ours = {g: members for (p, g), members in self.groups.items() if p == publisher}
            head, sets = store.member_sets(publisher, store.group_ids(publisher))
            assert head.revision == store.revision(publisher) == self.revisions.get(publisher, 0)
            assert {group_id: list(held.digests) for group_id, held in sets.items()} == {
                group_id: sorted(digest(address, secret) for address in members)
                for group_id, members in ours.items()
            }
            told = list(map(written, store.changes_since(publisher, 0)))
            assert told == self.history.get(publisher, [])
            for group in store.list_groups(publisher).items:
                key = (publisher, group.group_id)
                assert store.members(*key).items == tuple(sorted(ours[group.group_id]))
                assert (group.member_count, group.revision) == (
                    len(ours[group.group_id]),
                    self.revised[key],
                )
                assert group.consent == self.consents.get(key)


@pytest.mark.parametrize("name", BACKENDS)
def test_any_sequence_of_writes_leaves_what_it_leaves_in_a_dict_of_sets(name: str) -> None:
    class OnBackend(AgainstADictOfSets):
        backend = name

    run_state_machine_as_test(
        OnBackend,
        settings=settings(max_examples=examples(40), stateful_step_count=15, deadline=None),
    )

"""Any sequence of writes leaves a store as it leaves a dict of sets, on every backend."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import ClassVar

import pytest
from group_backends import BACKENDS, Deployment
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

from groups.errors import GroupExists, GroupSizeOutOfRange, RevisionMismatch
from groups.member_set import digest
from groups.model import EditResult, MembershipEdit
from groups.store import GroupStore

PUBLISHERS = st.sampled_from(["contoso", "fabrikam"])
GROUP_IDS = st.sampled_from(["a", "a-b", "b"])
# Canonical already, so that the model needs no rules of its own; two differ only by a dot.
ADDRESSES = st.sampled_from([f"{name}@x.com" for name in ("ada", "a.da", "ada+1", "é", "bob", "c")])
ADDRESS_SETS = st.sets(ADDRESSES)


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
        self.history: dict[str, list[tuple[str, set[str], set[str]]]] = {}

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

    @rule()
    def continue_in_the_other_process(self) -> None:
        self.store, self.other = self.other, self.store

    @invariant()
    def both_stores_answer_as_the_model(self) -> None:
        for store in (self.store, self.other):
            self._agrees(store)

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
            publisher = key[0]
            self.groups[key] = set(after)
            self.revised[key] = self.revisions[publisher] = self.revisions.get(publisher, 0) + 1
            change = (key[1], after - before, before - after)
            self.history.setdefault(publisher, []).append(change)
        assert result.revision == self.revised[key]

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
            told = [
                (change.group_id, set(change.added), set(change.removed))
                for change in store.changes_since(publisher, 0)
            ]
            assert told == self.history.get(publisher, [])
            for group in store.list_groups(publisher).items:
                key = (publisher, group.group_id)
                assert store.members(*key).items == tuple(sorted(ours[group.group_id]))
                assert (group.member_count, group.revision) == (
                    len(ours[group.group_id]),
                    self.revised[key],
                )


@pytest.mark.parametrize("name", BACKENDS)
def test_any_sequence_of_writes_leaves_what_it_leaves_in_a_dict_of_sets(name: str) -> None:
    class OnBackend(AgainstADictOfSets):
        backend = name

    run_state_machine_as_test(
        OnBackend, settings=settings(max_examples=60, stateful_step_count=15, deadline=None)
    )

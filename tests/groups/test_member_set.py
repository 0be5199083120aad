"""Digests and the index over a product's groups, held against plain dicts of sets."""

import secrets
from array import array
from collections.abc import Iterable
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groups import combinations
from groups.member_set import Digester, MemberIndex, MemberSet, digest

KEY = bytes(range(32))
# Digests are near each other, far apart, and at both ends; groups are few, so that they overlap.
DIGESTS = st.one_of(
    st.integers(0, 40),
    st.integers(0, 63).map(lambda bit: 1 << bit),
    st.integers(0, 40).map(lambda below: 2**64 - 1 - below),
    st.integers(0, 2**64 - 1),
)
GROUPS = st.sampled_from(["a", "b", "c", "d"])
MODELS = st.dictionaries(GROUPS, st.sets(DIGESTS, max_size=60))
CHANGES = st.lists(
    st.tuples(GROUPS, st.sets(DIGESTS, max_size=20), st.sets(DIGESTS, max_size=20)), max_size=4
)


def member_set(digests: Iterable[int]) -> MemberSet:
    return MemberSet(array("Q", sorted(digests)))


def index_of(model: dict[str, set[int]]) -> MemberIndex:
    return MemberIndex.build({group_id: member_set(model[group_id]) for group_id in model})


def groups_of(model: dict[str, set[int]], wanted: int) -> frozenset[str]:
    return frozenset(group_id for group_id, members in model.items() if wanted in members)


def random_sets(groups: int, members: int) -> dict[str, MemberSet]:
    """Groups without common members, as no real ones are: the most that an index has to hold."""
    return {
        f"group-{number}": member_set(secrets.randbits(64) for _ in range(members))
        for number in range(groups)
    }


def assert_agrees(index: MemberIndex, model: dict[str, set[int]], also: Iterable[int]) -> None:
    everyone = set().union(*model.values())
    assert len(index) == len(everyone)
    asked = everyone.union(also, {0, 2**63, 2**64 - 1})
    for wanted in asked:
        assert index.combination(index.find(wanted)) == groups_of(model, wanted)
    assert index.find_all(asked) == [index.find(wanted) for wanted in asked]


def test_a_digest_is_eight_bytes_of_keyed_blake2b_read_from_the_big_end() -> None:
    expected = blake2b("é@x.com".encode(), digest_size=8, key=KEY).hexdigest()
    assert f"{digest('é@x.com', KEY):016x}" == expected


@given(st.text(st.characters(codec="utf-8")), st.binary(min_size=32, max_size=32))
def test_a_digester_gives_what_digest_gives(address: str, key: bytes) -> None:
    digester = Digester(key)
    assert digester.of(address) == digest(address, key)
    assert digester.of_all([address, address]) == (digest(address, key),) * 2


def test_another_key_gives_other_digests() -> None:
    assert digest("ada@x.com", KEY) != digest("ada@x.com", KEY[::-1])


def test_a_member_set_holds_each_address_once_in_eight_bytes() -> None:
    digests = [digest(address, KEY) for address in ("a@x.com", "b@x.com", "a@x.com")]
    members = MemberSet.of(digests)
    assert len(members) == 2
    assert members.digests.itemsize == 8
    assert list(members.digests) == sorted(set(digests))


def test_an_index_of_nothing_finds_nobody() -> None:
    for index in (MemberIndex.build({}), index_of({"a": set()})):
        assert len(index) == 0
        assert index.find(0) == index.find(2**64 - 1) == 0
        assert index.combination(0) == frozenset()


@given(MODELS, DIGESTS)
def test_an_index_tells_all_groups_of_a_digest(model: dict[str, set[int]], other: int) -> None:
    assert_agrees(index_of(model), model, [other])


@given(MODELS, CHANGES, DIGESTS)
def test_a_changed_index_is_the_index_of_the_changed_groups(
    model: dict[str, set[int]], changes: list[tuple[str, set[int], set[int]]], other: int
) -> None:
    index = index_of(model)
    after = {group_id: set(members) for group_id, members in model.items()}
    for group_id, added, removed in changes:
        after[group_id] = (after.get(group_id, set()) | added) - removed
    changed = index.with_changes(changes)
    assert_agrees(changed, after, [other])
    assert_agrees(index, model, [other])
    assert changed.nbytes == index_of(after).nbytes


@given(MODELS, CHANGES)
def test_combination_numbers_keep_their_meaning_after_a_change(
    model: dict[str, set[int]], changes: list[tuple[str, set[int], set[int]]]
) -> None:
    index = index_of(model)
    changed = index.with_changes(changes)
    for one in set().union(*model.values()):
        assert changed.combination(index.find(one)) == index.combination(index.find(one))


def test_a_large_index_changes_by_a_few_and_by_many() -> None:
    model = {"a": {secrets.randbits(64) for _ in range(3_000)}, "b": set(range(3_000))}
    index = index_of(model)
    some = sorted(model["a"])[:2_000]
    for count in (1, 100, 2_000):
        added = {secrets.randbits(64) for _ in range(count)}
        after = {"a": (model["a"] | added) - set(some[:count]), "b": model["b"] | set(some[:count])}
        changes = [("a", added, some[:count]), ("b", some[:count], ())]
        assert_agrees(index.with_changes(changes), after, model["a"])


def test_more_combinations_than_a_byte_can_number_are_told_apart() -> None:
    model = {f"group-{bit}": {one for one in range(600) if one >> bit & 1} for bit in range(10)}
    assert_agrees(index_of(model), model, [600])
    small = {"group-0": {one for one in range(600) if one & 1}}
    others = [(group_id, members, ()) for group_id, members in model.items()]
    assert_agrees(index_of(small).with_changes(others), model, [600])


@pytest.mark.parametrize(
    ("size", "typecode"), [(256, "B"), (257, "H"), (65_536, "H"), (65_537, "I")]
)
def test_numbers_take_the_fewest_bytes_that_hold_them(size: int, typecode: str) -> None:
    assert combinations.typecode(size) == typecode
    assert 256 ** array(typecode).itemsize >= size


@pytest.mark.parametrize("members", [6, 100, 1_000, 6_000, 8_192, 9_362, 9_363, 10_000])
def test_an_index_takes_at_most_ten_bytes_a_membership_at_seven_groups(members: int) -> None:
    index = MemberIndex.build(random_sets(7, members))
    assert index.nbytes <= 10 * 7 * members


@pytest.mark.parametrize("count", [0, 5, 6, 11, 12, 1_000, 70_000])
def test_a_search_looks_at_a_handful_of_digests(count: int) -> None:
    buckets = 1 << combinations.bucket_bits(count)
    assert count / buckets < 2 * combinations.MIN_PER_BUCKET
    assert buckets == 1 or count / buckets >= combinations.MIN_PER_BUCKET

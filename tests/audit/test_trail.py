"""The audit trail of what was only written: chains, lists, copies, and any sequence of writes."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings

from eligibility.audit import trail
from eligibility.audit.log import LogEntry
from eligibility.audit.log import link as log_link
from eligibility.audit.verify import heads, verify
from eligibility.catalog.chain import link as catalog_link
from eligibility.catalog.store import ProductVersion
from eligibility.service.copy import copy
from eligibility.service.stores import Stores
from groups.chain import ChainDigester, ChainHead
from groups.errors import NotEmpty, StoreUnavailable
from groups.model import GroupChange, MembershipEdit
from groups.storage.redis_chain import HeadField, head_of, packed_head
from tests.helpers.catalog.products import product
from tests.helpers.examples import examples
from tests.helpers.stores.audit_trail import (
    CATALOG,
    DEPLOYMENT,
    GROUPS,
    NOTE,
    OPERATIONS,
    done,
    lived,
    looked,
    named,
    unchained_in_sqlite,
)
from tests.helpers.stores.backends import BACKENDS, Deployment
from tests.helpers.stores.damage import entry, head, sql
from tests.helpers.stores.groups import ADA, BOB, CAT, P

# Nothing was changed


def test_what_was_only_written_is_as_it_was_written(stores: Stores) -> None:
    found = looked(stores)
    assert (found.findings, found.unchained, found.entries) == ((), {}, 11)
    assert {name: at.revision for name, at in found.heads.items()} == {
        CATALOG: 3,
        DEPLOYMENT: 3,
        GROUPS: 5,
    }
    assert heads(stores.chains()) == found.heads
    assert all(len(at.chain) in (32, 64) for at in found.heads.values())


def test_a_store_never_written_has_an_empty_trail(opened: Stores) -> None:
    assert looked(opened).findings == ()
    assert opened.audit.head() == ChainHead(0, "")
    assert trail.page(opened.chains()).items == ()


def test_it_is_as_written_after_somebody_was_forgotten(stores: Stores) -> None:
    before = heads(stores.chains())
    for who in (ADA, BOB, CAT):
        stores.groups.forget(P, who, replacement="dan@x.com", actor="eve")
    assert looked(stores, before).findings == ()
    told = repr(list(stores.groups.trail(P).entries(1, 99)))
    assert not [who for who in (ADA, BOB, CAT) if who in told]


@pytest.mark.parametrize("who", [ADA, BOB, CAT])
def test_it_is_as_written_wherever_the_one_who_was_forgotten_stood(
    stores: Stores, who: str
) -> None:
    """Ada in the words of the note, Bob in who confirmed it, Cat in neither."""
    stores.groups.forget(P, who, replacement="dan@x.com", actor="eve")
    assert looked(stores).findings == ()


def test_every_step_is_told(stores: Stores) -> None:
    steps: list[tuple[str, int]] = []
    verify(stores.chains(), step=lambda name, number: steps.append((name, number)))
    assert steps.count((GROUPS, 1)) == 5
    assert len(steps) == 11


def test_a_chain_goes_on_across_processes(stores: Stores, deployment: Deployment) -> None:
    other = deployment.open_both()
    other.groups.edit(P, "beta", MembershipEdit(add=("new@x.com",)), actor="t")
    other.audit.append("key.created", "t", {})
    stores.groups.edit(P, "beta", MembershipEdit(remove=("new@x.com",)), actor="t")
    stores.audit.append("key.revoked", "t", {})
    assert looked(other).findings == looked(stores).findings == ()


def test_publishers_have_chains_of_their_own(stores: Stores) -> None:
    stores.groups.create("fabrikam", "Beta", [ADA], actor="t")
    assert {chain.name for chain in stores.chains()} == {
        CATALOG,
        DEPLOYMENT,
        GROUPS,
        "groups:fabrikam",
    }
    assert [chain.name for chain in stores.chains("fabrikam")] == ["groups:fabrikam"]
    assert looked(stores).findings == ()


def test_nobody_can_tell_digests_of_one_deployment_from_another(
    stores: Stores, deployment: Deployment
) -> None:
    ours = ChainDigester(stores.groups.digest_key()).of("groups", "", 1)
    assert ChainDigester(bytes(32)).of("groups", "", 1) != ours
    assert ChainDigester(stores.groups.digest_key()).of("catalog", "", 1) != ours


# Written by a release without chains


def unchained_in_redis(stores: Stores) -> None:
    for chain, last, size in ((GROUPS, 5, 7), (CATALOG, 3, 4)):
        for revision in range(1, last + 1):
            entry(chain, revision, lambda made, size=size: made[:size])(stores)  # type: ignore[misc]
        head(chain, lambda made: made[:3])(stores)


@pytest.mark.parametrize("kind", BACKENDS)
def test_what_an_earlier_release_wrote_is_told_and_no_fault(kind: str) -> None:
    with BACKENDS[kind]() as made:
        stores = lived(made.open_both(), made.clock)
        (unchained_in_sqlite if kind == "sqlite" else unchained_in_redis)(stores)
        found = looked(stores)
        assert (found.findings, found.unchained) == ((), {GROUPS: 5, CATALOG: 3})
        known = heads(stores.chains())
        stores.groups.edit(P, "beta", MembershipEdit(remove=(CAT,)), actor="t")
        stores.groups.forget(P, ADA, replacement=CAT, actor="t")
        stores.catalog.apply(P, {"APP": product()}, actor="t")
        found = looked(stores, known)
        assert (found.findings, found.unchained) == ((), {GROUPS: 5, CATALOG: 3})
        assert [bool(one.chain) for one in stores.groups.changes_since(P, 4)] == [False] + [
            True
        ] * 3


def test_an_entry_without_digest_after_one_with_is_a_fault(in_sqlite: Stores) -> None:
    sql("UPDATE edit SET chain = NULL WHERE revision >= 4")(in_sqlite)
    sql("UPDATE group_revision SET chain = NULL")(in_sqlite)
    found = looked(in_sqlite)
    assert [(one.revision, one.what.partition(",")[0]) for one in found.findings] == [
        (4, "has no digest"),
        (5, "has no digest"),
    ]
    assert found.unchained == {}


def test_a_head_is_packed_as_it_was_read_whichever_release_wrote_it() -> None:
    for saved in ([3, "ab", 5], [3, "ab", 5, bytes(16)]):
        encoded = msgspec.msgpack.encode(saved)
        assert packed_head(head_of(encoded)) == encoded
    assert head_of(packed_head(HeadField(3, "ab", 5))) == HeadField(3, "ab", 5)


# Digests are for ever


def test_digests_are_as_they_have_always_been() -> None:
    links = ChainDigester(bytes(range(32)))
    change = GroupChange(
        publisher=P,
        revision=2,
        group_id="beta",
        at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        actor="key a from 10.0.0.7",
        added=(ADA, BOB),
        removed=(CAT,),
    )
    assert links.of_change("ab" * 16, change) == "b43fa307e9a8feb3bd7705990af28b3d"
    noted = replace(change, added=(), removed=(), consent=NOTE)
    assert (
        links.of_change("", noted)
        == "f4fb2a6763877226b9921bf5871fb17fe8f4a57f9d3bc0eb1b262e8065092613"
    )
    version = ProductVersion(
        publisher=P, product_id="APP", revision=1, at=change.at, actor="k", product=product()
    )
    deleted = replace(version, product_id="GONE", product=None)
    assert catalog_link(links, "", [deleted, version]) == "da208b32d1820ff6bc99754c0b3e4259"
    logged = LogEntry(
        revision=1, kind="k", who="w", what={"b": "", "a": "1"}, at=change.at, chain=""
    )
    assert log_link(links, "", logged) == "3decf1c302cfa9e3da691943995f43a6"


# Copied


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_a_copy_ends_where_its_source_does(stores: Stores, kind: str) -> None:
    stores.groups.forget(P, CAT, actor="t")
    with BACKENDS[kind]() as made:
        target = made.open_both()
        copy(stores, target)
        assert heads(target.chains()) == heads(stores.chains())
        assert looked(target, heads(stores.chains())).findings == ()


def test_a_copy_goes_on_and_is_no_other_log(stores: Stores, deployment: Deployment) -> None:
    with BACKENDS["sqlite"]() as made:
        target = made.open_both()
        copy(stores, target)
        stores.audit.append("key.created", "w", {})
        copy(stores, target)
        assert heads(target.chains()) == heads(stores.chains())
        target.audit.append("key.created", "theirs", {})
        stores.audit.append("key.created", "ours", {})
        with pytest.raises(NotEmpty, match="log of its own"):
            copy(stores, target)


def test_a_damaged_store_is_not_copied_into_one_that_looks_whole(stores: Stores) -> None:
    """Digests are taken over and not made anew."""
    with BACKENDS["sqlite"]() as first, BACKENDS["valkey"]() as second:
        changed, target = first.open_both(), second.open_both()
        copy(stores, changed)
        sql("UPDATE edit SET actor = 'x' WHERE revision = 2")(changed)
        copy(changed, target)
        assert named(target) == {(GROUPS, 2)}
        sql("DELETE FROM audit_entry WHERE revision = 2")(changed)
        with BACKENDS["sqlite"]() as third, pytest.raises(StoreUnavailable, match="revision 2"):
            copy(changed, third.open_both())


# Any writes


@pytest.mark.parametrize("kind", ["sqlite", "valkey", "valkey-cluster"])
def test_any_writes_and_forgettings_leave_a_trail_that_is_as_written(kind: str) -> None:
    @settings(max_examples=examples(20))
    @given(OPERATIONS)
    def holds(operations: list[tuple[str, str, set[str], str]]) -> None:
        with BACKENDS[kind]() as made:
            stores = made.open_both()
            done(stores, operations)
            assert looked(stores).findings == ()

    holds()

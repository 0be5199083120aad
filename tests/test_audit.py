"""The audit trail: nothing is changed, taken out or added behind it that `verify` does not name."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any

import damage
import msgspec
import pytest
from damage import addresses, at, entry, gone, head, put, sql
from group_backends import BACKENDS, Clock, Deployment
from group_fixtures import ADA, BOB, CAT, P
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import flight, product

from eligibility.audit import trail
from eligibility.audit.log import AuditLog, LogEntry
from eligibility.audit.log import link as log_link
from eligibility.audit.notes import note_key, note_settings
from eligibility.audit.trail import Record, chains
from eligibility.audit.verify import Verified, heads, verify
from eligibility.callers.model import Scope
from eligibility.callers.store import StoredKey
from eligibility.catalog.chain import link as catalog_link
from eligibility.catalog.store import Version
from eligibility.copying import copy
from eligibility.errors import InvalidInput
from eligibility.stores import Stores
from groups import packed
from groups.chain import ChainHead, Links
from groups.errors import NotEmpty, StoreUnavailable
from groups.model import Change, Consent, MembershipEdit
from groups.packed import HeadField

GROUPS, CATALOG, DEPLOYMENT = f"groups:{P}", f"catalog:{P}", "deployment"
NOTE = Consent(
    confirmed_by=f"Lin for {BOB}", at=datetime(2026, 2, 1, tzinfo=UTC), text=f"{ADA} agreed"
)


def lived(stores: Stores, clock: Clock) -> Stores:
    """Writes of every kind: 5 to groups, 3 to the catalogue, 3 to the log; Bob stays in the note."""
    groups, catalog, log = stores.groups, stores.catalog, stores.audit
    groups.create(P, "Beta", [ADA, BOB], actor="key a from 10.0.0.7")
    clock.move(1)
    log.append("key.created", "cli root on buildhost", {"name": "a", "scopes": "admin"})
    groups.edit(P, "beta", MembershipEdit(add=(CAT,), remove=(BOB,)), actor="key b")
    catalog.apply(P, {"APP": product(), "GONE": product()}, actor="key c")
    clock.move(1)
    groups.set_consent(P, "beta", NOTE, actor="key d")
    catalog.apply(P, {"APP": product(flight("f", ["beta"], "2.0.0.0"))}, ["GONE"], actor="key e")
    log.append("key.revoked", "cli root on buildhost", {"name": "a"})
    clock.move(1)
    groups.create(P, "Other", [ADA, *(f"user{n}@x.com" for n in range(300))], actor="key f")
    groups.edit(P, "beta", MembershipEdit(add=(BOB,)), actor="key g")
    catalog.apply(P, {"APP": product()}, actor="key h")
    log.append("settings.changed", "serve on host", {"port": "8080"})
    return stores


@pytest.fixture
def opened(deployment: Deployment) -> Stores:
    return deployment.open_both()


@pytest.fixture
def stores(opened: Stores, deployment: Deployment) -> Stores:
    return lived(opened, deployment.clock)


def looked(stores: Stores, known: dict[str, ChainHead] | None = None) -> Verified:
    return verify(chains(stores), known)


def named(stores: Stores, known: dict[str, ChainHead] | None = None) -> set[tuple[str, int]]:
    return {(finding.chain, finding.revision) for finding in looked(stores, known).findings}


# Nothing was changed


def test_what_was_only_written_is_as_it_was_written(stores: Stores) -> None:
    found = looked(stores)
    assert (found.findings, found.unchained, found.entries) == ((), {}, 11)
    assert {name: at.revision for name, at in found.heads.items()} == {
        CATALOG: 3,
        DEPLOYMENT: 3,
        GROUPS: 5,
    }
    assert heads(chains(stores)) == found.heads
    assert all(len(at.chain) in (32, 64) for at in found.heads.values())


def test_a_store_never_written_has_an_empty_trail(opened: Stores) -> None:
    assert looked(opened).findings == ()
    assert opened.audit.head() == ChainHead(0, "")
    assert trail.page(chains(opened)).items == ()


def test_it_is_as_written_after_somebody_was_forgotten(stores: Stores) -> None:
    before = heads(chains(stores))
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
    verify(chains(stores), step=lambda name, number: steps.append((name, number)))
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
    assert {chain.name for chain in chains(stores)} == {
        CATALOG,
        DEPLOYMENT,
        GROUPS,
        "groups:fabrikam",
    }
    assert [chain.name for chain in chains(stores, "fabrikam")] == ["groups:fabrikam"]
    assert looked(stores).findings == ()


def test_nobody_can_tell_digests_of_one_deployment_from_another(
    stores: Stores, deployment: Deployment
) -> None:
    ours = Links(stores.groups.digest_key()).of("groups", "", 1)
    assert Links(bytes(32)).of("groups", "", 1) != ours
    assert Links(stores.groups.digest_key()).of("catalog", "", 1) != ours


# Something was


IN_SQLITE: dict[str, tuple[damage.Damage, set[tuple[str, int]]]] = {
    "publisher": (
        sql("UPDATE edit SET publisher = 'fabrikam' WHERE revision = 2"),
        {(GROUPS, 2), ("groups:fabrikam", 1)},
    ),
    "revision": (
        sql("UPDATE edit SET revision = 9 WHERE revision = 2"),
        {(GROUPS, 2), (GROUPS, 6)},
    ),
    "revision of another type": (
        sql("UPDATE edit SET revision = 'two' WHERE revision = 2"),
        {(GROUPS, 2), (GROUPS, 6)},
    ),
    "group": (sql("UPDATE edit SET group_id = 'other' WHERE revision = 2"), {(GROUPS, 2)}),
    "moment": (sql("UPDATE edit SET at_us = at_us + 1 WHERE revision = 2"), {(GROUPS, 2)}),
    "moment of another type": (
        sql("UPDATE edit SET at_us = 'then' WHERE revision = 2"),
        {(GROUPS, 2)},
    ),
    "actor": (sql("UPDATE edit SET actor = 'key b2' WHERE revision = 2"), {(GROUPS, 2)}),
    "actor of another type": (sql("UPDATE edit SET actor = 7.5 WHERE revision = 2"), {(GROUPS, 2)}),
    "row": (sql("UPDATE edit SET edit_key = 99 WHERE revision = 3"), set()),
    "chain": (
        sql("UPDATE edit SET chain = zeroblob(16) WHERE revision = 2"),
        {(GROUPS, 2), (GROUPS, 3)},
    ),
    "chain of none": (
        sql("UPDATE edit SET chain = NULL WHERE revision = 2"),
        {(GROUPS, 2), (GROUPS, 3)},
    ),
    "address": (
        sql(
            "UPDATE edit_member SET address = 'eve@x.com' WHERE address = 'cat@example.com'"
            " AND edit_key = 2"
        ),
        {(GROUPS, 2)},
    ),
    "address that is no digest": (
        sql("UPDATE edit_member SET address = 'forgotten:no' WHERE address = 'bob@example.com'"),
        {(GROUPS, 1), (GROUPS, 2), (GROUPS, 5)},
    ),
    "address that is no digest either": (
        sql(
            "UPDATE edit_member SET address = 'forgotten:-1' WHERE address = 'cat@example.com'",
        ),
        {(GROUPS, 2)},
    ),
    "change": (sql("UPDATE edit_member SET change = -change WHERE edit_key = 2"), {(GROUPS, 2)}),
    "one address less": (
        sql("DELETE FROM edit_member WHERE edit_key = 1 AND address = 'ada@example.com'"),
        {(GROUPS, 1)},
    ),
    "one address more": (
        sql("INSERT INTO edit_member VALUES (1, 'eve@x.com', 1)"),
        {(GROUPS, 1)},
    ),
    "note": (sql("UPDATE edit SET consent = NULL WHERE revision = 3"), {(GROUPS, 3)}),
    "note that cannot be read": (
        sql("UPDATE edit SET consent = '{}' WHERE revision = 3"),
        {(GROUPS, 3)},
    ),
    "note's moment": (
        sql("UPDATE edit SET consent = replace(consent, '-02-01', '-02-02') WHERE revision = 3"),
        {(GROUPS, 3)},
    ),
    "note's words": (
        sql("UPDATE edit SET consent = replace(consent, 'agreed', 'agrees') WHERE revision = 3"),
        {(GROUPS, 3)},
    ),
    "note's person": (
        sql("UPDATE edit SET consent = replace(consent, 'Lin', 'Lyn') WHERE revision = 3"),
        {(GROUPS, 3)},
    ),
    "note where none was": (
        sql(
            "UPDATE edit SET consent = (SELECT consent FROM edit WHERE revision = 3)"
            " WHERE revision = 4"
        ),
        {(GROUPS, 4)},
    ),
    "entry": (sql("DELETE FROM edit WHERE revision = 3"), {(GROUPS, 3)}),
    "first entry": (
        sql("UPDATE edit SET publisher = 'gone' WHERE revision = 1"),
        {(GROUPS, 1), ("groups:gone", 1)},
    ),
    "last entry": (
        sql("UPDATE edit SET publisher = 'gone' WHERE revision = 5"),
        {(GROUPS, 5), ("groups:gone", 1)},
    ),
    "head": (
        sql("UPDATE group_revision SET revision = revision - 1"),
        {(GROUPS, 4), (GROUPS, 5)},
    ),
    "head ahead": (sql("UPDATE group_revision SET revision = 6"), {(GROUPS, 6)}),
    "head's chain": (sql("UPDATE group_revision SET chain = NULL"), {(GROUPS, 5)}),
    "no head": (sql("DELETE FROM group_revision"), {(GROUPS, 1)}),
    "version's moment": (
        sql("UPDATE product_version SET at = replace(at, '2026', '2027') WHERE revision = 3"),
        {(CATALOG, 3)},
    ),
    "version's unreadable moment": (
        sql("UPDATE product_version SET at = 'then' WHERE revision = 3"),
        {(CATALOG, 3)},
    ),
    "version's actor": (
        sql("UPDATE product_version SET actor = 'x' WHERE revision = 1 AND product_id = 'APP'"),
        {(CATALOG, 1)},
    ),
    "version's product": (
        sql(
            "UPDATE product_version SET body = replace(body, '1.0.0.0', '1.0.0.1')"
            " WHERE revision = 1 AND product_id = 'APP'"
        ),
        {(CATALOG, 1)},
    ),
    "version's unreadable product": (
        sql("UPDATE product_version SET body = '{}' WHERE revision = 1 AND product_id = 'APP'"),
        {(CATALOG, 1)},
    ),
    "version not deleted": (
        sql(
            "UPDATE product_version SET body = (SELECT max(body) FROM product_version)"
            " WHERE revision = 2 AND product_id = 'GONE'"
        ),
        {(CATALOG, 2)},
    ),
    "version deleted": (
        sql("UPDATE product_version SET body = NULL WHERE revision = 3"),
        {(CATALOG, 3)},
    ),
    "version's id": (
        sql("UPDATE product_version SET product_id = 'APP2' WHERE revision = 3"),
        {(CATALOG, 3)},
    ),
    "version's chain": (
        sql("UPDATE product_version SET chain = zeroblob(16) WHERE revision = 2 AND body IS NULL"),
        {(CATALOG, 2), (CATALOG, 3)},
    ),
    "version's publisher": (
        sql("UPDATE product_version SET publisher = 'x' WHERE revision = 3"),
        {(CATALOG, 3), ("catalog:x", 1)},
    ),
    "version's revision": (
        sql("UPDATE product_version SET revision = 7 WHERE revision = 2"),
        {(CATALOG, 2), (CATALOG, 4)},
    ),
    "one version of two": (
        sql("DELETE FROM product_version WHERE revision = 1 AND product_id = 'GONE'"),
        {(CATALOG, 1)},
    ),
    "catalogue's head": (
        sql("UPDATE catalog_revision SET revision = 2"),
        {(CATALOG, 2), (CATALOG, 3)},
    ),
    "no head of the catalogue": (sql("DELETE FROM catalog_revision"), {(CATALOG, 1)}),
    "log's kind": (
        sql("UPDATE audit_entry SET kind = 'key.made' WHERE revision = 1"),
        {(DEPLOYMENT, 1)},
    ),
    "log's who": (sql("UPDATE audit_entry SET who = 'x' WHERE revision = 1"), {(DEPLOYMENT, 1)}),
    "log's what": (
        sql("UPDATE audit_entry SET what = replace(what, 'admin', 'x') WHERE revision = 1"),
        {(DEPLOYMENT, 1)},
    ),
    "log's unreadable what": (
        sql("UPDATE audit_entry SET what = '[]' WHERE revision = 1"),
        {(DEPLOYMENT, 1)},
    ),
    "log's moment": (
        sql("UPDATE audit_entry SET at_us = at_us - 1 WHERE revision = 1"),
        {(DEPLOYMENT, 1)},
    ),
    "log's chain": (
        sql("UPDATE audit_entry SET chain = zeroblob(0) WHERE revision = 3"),
        {(DEPLOYMENT, 3)},
    ),
    "log's revision": (
        sql("UPDATE audit_entry SET revision = 8 WHERE revision = 3"),
        {(DEPLOYMENT, 3), (DEPLOYMENT, 4)},
    ),
    "log's entry": (sql("DELETE FROM audit_entry WHERE revision = 2"), {(DEPLOYMENT, 2)}),
    "log's head": (
        sql("UPDATE audit_head SET revision = 2"),
        {(DEPLOYMENT, 2), (DEPLOYMENT, 3)},
    ),
    "no head of the log": (sql("DELETE FROM audit_head"), {(DEPLOYMENT, 1)}),
}
IN_REDIS: dict[str, tuple[damage.Damage, set[tuple[str, int]]]] = {
    "moment": (entry(GROUPS, 2, at(0, lambda us: us + 1)), {(GROUPS, 2)}),
    "moment of another type": (entry(GROUPS, 2, at(0, "then")), {(GROUPS, 2)}),
    "group": (entry(GROUPS, 2, at(2, "other")), {(GROUPS, 2)}),
    "actor": (entry(GROUPS, 2, at(3, "key b2")), {(GROUPS, 2)}),
    "added": (entry(GROUPS, 2, at(4, addresses("eve@x.com"))), {(GROUPS, 2)}),
    "added in a crowd": (entry(GROUPS, 4, at(4, addresses(ADA, "eve@x.com"))), {(GROUPS, 4)}),
    "added that cannot be read": (entry(GROUPS, 4, at(4, b"zno")), {(GROUPS, 4)}),
    "added that is no digest": (
        entry(GROUPS, 2, at(4, addresses("forgotten:no"))),
        {(GROUPS, 2)},
    ),
    "removed": (entry(GROUPS, 2, at(5, addresses())), {(GROUPS, 2)}),
    "note": (entry(GROUPS, 3, at(6, None)), {(GROUPS, 3)}),
    "note's moment": (
        entry(GROUPS, 3, at(6, lambda note: note | {"at": "2026-02-02T00:00:00Z"})),
        {(GROUPS, 3)},
    ),
    "note's words": (
        entry(GROUPS, 3, at(6, lambda note: note | {"text": "agrees"})),
        {(GROUPS, 3)},
    ),
    "note's person": (
        entry(GROUPS, 3, at(6, lambda note: note | {"confirmed_by": "Lyn"})),
        {(GROUPS, 3)},
    ),
    "chain": (entry(GROUPS, 2, at(7, bytes(16))), {(GROUPS, 2), (GROUPS, 3)}),
    "chain of none": (
        entry(GROUPS, 2, lambda made: made[:7]),
        {(GROUPS, 2), (GROUPS, 3)},
    ),
    "entry": (entry(GROUPS, 3, gone), {(GROUPS, 3)}),
    "entry that cannot be read": (put(GROUPS, "3", b"no"), {(GROUPS, 3)}),
    "entry more": (put(GROUPS, "6", b"no"), {(GROUPS, 6)}),
    "entry under no revision": (put(GROUPS, "x", b"no"), {(GROUPS, 6)}),
    "last entry": (entry(GROUPS, 5, gone), {(GROUPS, 5)}),
    "head": (head(GROUPS, at(0, 4)), {(GROUPS, 4), (GROUPS, 5)}),
    "head's chain": (head(GROUPS, at(3, bytes(16))), {(GROUPS, 5)}),
    "head that cannot be read": (head(GROUPS, lambda _: "no"), {(GROUPS, 1)}),
    "no head": (head(GROUPS, gone), {(GROUPS, 1)}),
    "version's moment": (entry(CATALOG, 1, at(0, lambda us: us + 1)), {(CATALOG, 1)}),
    "version's actor": (entry(CATALOG, 1, at(2, "x")), {(CATALOG, 1)}),
    "version's product": (
        entry(CATALOG, 1, at(3, lambda all_: [[all_[0][0], all_[1][1]], ["GONE", None]])),
        {(CATALOG, 1)},
    ),
    "version's unreadable product": (
        entry(CATALOG, 1, at(3, lambda _: [["APP", "{}"]])),
        {(CATALOG, 1)},
    ),
    "one version of two": (entry(CATALOG, 2, at(3, lambda all_: all_[:1])), {(CATALOG, 2)}),
    "no version at all": (entry(CATALOG, 2, at(3, [])), {(CATALOG, 2)}),
    "version's chain": (entry(CATALOG, 2, at(4, bytes(16))), {(CATALOG, 2), (CATALOG, 3)}),
    "catalogue's entry": (entry(CATALOG, 2, gone), {(CATALOG, 2)}),
    "catalogue's head": (head(CATALOG, at(0, 2)), {(CATALOG, 2), (CATALOG, 3)}),
    "log's moment": (entry(DEPLOYMENT, 1, at(0, lambda us: us + 1)), {(DEPLOYMENT, 1)}),
    "log's kind": (entry(DEPLOYMENT, 1, at(2, "key.made")), {(DEPLOYMENT, 1)}),
    "log's who": (entry(DEPLOYMENT, 1, at(3, "x")), {(DEPLOYMENT, 1)}),
    "log's what": (entry(DEPLOYMENT, 1, at(4, {"name": "a"})), {(DEPLOYMENT, 1)}),
    "log's unreadable what": (entry(DEPLOYMENT, 1, at(4, [])), {(DEPLOYMENT, 1)}),
    "log's chain": (entry(DEPLOYMENT, 3, at(5, b"")), {(DEPLOYMENT, 3)}),
    "log's entry": (entry(DEPLOYMENT, 2, gone), {(DEPLOYMENT, 2)}),
    "log's head": (head(DEPLOYMENT, at(0, 2)), {(DEPLOYMENT, 2), (DEPLOYMENT, 3)}),
}


@pytest.fixture
def in_sqlite() -> Iterator[Stores]:
    with BACKENDS["sqlite"]() as made:
        yield lived(made.open_both(), made.clock)


@pytest.fixture(scope="module", params=["valkey", "valkey-cluster", "redis"])
def on_servers(request: pytest.FixtureRequest) -> Callable[[], Any]:
    return partial(BACKENDS[request.param])


@pytest.mark.parametrize("what", IN_SQLITE)
def test_whatever_is_changed_in_a_file_is_named(in_sqlite: Stores, what: str) -> None:
    change, found = IN_SQLITE[what]
    groups: Any = in_sqlite.groups
    with groups._database.read() as connection:
        connection.execute("SELECT 1").fetchone()
    _without_foreign_keys(in_sqlite, change)
    assert named(in_sqlite) == found


def _without_foreign_keys(stores: Stores, change: damage.Damage) -> None:
    """Whoever changes a file sets no pragma that stands in the way."""
    database: Any = stores.groups
    connection = database._database._idle[-1]
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        change(stores)
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


@pytest.mark.parametrize("what", IN_REDIS)
def test_whatever_is_changed_on_a_server_is_named(on_servers: Callable[[], Any], what: str) -> None:
    change, found = IN_REDIS[what]
    with on_servers() as made:
        stores = lived(made.open_both(), made.clock)
        change(stores)
        assert named(stores) == found


PAST_IT_IN_SQLITE = {
    "joined": (
        sql("INSERT INTO member SELECT 1, 'eve@x.com', max(digest) - 1 FROM member"),
        GROUPS,
        "group `beta` has 1 too many and 0 too few",
    ),
    "left": (
        sql("DELETE FROM member WHERE group_key = 1 AND address = ?", ADA),
        GROUPS,
        "group `beta` has 0 too many and 1 too few",
    ),
    "digest": (
        sql("UPDATE member SET digest = digest + 1 WHERE group_key = 1 AND address = ?", ADA),
        GROUPS,
        "group `beta` has 1 too many and 1 too few",
    ),
    "address": (
        sql("UPDATE member SET address = 'eve@x.com' WHERE group_key = 1 AND address = ?", ADA),
        GROUPS,
        "group `beta` has 1 too many and 1 too few",
    ),
    "group": (
        sql("UPDATE known_group SET group_id = 'else' WHERE group_id = 'beta'"),
        GROUPS,
        "group `beta` is not there",
    ),
    "product": (
        sql("UPDATE product SET body = replace(body, '1.0.0.0', '1.0.0.1')"),
        CATALOG,
        "product `APP` is another",
    ),
    "no product": (sql("DELETE FROM product"), CATALOG, "product `APP` is another"),
    "product of another": (
        sql("INSERT INTO product SELECT 'NEW', publisher, revision, updated_at, body FROM product"),
        CATALOG,
        "product `NEW` is another",
    ),
}


@pytest.mark.parametrize("what", PAST_IT_IN_SQLITE)
def test_whatever_is_put_in_force_past_the_trail_is_named(in_sqlite: Stores, what: str) -> None:
    change, chain, words = PAST_IT_IN_SQLITE[what]
    _without_foreign_keys(in_sqlite, change)
    found = [one for one in looked(in_sqlite).findings if words in one.what]
    assert [(one.chain, one.revision) for one in found] == [(chain, 5 if chain == GROUPS else 3)]


def test_whatever_is_put_in_force_on_a_server_is_named(on_servers: Callable[[], Any]) -> None:
    with on_servers() as made:
        stores = lived(made.open_both(), made.clock)
        groups: Any = stores.groups
        server = groups._server
        server.call("SET", server.keys.members(P, "beta"), addresses(ADA, BOB, "eve@x.com"))
        server.call("HDEL", server.keys.of(P, "products"), "APP")
        server.call("ZREM", server.keys.of(P, "product-ids"), "APP")
        assert [one.what.partition(": ")[2] for one in looked(stores).findings] == [
            "product `APP` is another",
            "group `beta` has 1 too many and 1 too few, who never joined or left",
        ]
        server.call("HDEL", server.keys.groups(P), "beta")
        assert "`beta` is not there" in looked(stores).findings[-1].what


def test_writes_while_it_looks_are_no_differences(stores: Stores, deployment: Deployment) -> None:
    """A write comes after each chain was read, and before what is in force is."""
    other = deployment.open_both()

    def step(name: str, _: int) -> None:
        if name == GROUPS:
            swap = (
                MembershipEdit(add=(CAT,))
                if len(beta(other)) == 2
                else MembershipEdit(remove=(CAT,))
            )
            other.groups.edit(P, "beta", swap, actor="t")
        elif name == CATALOG:
            other.catalog.apply(P, {f"NEW{other.catalog.revision(P)}": product()}, actor="t")

    def beta(some: Stores) -> tuple[str, ...]:
        return some.groups.members(P, "beta").items

    assert verify(chains(stores), step=step).findings == ()
    assert other.groups.revision(P) == 10
    assert looked(stores).findings == ()


def test_an_entry_without_digest_that_cannot_be_read_is_named(in_sqlite: Stores) -> None:
    unchained_in_sqlite(in_sqlite)
    sql("UPDATE edit_member SET address = 'forgotten:no' WHERE address = ?", CAT)(in_sqlite)
    assert named(in_sqlite) == {(GROUPS, 2)}


def test_the_words_of_a_note_are_told_until_somebody_in_it_is_forgotten(in_sqlite: Stores) -> None:
    """The digest that stays beside them is not that of words with a digest in them."""
    in_sqlite.groups.forget(P, ADA, replacement=BOB, actor="t")
    assert named(in_sqlite) == set()
    sql("UPDATE edit SET chain = substr(chain, 1, 16) || zeroblob(16) WHERE revision = 3")(
        in_sqlite
    )
    assert (GROUPS, 3) in named(in_sqlite)


def test_all_that_is_wrong_is_named_and_in_words(in_sqlite: Stores) -> None:
    sql("UPDATE edit SET actor = 'x' WHERE revision IN (1, 4)")(in_sqlite)
    sql("DELETE FROM audit_entry WHERE revision = 2")(in_sqlite)
    sql("UPDATE catalog_revision SET chain = zeroblob(16)")(in_sqlite)
    found = looked(in_sqlite).findings
    assert [(one.chain, one.revision, one.what.partition(":")[0]) for one in found] == [
        (CATALOG, 3, "does not end the chain"),
        (DEPLOYMENT, 2, "is missing; the entry after it cannot be checked against it"),
        (GROUPS, 1, "was changed"),
        (GROUPS, 4, "was changed"),
    ]


# Rolled back


def test_what_was_rolled_back_as_a_whole_is_told_by_earlier_heads(in_sqlite: Stores) -> None:
    """Each is a whole history of its own; only what somebody kept elsewhere tells otherwise."""
    before = heads(chains(in_sqlite))
    sql("DELETE FROM member WHERE address = ?", BOB)(in_sqlite)
    sql("DELETE FROM edit_member WHERE edit_key = 5")(in_sqlite)
    sql("DELETE FROM edit WHERE revision = 5")(in_sqlite)
    chain = in_sqlite.groups.changes_since(P, 3)[0].chain
    sql("UPDATE group_revision SET revision = 4, chain = ?", bytes.fromhex(chain))(in_sqlite)
    sql("DELETE FROM audit_entry")(in_sqlite)
    sql("DELETE FROM audit_head")(in_sqlite)
    sql("DELETE FROM product_version")(in_sqlite)
    sql("DELETE FROM catalog_revision")(in_sqlite)
    assert named(in_sqlite) == set()
    assert named(in_sqlite, before) == {(GROUPS, 4), (DEPLOYMENT, 0), (CATALOG, 3)}
    assert f"at revision {before[GROUPS].revision}" in looked(in_sqlite, before).findings[1].what


def test_another_history_up_to_where_it_was_is_told_by_earlier_heads(
    stores: Stores, deployment: Deployment
) -> None:
    """A replica that took over without the last write, and went on."""
    before = heads(chains(stores))
    assert named(stores, before) == set()
    stores.groups.edit(P, "beta", MembershipEdit(add=("new@x.com",)), actor="t")
    assert named(stores, before) == set()
    lost = {**before, GROUPS: ChainHead(5, "00" * 16)}
    assert named(stores, lost) == {(GROUPS, 5)}
    assert named(stores, {**before, "groups:fabrikam": ChainHead(2, "00" * 16)}) == {
        ("groups:fabrikam", 2)
    }


# Written by a release without chains


def unchained_in_sqlite(stores: Stores) -> None:
    for table in ("edit", "group_revision", "product_version", "catalog_revision"):
        sql(f"UPDATE {table} SET chain = NULL")(stores)


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
        known = heads(chains(stores))
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
        (4, "carries no digest"),
        (5, "carries no digest"),
    ]
    assert found.unchained == {}


def test_a_head_is_packed_as_it_was_read_whichever_release_wrote_it() -> None:
    for saved in ([3, "ab", 5], [3, "ab", 5, bytes(16)]):
        encoded = msgspec.msgpack.encode(saved)
        assert packed.packed_head(packed.head(encoded)) == encoded
    assert packed.head(packed.packed_head(HeadField(3, "ab", 5))) == HeadField(3, "ab", 5)


# Digests are for ever


def test_digests_are_as_they_have_always_been() -> None:
    links = Links(bytes(range(32)))
    change = Change(
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
    version = Version(
        publisher=P, product_id="APP", revision=1, at=change.at, actor="k", product=product()
    )
    deleted = replace(version, product_id="GONE", product=None)
    assert catalog_link(links, "", [deleted, version]) == "da208b32d1820ff6bc99754c0b3e4259"
    logged = LogEntry(
        revision=1, kind="k", who="w", what={"b": "", "a": "1"}, at=change.at, chain=""
    )
    assert log_link(links, "", logged) == "3decf1c302cfa9e3da691943995f43a6"


# The log


def test_a_log_entry_is_kept_as_it_was_noted(opened: Stores, deployment: Deployment) -> None:
    made = opened.audit.append("key.created", "cli root on h\ud800", {"b": "2\ud800", "a": "Ö"})
    assert made == LogEntry(
        revision=1,
        kind="key.created",
        who="cli root on h?",
        what={"a": "Ö", "b": "2?"},
        at=deployment.clock.now,
        chain=made.chain,
    )
    other = deployment.open_both().audit
    assert list(other.entries(1, 2)) == [made, "missing"]
    assert other.head() == ChainHead(1, made.chain)
    assert looked(opened).findings == ()


def test_moments_of_the_log_never_go_back(opened: Stores, deployment: Deployment) -> None:
    first = opened.audit.append("a", "w", {})
    deployment.clock.move(-60)
    assert opened.audit.append("b", "w", {}).at == first.at
    assert looked(opened).findings == ()


def test_many_append_at_once_and_no_entry_is_lost(opened: Stores, deployment: Deployment) -> None:
    logs = [opened.audit, deployment.open_both().audit, deployment.open_both().audit]
    start = Barrier(len(logs))

    def append(number: int, log: AuditLog) -> None:
        start.wait()
        for count in range(8):
            log.append("k", f"w{number}", {"n": str(count)})

    threads = [Thread(target=append, args=pair) for pair in enumerate(logs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = [one for one in opened.audit.entries(1, 24) if isinstance(one, LogEntry)]
    assert len({(one.who, one.what["n"]) for one in entries}) == 24
    assert opened.audit.head().revision == 24
    assert looked(opened).findings == ()


def test_entries_of_another_store_are_taken_over_just_as_they_were(
    stores: Stores, deployment: Deployment
) -> None:
    entries = [one for one in stores.audit.entries(1, 3) if isinstance(one, LogEntry)]
    with BACKENDS["sqlite"]() as made:
        target = made.open_both()
        target.groups.adopt_digest_key(stores.groups.digest_key())
        with pytest.raises(NotEmpty):
            target.audit.record(entries[1:])
        target.audit.record(entries)
        with pytest.raises(NotEmpty):
            target.audit.record(entries)
        assert list(target.audit.entries(1, 3)) == entries
        assert target.audit.head() == stores.audit.head()
        assert looked(target).findings == ()


KEY = StoredKey(
    key_id="G8SbCiefLLA2",
    name="backend",
    digest=bytes(32),
    scopes=frozenset({Scope.QUERY, Scope.ASSERT}),
    publishers=None,
    rate_limit=None,
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
    created_by="cli root",
)


def test_a_key_is_noted_without_its_digest(opened: Stores) -> None:
    made = note_key(opened.audit, "created", "cli root", KEY)
    assert (made.kind, made.who) == ("key.created", "cli root")
    assert made.what == {
        "key_id": "G8SbCiefLLA2",
        "name": "backend",
        "scopes": "access:assert, access:query",
        "publishers": "all",
    }


def test_settings_are_noted_when_they_differ(opened: Stores) -> None:
    log = opened.audit
    first = note_settings(log, {"port": 8080, "host": "h", "gone": [1]}, "serve")
    assert first is not None
    assert first.what == {"port": "8080", "host": '"h"', "gone": "[1]"}
    log.append("key.created", "w", {"port": "no setting"})
    assert note_settings(log, {"gone": [1], "port": 8080, "host": "h"}, "serve") is None
    second = note_settings(log, {"port": 8081, "host": "h"}, "serve")
    assert second is not None
    assert second.what == {"port": "8081", "gone": ""}
    assert note_settings(log, {"port": 8081, "host": "h"}, "serve") is None
    assert looked(opened).findings == ()


# All of it in the order of time


def test_everything_is_listed_the_newest_first_without_addresses(stores: Stores) -> None:
    listed = trail.page(chains(stores)).items
    assert [(one.chain, one.revision) for one in listed] == [
        (GROUPS, 5),
        (GROUPS, 4),
        (DEPLOYMENT, 3),
        (CATALOG, 3),
        (GROUPS, 3),
        (DEPLOYMENT, 2),
        (CATALOG, 2),
        (GROUPS, 2),
        (DEPLOYMENT, 1),
        (CATALOG, 1),
        (GROUPS, 1),
    ]
    by = {(one.chain, one.revision): one for one in listed}
    assert by[GROUPS, 2].what == {"group_id": "beta", "added": "1", "removed": "1"}
    assert by[GROUPS, 3].what == {"group_id": "beta", "agreed_at": "2026-02-01T00:00:00+00:00"}
    assert by[CATALOG, 2].what == {"put": "APP", "deleted": "GONE"}
    assert by[DEPLOYMENT, 1].what == {"name": "a", "scopes": "admin"}
    assert {one.kind for one in listed} == {
        "group.members",
        "group.consent",
        "catalog.products",
        "key.created",
        "key.revoked",
        "settings.changed",
    }
    assert by[GROUPS, 1].who == "key a from 10.0.0.7"
    assert by[GROUPS, 5].digest == stores.groups.trail(P).kept().head.chain
    assert "@" not in repr(listed)


@pytest.mark.parametrize("limit", [1, 2, 5, 10, 11, 50])
def test_pages_come_one_after_the_other(stores: Stores, limit: int) -> None:
    found: list[Record] = []
    cursor = None
    while True:
        page = trail.page(chains(stores), cursor=cursor, limit=limit)
        assert 1 <= len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert tuple(found) == trail.page(chains(stores)).items


def test_a_long_chain_is_read_in_parts(opened: Stores) -> None:
    for number in range(230):
        opened.audit.append("k", "w", {"n": str(number)})
    listed = trail.page(chains(opened), limit=500).items
    assert [one.what["n"] for one in listed] == [str(number) for number in reversed(range(230))]
    assert looked(opened).findings == ()


def test_a_list_may_begin_at_a_moment_and_be_of_one_publisher(
    stores: Stores, deployment: Deployment
) -> None:
    since = deployment.clock.now - timedelta(seconds=1)
    listed = trail.page(chains(stores), since=since).items
    assert [(one.chain, one.revision) for one in listed][-1] == (CATALOG, 2)
    assert len(listed) == 7
    stores.groups.create("fabrikam", "Beta", [ADA], actor="t")
    of_one = trail.page(chains(stores, "fabrikam")).items
    assert [(one.chain, one.revision) for one in of_one] == [("groups:fabrikam", 1)]


@pytest.mark.parametrize("cursor", ["", "x", "1", "1:x:groups", "99999999999999999999:1:groups"])
def test_a_cursor_of_no_page_is_refused(opened: Stores, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="--cursor"):
        trail.page(chains(opened), cursor=cursor)


def test_a_damaged_entry_is_left_out_of_the_list(in_sqlite: Stores) -> None:
    sql("UPDATE edit SET at_us = 'then' WHERE revision = 2")(in_sqlite)
    assert len(trail.page(chains(in_sqlite)).items) == 10


# Copied


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_a_copy_ends_where_its_source_does(stores: Stores, kind: str) -> None:
    stores.groups.forget(P, CAT, actor="t")
    with BACKENDS[kind]() as made:
        target = made.open_both()
        copy(stores, target)
        assert heads(chains(target)) == heads(chains(stores))
        assert looked(target, heads(chains(stores))).findings == ()


def test_a_copy_goes_on_and_is_no_other_log(stores: Stores, deployment: Deployment) -> None:
    with BACKENDS["sqlite"]() as made:
        target = made.open_both()
        copy(stores, target)
        stores.audit.append("key.created", "w", {})
        copy(stores, target)
        assert heads(chains(target)) == heads(chains(stores))
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

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "consent", "forget", "product"]),
        st.sampled_from(["a", "b"]),
        st.sets(st.sampled_from([ADA, BOB, CAT]), min_size=1),
        st.sampled_from([ADA, BOB, CAT]),
    ),
    max_size=12,
)
WHO = "dan@x.com"


def done(stores: Stores, operations: list[tuple[str, str, set[str], str]]) -> None:
    for group_id in ("a", "b"):
        stores.groups.create(P, group_id, [WHO], actor="t")
    for deed, group_id, some, one in operations:
        if deed == "edit":
            stores.groups.replace(P, group_id, [WHO, *some], actor=one)
        elif deed == "consent":
            note = Consent(confirmed_by=one, at=NOTE.at, text=" ".join(sorted(some)))
            stores.groups.set_consent(P, group_id, note, actor="t")
        elif deed == "forget":
            stores.groups.forget(P, one, actor="t")
        else:
            put_or_not = {"APP": product()} if len(some) > 1 else {group_id: product()}
            stores.catalog.apply(P, put_or_not, actor=one)


@pytest.mark.parametrize("kind", ["sqlite", "valkey", "valkey-cluster"])
def test_any_writes_and_forgettings_leave_a_trail_that_is_as_written(kind: str) -> None:
    @settings(max_examples=20)
    @given(OPERATIONS)
    def holds(operations: list[tuple[str, str, set[str], str]]) -> None:
        with BACKENDS[kind]() as made:
            stores = made.open_both()
            done(stores, operations)
            assert looked(stores).findings == ()

    holds()


COLUMNS = ["group_id", "at_us", "actor", "chain", "revision", "publisher", "consent"]


@settings(max_examples=60)
@given(OPERATIONS, st.sampled_from(COLUMNS), st.integers(0, 1_000))
def test_any_one_field_of_any_one_entry_is_named(
    operations: list[tuple[str, str, set[str], str]], column: str, which: int
) -> None:
    with BACKENDS["sqlite"]() as made:
        stores = made.open_both()
        done(stores, operations)
        revision = which % stores.groups.revision(P) + 1
        other = {
            "at_us": 7,
            "revision": 1_000,
            "chain": bytes(16),
            "consent": '{"confirmed_by": "x", "at": "2026-01-01T00:00:00+00:00", "text": ""}',
        }.get(column, "other")
        sql(f"UPDATE edit SET {column} = ? WHERE revision = ?", other, revision)(stores)
        assert (GROUPS, revision) in named(stores)

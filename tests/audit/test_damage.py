"""Nothing is changed, taken out or added behind the trail, or put in force past it, that `verify` does not name."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.audit.verify import heads, verify
from eligibility.service.stores import Stores
from groups.chain import ChainHead
from groups.model import MembershipEdit
from tests.helpers.catalog.products import product
from tests.helpers.examples import examples
from tests.helpers.stores import damage
from tests.helpers.stores.audit_trail import (
    CATALOG,
    DEPLOYMENT,
    GROUPS,
    OPERATIONS,
    done,
    lived,
    looked,
    named,
    unchained_in_sqlite,
)
from tests.helpers.stores.backends import BACKENDS, Deployment
from tests.helpers.stores.damage import addresses, at, entry, gone, head, put, sql
from tests.helpers.stores.groups import ADA, BOB, CAT, P

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
        "group `beta` has 1 members too many and 0 too few",
    ),
    "left": (
        sql("DELETE FROM member WHERE group_key = 1 AND address = ?", ADA),
        GROUPS,
        "group `beta` has 0 members too many and 1 too few",
    ),
    "digest": (
        sql("UPDATE member SET digest = digest + 1 WHERE group_key = 1 AND address = ?", ADA),
        GROUPS,
        "group `beta` has 1 members too many and 1 too few",
    ),
    "address": (
        sql("UPDATE member SET address = 'eve@x.com' WHERE group_key = 1 AND address = ?", ADA),
        GROUPS,
        "group `beta` has 1 members too many and 1 too few",
    ),
    "group": (
        sql("UPDATE known_group SET group_id = 'else' WHERE group_id = 'beta'"),
        GROUPS,
        "group `beta` does not exist",
    ),
    "product": (
        sql("UPDATE product SET body = replace(body, '1.0.0.0', '1.0.0.1')"),
        CATALOG,
        "product `APP` is different",
    ),
    "no product": (sql("DELETE FROM product"), CATALOG, "product `APP` is different"),
    "product of another": (
        sql("INSERT INTO product SELECT 'NEW', publisher, revision, updated_at, body FROM product"),
        CATALOG,
        "product `NEW` is different",
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
            "product `APP` is different",
            "group `beta` has 1 members too many and 1 too few",
        ]
        server.call("HDEL", server.keys.groups(P), "beta")
        assert "`beta` does not exist" in looked(stores).findings[-1].what


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

    assert verify(stores.chains(), step=step).findings == ()
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
        (CATALOG, 3, "is not the end of the chain"),
        (DEPLOYMENT, 2, "is missing; the entry after it cannot be checked against it"),
        (GROUPS, 1, "was changed"),
        (GROUPS, 4, "was changed"),
    ]


# Rolled back


def test_what_was_rolled_back_as_a_whole_is_told_by_earlier_heads(in_sqlite: Stores) -> None:
    """Each is a whole history of its own; only what somebody kept elsewhere tells otherwise."""
    before = heads(in_sqlite.chains())
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
    before = heads(stores.chains())
    assert named(stores, before) == set()
    stores.groups.edit(P, "beta", MembershipEdit(add=("new@x.com",)), actor="t")
    assert named(stores, before) == set()
    lost = {**before, GROUPS: ChainHead(5, "00" * 16)}
    assert named(stores, lost) == {(GROUPS, 5)}
    assert named(stores, {**before, "groups:fabrikam": ChainHead(2, "00" * 16)}) == {
        ("groups:fabrikam", 2)
    }


COLUMNS = ["group_id", "at_us", "actor", "chain", "revision", "publisher", "consent"]


@settings(max_examples=examples(60))
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

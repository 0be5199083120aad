"""The audit log as AuditLog promises it (eligibility/audit/log.py), on every backend, and the list of all."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from eligibility.audit import trail
from eligibility.audit.log import AuditLog, LogEntry
from eligibility.audit.notes import note_forgotten, note_settings
from eligibility.audit.trail import TrailEntry
from eligibility.callers.key_admin import note_key
from eligibility.callers.model import Scope
from eligibility.callers.store import StoredKey
from eligibility.errors import InvalidInput
from eligibility.service.stores import Stores
from groups.chain import ChainHead
from groups.errors import NotEmpty
from groups.model import ForgetResult
from tests.helpers.stores.audit_trail import CATALOG, DEPLOYMENT, GROUPS, looked
from tests.helpers.stores.backends import BACKENDS, Deployment
from tests.helpers.stores.damage import sql
from tests.helpers.stores.groups import ADA, P

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


def test_a_forgetting_is_noted_and_not_who(opened: Stores) -> None:
    done = ForgetResult(publisher=P, groups=("beta", "other"), emptied=(), history=7)
    made = note_forgotten(opened.audit, "cli root", done)
    assert (made.kind, made.who) == ("person.forgotten", "cli root")
    assert made.what == {"publisher": P, "groups": "beta, other", "history": "7"}


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
    listed = trail.page(stores.chains()).items
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
    found: list[TrailEntry] = []
    cursor = None
    while True:
        page = trail.page(stores.chains(), cursor=cursor, limit=limit)
        assert 1 <= len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert tuple(found) == trail.page(stores.chains()).items


def test_a_long_chain_is_read_in_parts(opened: Stores) -> None:
    for number in range(230):
        opened.audit.append("k", "w", {"n": str(number)})
    listed = trail.page(opened.chains(), limit=500).items
    assert [one.what["n"] for one in listed] == [str(number) for number in reversed(range(230))]
    assert looked(opened).findings == ()


def test_a_list_may_begin_at_a_moment_and_be_of_one_publisher(
    stores: Stores, deployment: Deployment
) -> None:
    since = deployment.clock.now - timedelta(seconds=1)
    listed = trail.page(stores.chains(), since=since).items
    assert [(one.chain, one.revision) for one in listed][-1] == (CATALOG, 2)
    assert len(listed) == 7
    stores.groups.create("fabrikam", "Beta", [ADA], actor="t")
    of_one = trail.page(stores.chains("fabrikam")).items
    assert [(one.chain, one.revision) for one in of_one] == [("groups:fabrikam", 1)]


@pytest.mark.parametrize("cursor", ["", "x", "1", "1:x:groups", "99999999999999999999:1:groups"])
def test_a_cursor_of_no_page_is_refused(opened: Stores, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="--cursor"):
        trail.page(opened.chains(), cursor=cursor)


def test_a_damaged_entry_is_left_out_of_the_list(in_sqlite: Stores) -> None:
    sql("UPDATE edit SET at_us = 'then' WHERE revision = 2")(in_sqlite)
    assert len(trail.page(in_sqlite.chains()).items) == 10

"""What a Redis store survives: crashes, lost answers and messages, failovers, a full disk."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis.crc import key_slot

from groups.errors import HistoryLost, StoreFull, StoreUnavailable
from groups.model import MembershipEdit
from groups.store import GroupStore
from tests.helpers.servers.proxy import proxy_to
from tests.helpers.stores.backends import Clock, open_store
from tests.helpers.stores.redis_servers import (
    ServerProcess,
    sentinel,
    until,
    valkey,
    valkey_cluster,
)

P = "contoso"
ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")
EVERY_SECOND = ("--appendonly", "yes", "--appendfsync", "everysec")


def add(store: GroupStore, *addresses: str, publisher: str = P) -> int:
    return store.edit(publisher, "beta", MembershipEdit(add=addresses), actor="tests").revision


def members(store: GroupStore, publisher: str = P) -> set[str]:
    return set(store.members(publisher, "beta", limit=20_000).items)


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with valkey(*ALWAYS) as started:
        yield started


@pytest.fixture
def store(server: ServerProcess) -> Iterator[GroupStore]:
    with closing(open_store(server.url)) as opened:
        opened.create(P, "Beta", ["ada@x.com"], actor="tests")
        yield opened


def written_until_it_fails(store: GroupStore, acknowledged: list[str]) -> threading.Thread:
    """Add members one after another, noting each that was acknowledged, until the store is unavailable."""

    def write() -> None:
        for number in range(100_000):
            address = f"user{number}@x.com"
            try:
                add(store, address)
            except StoreUnavailable:
                return
            acknowledged.append(address)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


# Crashes


def test_a_crash_during_writes_loses_no_acknowledged_one_when_the_log_is_always_synced(
    server: ServerProcess, store: GroupStore
) -> None:
    acknowledged: list[str] = []
    writing = written_until_it_fails(store, acknowledged)
    until(lambda: len(acknowledged) > 30, "some writes")
    server.kill()
    writing.join(timeout=30)
    assert not writing.is_alive()
    server.start()
    with closing(open_store(server.url)) as after:
        assert members(after) >= {"ada@x.com", *acknowledged}
        revision = after.revision(P)
        assert [c.revision for c in after.changes_since(P, 0)] == list(range(1, revision + 1))
        assert after.get(P, "beta").member_count == len(members(after))


def test_a_crash_loses_at_most_what_was_acknowledged_in_the_last_two_seconds_otherwise() -> None:
    """`everysec` syncs once a second, and may be one late; a process that crashes loses nothing,
    as the log is with the system. What a crash of the machine takes is the unsynced end of the
    log, here cut off by hand."""
    with valkey(*EVERY_SECOND) as server, closing(open_store(server.url)) as store:
        store.create(P, "Beta", ["ada@x.com"], actor="tests")
        time.sleep(2.1)
        late = [f"late{number}@x.com" for number in range(5)]
        for address in late:
            add(store, address)
        server.kill()
        (log,) = server.directory.glob("appendonlydir/*.incr.aof")
        kept = log.read_bytes()
        log.write_bytes(kept[: kept.rindex(b"*", 0, len(kept) - 200)])
        server.start()
        with closing(open_store(server.url)) as after:
            assert {"ada@x.com"} <= members(after) < {"ada@x.com", *late}
            assert after.revision(P) == len(after.changes_since(P, 0))


def test_after_a_crash_the_same_store_goes_on_by_itself(
    server: ServerProcess, store: GroupStore
) -> None:
    store.change_token(P)
    server.kill()
    with pytest.raises(StoreUnavailable):
        members(store)
    server.start()
    until(lambda: answers(store), "the store to be back", seconds=5)
    assert members(store) == {"ada@x.com"}


def answers(store: GroupStore, publisher: str = P) -> bool:
    try:
        store.change_token(publisher)
        return bool(store.revision(publisher))
    except StoreUnavailable:
        return False


# Away


def is_away(store: GroupStore) -> bool:
    """Whether the feed knows that the server is away."""
    try:
        store.change_token(P)
    except StoreUnavailable:
        return True
    return False


def test_a_server_that_hangs_is_noticed_and_then_away_at_once(
    server: ServerProcess, store: GroupStore
) -> None:
    store.change_token(P)
    server.pause()
    try:
        began = time.monotonic()
        until(lambda: is_away(store), "the silence to be noticed", seconds=8)
        noticed = time.monotonic() - began
        began = time.monotonic()
        for _ in range(100):
            with pytest.raises(StoreUnavailable):
                store.members(P, "beta")
        assert time.monotonic() - began < noticed  # at once, where one time-out was waited for
    finally:
        server.resume()
    until(lambda: answers(store), "the store to be back", seconds=5)


# Lost answers and messages


def test_a_write_whose_answer_is_lost_is_not_applied_twice(server: ServerProcess) -> None:
    with proxy_to(server.port) as proxy, closing(open_store(proxy.url)) as store:
        store.create(P, "Beta", ["ada@x.com"], actor="tests")
        proxy.lose_answer_to = b"RPUSH"
        assert add(store, "bob@x.com") == 2
        assert proxy.cuts == 1
        assert store.revision(P) == 2
        assert [change.added for change in store.changes_since(P, 1)] == [("bob@x.com",)]


def test_a_write_whose_answer_is_lost_is_known_as_saved_after_others_wrote(
    server: ServerProcess, store: GroupStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer gets lost, somebody else writes, and only then the write is sent again."""
    with proxy_to(server.port) as proxy, closing(open_store(proxy.url)) as cut:
        real_sleep = time.sleep

        def others_write_meanwhile(seconds: float) -> None:
            if proxy.cuts == 1 and store.revision(P) == 2:
                add(store, "other@x.com")
            real_sleep(seconds)

        monkeypatch.setattr("redis.retry.sleep", others_write_meanwhile)
        proxy.lose_answer_to = b"RPUSH"
        assert add(cut, "bob@x.com") == 2
    assert [change.added for change in store.changes_since(P, 1)] == [
        ("bob@x.com",),
        ("other@x.com",),
    ]


def test_with_every_message_lost_a_change_shows_by_the_poll(
    server: ServerProcess, store: GroupStore
) -> None:
    with proxy_to(server.port) as proxy, closing(open_store(proxy.url)) as deaf:
        before = settled_token(deaf)
        proxy.lose = b":changes"
        add(store, "bob@x.com")
        time.sleep(0.2)
        assert deaf.change_token(P) == before
        until(lambda: deaf.change_token(P) != before, "the poll", seconds=3)


def test_without_messages_a_look_that_is_asked_for_tells(
    server: ServerProcess, store: GroupStore
) -> None:
    with proxy_to(server.port) as proxy, closing(open_store(proxy.url)) as deaf:
        before = settled_token(deaf)
        proxy.lose = b":changes"
        add(store, "bob@x.com")
        deaf.catch_up(P)
        assert deaf.change_token(P) != before


def settled_token(store: GroupStore) -> int:
    """The token once the first look has been taken, which always counts as news."""
    first = store.change_token(P)
    until(lambda: store.change_token(P) != first, "the first look", seconds=3)
    return store.change_token(P)


# Failover


def test_a_promoted_replica_that_lacks_a_write_is_noticed_by_who_holds_it() -> None:
    with valkey() as master, valkey("--replicaof", "127.0.0.1", str(master.port)) as replica:
        with closing(open_store(master.url)) as store:
            store.create(P, "Beta", ["ada@x.com"], actor="tests")
            until(lambda: replica.client().exists("eligibility:{contoso}:head") == 1, "the replica")
            with replica.client() as client:
                client.execute_command("REPLICAOF", "NO", "ONE")
            add(store, "lost@x.com")  # to the master, which is about to be gone
            head, _ = store.member_set(P, "beta")
            master.kill()
        with closing(open_store(replica.url)) as after:
            assert (head.revision, after.revision(P)) == (2, 1)
            for _ in range(2):  # behind what was read, and then at another write of that revision
                with pytest.raises(HistoryLost):
                    after.changes_since(P, head.revision, head.write_id)
                add(after, "new@x.com")
            assert members(after) == {"ada@x.com", "new@x.com"}


def test_sentinels_lead_to_the_promoted_replica() -> None:
    with (
        valkey() as master,
        valkey("--replicaof", "127.0.0.1", str(master.port)) as replica,
        sentinel(master) as watching,
    ):
        url = f"redis+sentinel://127.0.0.1:{watching.port}/mymaster"
        with closing(open_store(url)) as store:
            store.create(P, "Beta", ["ada@x.com"], actor="tests")
            store.change_token(P)
            until(lambda: replica.client().exists("eligibility:{contoso}:head") == 1, "the replica")
            time.sleep(1.5)  # the sentinel has to have heard of the replica
            master.kill()
            until(lambda: answers(store), "the failover", seconds=20)
            assert add(store, "bob@x.com") == 2
        with closing(open_store(replica.url)) as after:
            assert members(after) == {"ada@x.com", "bob@x.com"}


def test_sentinels_with_a_password_of_their_own_are_asked_with_it(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n", "utf-8")
    with valkey() as master, sentinel(master, "mymaster", "requirepass hunter2") as watching:
        url = f"redis+sentinel://127.0.0.1:{watching.port}/mymaster"
        with pytest.raises(StoreUnavailable):
            open_store(url).create(P, "Beta", ["ada@x.com"], actor="tests")
        option = f"?sentinel_password_file={tmp_path / 'password'}"
        with closing(open_store(url + option)) as store:
            store.create(P, "Beta", ["ada@x.com"], actor="tests")
            assert members(store) == {"ada@x.com"}


# A cluster


def test_a_lost_node_takes_its_publishers_only_and_gives_them_back() -> None:
    with valkey_cluster(*ALWAYS) as cluster, closing(open_store(cluster.url)) as store:
        here, there = "contoso", another_slot_than("contoso")
        for publisher in (here, there):
            store.create(publisher, "Beta", ["ada@x.com"], actor="tests")
            store.change_token(publisher)
        lost = cluster.node_of("{contoso}")
        lost.kill()
        until(lambda: not answers(store, here), "the loss to be noticed")
        until(lambda: answers(store, there), "the others to be there", seconds=5)
        assert members(store, there) == {"ada@x.com"}
        assert not answers(store, here)
        lost.start()
        cluster.wait_until_ok()
        until(lambda: answers(store), "the node to be found again", seconds=10)


def test_a_slot_moved_to_another_node_is_followed() -> None:
    with valkey_cluster() as cluster, closing(open_store(cluster.url)) as store:
        store.create(P, "Beta", ["ada@x.com"], actor="tests")
        cluster.move("{contoso}")
        assert members(store) == {"ada@x.com"}
        assert add(store, "bob@x.com") == 2
        with closing(open_store(cluster.url)) as fresh:
            assert members(fresh) == {"ada@x.com", "bob@x.com"}


def another_slot_than(publisher: str) -> str:
    """A publisher at least half the cluster away."""
    slot = key_slot(publisher.encode())
    names = (f"fabrikam{number}" for number in range(1_000))
    return next(one for one in names if 6_000 < abs(key_slot(one.encode()) - slot) < 10_000)


# Full, or refusing


def test_a_full_server_refuses_the_write_whole_and_reading_goes_on(
    server: ServerProcess, store: GroupStore
) -> None:
    with server.client() as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(StoreFull):
            add(store, "bob@x.com")
        assert members(store) == {"ada@x.com"}
        assert store.revision(P) == 1
        client.config_set("maxmemory", 0)
    assert add(store, "bob@x.com") == 2


def test_a_full_disk_refuses_writes_and_reading_goes_on() -> None:
    with (
        valkey(*EVERY_SECOND, largest_file=200_000) as server,
        closing(open_store(server.url)) as store,
    ):
        store.create(P, "Beta", ["ada@x.com"], actor="tests")
        with pytest.raises(StoreFull):
            fill(store)
        assert [c.revision for c in store.changes_since(P, 0)][-1] == store.revision(P)
        assert "ada@x.com" in members(store)


def fill(store: GroupStore) -> None:
    for number in range(500):
        crowd = [f"user{number}-{one}@x.com" for one in range(200)]
        store.replace(P, "beta", ["ada@x.com", *crowd], actor="tests")


def test_members_that_were_evicted_are_an_error_and_never_nobody(
    server: ServerProcess, store: GroupStore
) -> None:
    with server.client() as client:
        client.delete("eligibility:{contoso}:members:beta")
    for ask in (
        lambda: store.members(P, "beta"),
        lambda: store.member_set(P, "beta"),
        lambda: add(store, "bob@x.com"),
    ):
        with pytest.raises(StoreUnavailable, match="the server lost"):
            ask()


# Clocks


def test_moments_never_go_back_though_a_nodes_clock_is_five_minutes_behind(
    server: ServerProcess,
) -> None:
    ahead, behind = Clock(), Clock()
    ahead.move(300)
    with (
        closing(open_store(server.url, clock=ahead.seconds)) as first,
        closing(open_store(server.url, clock=behind.seconds)) as second,
    ):
        first.create(P, "Beta", ["ada@x.com"], actor="tests")
        add(second, "bob@x.com")
        moments = [change.at for change in second.changes_since(P, 0)]
        assert moments == [ahead.now, ahead.now]

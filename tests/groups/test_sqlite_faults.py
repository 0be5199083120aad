"""What happens to the SQLite file when processes race, die, lock it, fill the disk or move it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from groups.errors import StoreFull, StoreUnavailable
from groups.model import MembershipEdit
from groups.sqlite.store import SqliteGroupStore
from groups.storage.sqlite_database import Database
from tests.helpers.repository import ROOT
from tests.helpers.stores.backends import PollClock

P = "contoso"
FIRST = "first@example.com"

OPEN = """
import sys
from pathlib import Path
from groups.model import MembershipEdit
from groups.storage.sqlite_database import Database
from groups.sqlite.store import SqliteGroupStore

def say(*words):
    print(*words, flush=True)

def add(address):
    return store.edit("contoso", "beta", MembershipEdit(add=(address,)), actor="child").revision

say("started")
path, name = Path(sys.argv[1]), sys.argv[2]
sys.stdin.readline()
store = SqliteGroupStore(Database(path))
"""
ADD_TWENTY = """
for number in range(20):
    say(add(f"{name}.{number}@example.com"))
store.close()
"""
ADD_FOR_EVER = """
number = 0
while True:
    address = f"{name}.{number}@example.com"
    say(add(address), address)
    number += 1
"""
MAKE_KEY_AND_GROUP = """
say(store.digest_key().hex())
store.create("contoso", name, ["ada@example.com"], actor="child")
store.close()
"""
LOCK = """
with store._database.write():
    say("locked")
    sys.stdin.readline()
store.close()
"""


class Child:
    """Another process on the same file; it begins when told to, and says lines."""

    def __init__(self, path: Path, script: str, name: str = "child") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPEN + script, str(path), name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.hear() == "started"

    def tell_to_go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def rest(self) -> list[str]:
        """All it said since, once it has ended well."""
        said, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0
        return said.splitlines()

    def killed(self) -> list[str]:
        """All it said since, after it was killed without warning."""
        self._process.send_signal(signal.SIGKILL)
        said, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == -signal.SIGKILL
        return said.splitlines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "groups.db"


@contextmanager
def opened(path: Path) -> Iterator[SqliteGroupStore]:
    with closing(Database(path, monotonic=PollClock())) as database:
        yield SqliteGroupStore(database)


@pytest.fixture
def store(path: Path) -> Iterator[SqliteGroupStore]:
    with opened(path) as made:
        made.create(P, "Beta", [FIRST], actor="tests")
        yield made


def add(store: SqliteGroupStore, *addresses: str) -> int:
    return store.edit(P, "beta", MembershipEdit(add=addresses), actor="tests").revision


def members(store: SqliteGroupStore) -> set[str]:
    return set(store.members(P, "beta", limit=20_000).items)


def give_up_after_ms(store: SqliteGroupStore, wait_ms: int) -> None:
    """Shorten the wait for locks on the connection that the next transaction takes."""
    with store._database.read() as connection:
        connection.execute(f"PRAGMA busy_timeout = {wait_ms}")


def assert_sound(store: SqliteGroupStore) -> None:
    """The file is whole, and history, counts and members tell the same story."""
    with store._database.read() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    changes = store.changes_since(P, 0)
    assert [change.revision for change in changes] == list(range(1, store.revision(P) + 1))
    replayed: set[str] = set()
    for change in changes:
        replayed = (replayed | set(change.added)) - set(change.removed)
    assert replayed == members(store)
    assert store.get(P, "beta").member_count == len(replayed)


def test_processes_that_write_and_read_one_file_lose_nothing(
    path: Path, store: SqliteGroupStore
) -> None:
    children = [Child(path, ADD_TWENTY, f"child{number}") for number in range(2)]
    for child in children:
        child.tell_to_go_on()
    revisions, seen = [], set[str]()
    for number in range(20):
        revisions.append(add(store, f"parent.{number}@example.com"))
        now = members(store)
        assert seen <= now
        seen = now
    for child in children:
        revisions += map(int, child.rest())
    assert sorted(revisions) == list(range(2, 62))
    assert len(members(store)) == 61
    assert_sound(store)


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_a_process_killed_in_the_middle_of_writes_loses_no_acknowledged_one(
    path: Path, store: SqliteGroupStore, acknowledged: int
) -> None:
    store.close()
    child = Child(path, ADD_FOR_EVER)
    child.tell_to_go_on()
    said = [child.hear() for _ in range(acknowledged)] + child.killed()
    complete = [line.split() for line in said if line.endswith("@example.com")]
    assert len(complete) >= acknowledged
    with opened(path) as again:
        assert {address for _, address in complete} | {FIRST} <= members(again)
        assert again.revision(P) >= max(int(revision) for revision, _ in complete)
        assert_sound(again)


def test_processes_that_open_a_new_file_at_once_agree_on_layout_and_key(path: Path) -> None:
    children = [Child(path, MAKE_KEY_AND_GROUP, f"group-{number}") for number in range(6)]
    for child in children:
        child.tell_to_go_on()
    keys = {line for child in children for line in child.rest()}
    with opened(path) as store:
        assert keys == {store.digest_key().hex()}
        assert len(store.group_ids(P)) == store.revision(P) == 6


def test_threads_that_ask_for_the_digest_key_first_agree_on_it(path: Path) -> None:
    with opened(path) as store:
        keys: set[bytes] = set()
        threads = [Thread(target=lambda: keys.add(store.digest_key())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert keys == {store.digest_key()}


def test_a_write_waits_for_the_lock_of_another_process_and_reads_do_not(
    path: Path, store: SqliteGroupStore
) -> None:
    child = Child(path, LOCK)
    child.tell_to_go_on()
    assert child.hear() == "locked"
    writer = Thread(target=add, args=(store, "second@example.com"))
    writer.start()
    writer.join(timeout=0.2)
    assert writer.is_alive()
    assert members(store) == {FIRST}
    preview = MembershipEdit(add=("third@example.com",))
    assert store.edit(P, "beta", preview, actor="tests", dry_run=True).added == 1
    assert store.change_token(P) >= 0
    child.tell_to_go_on()
    writer.join()
    child.rest()
    assert members(store) == {FIRST, "second@example.com"}


def test_a_lock_held_for_too_long_makes_the_store_unavailable(
    path: Path, store: SqliteGroupStore
) -> None:
    child = Child(path, LOCK)
    child.tell_to_go_on()
    assert child.hear() == "locked"
    give_up_after_ms(store, 10)
    with pytest.raises(StoreUnavailable, match="locked by another program") as caught:
        add(store, "second@example.com")
    assert str(path) in caught.value.reason
    child.tell_to_go_on()
    child.rest()
    assert add(store, "second@example.com") == 2


def test_a_full_disk_refuses_the_write_whole_and_reading_goes_on(store: SqliteGroupStore) -> None:
    with store._database.read() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull) as caught:
        add(store, *(f"user{number}@example.com" for number in range(5_000)))
    assert caught.value.code == "STORE_FULL"
    assert members(store) == {FIRST}
    assert_sound(store)
    with store._database.read() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert add(store, "second@example.com") == 2


def test_the_write_of_another_process_shows_at_the_next_look(
    path: Path, store: SqliteGroupStore
) -> None:
    child = Child(path, ADD_TWENTY)
    before = store.change_token(P)
    assert store.change_token(P) == before
    child.tell_to_go_on()
    child.rest()
    after = store.change_token(P)
    assert after != before
    assert store.change_token(P) == after


def test_a_file_taken_away_is_unavailable_and_back_again_when_it_is_back(
    path: Path, store: SqliteGroupStore
) -> None:
    away = path.with_name("away.db")
    path.rename(away)
    for use in (
        lambda: members(store),
        lambda: add(store, "lost@x.com"),
        lambda: store.change_token(P),
    ):
        with pytest.raises(StoreUnavailable, match="was removed"):
            use()
    away.rename(path)
    store.change_token(P)
    assert add(store, "second@example.com") == 2
    assert members(store) == {FIRST, "second@example.com"}


def test_a_file_replaced_while_open_is_not_written_to(path: Path, store: SqliteGroupStore) -> None:
    """Its path leads to another file now: what we wrote to ours, nobody would ever read."""
    path.rename(path.with_name("away.db"))
    with opened(path):
        for use in (
            lambda: members(store),
            lambda: add(store, "lost@x.com"),
            lambda: store.change_token(P),
        ):
            with pytest.raises(StoreUnavailable, match="replaced"):
                use()


def test_a_failing_look_is_an_error_at_each_call_not_only_at_the_first(
    path: Path, store: SqliteGroupStore
) -> None:
    path.rename(path.with_name("away.db"))
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            store.change_token(P)


def test_a_damaged_file_is_unavailable_not_empty(path: Path, store: SqliteGroupStore) -> None:
    store.replace(P, "beta", [f"user{number}@example.com" for number in range(2_000)], actor="t")
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:8_192] + b"\xa5" * (len(content) - 8_192))
    with pytest.raises(StoreUnavailable), opened(path) as damaged:
        members(damaged)

"""The SQLite file that parts of the program share: opening it, its layout, its change token."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from groups import errors
from groups.errors import (
    GroupsError,
    GroupsPermanent,
    InvalidStoreUrl,
    NewerDatabase,
    NotOurDatabase,
    StoreUnavailable,
)
from groups.open import open_database
from groups.sqlite.schema import GROUPS_PART
from groups.sqlite.store import SqliteGroupStore
from groups.storage import sqlite_file
from groups.storage.sqlite_database import Database, SchemaPart
from groups.storage.sqlite_watch import POLL_INTERVAL_S
from tests.helpers.stores.backends import PollClock, open_store

NOTES = SchemaPart(name="notes", slot=2, migrations=("CREATE TABLE note (body TEXT);",))


@dataclass
class Seconds:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "groups.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(Database(path)) as made:
        made.migrate(NOTES)
        yield made


def notes(database: Database) -> list[str]:
    with database.read() as connection:
        return [row[0] for row in connection.execute("SELECT body FROM note ORDER BY rowid")]


def note(database: Database, body: str) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO note VALUES (?)", (body,))


# Opening


def test_a_missing_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "groups.db"
    Database(path).close()
    assert path.is_file()


def test_the_file_is_written_ahead_synced_and_marked_ours(database: Database, path: Path) -> None:
    with database.read() as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        (foreign_keys,) = connection.execute("PRAGMA foreign_keys").fetchone()
        (wait_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    assert (mode, synchronous, foreign_keys, wait_ms) == ("wal", 2, 1, 5_000)
    assert path.read_bytes()[68:72] == b"FLGT"


def test_an_empty_file_becomes_ours(path: Path) -> None:
    path.touch()
    Database(path).close()
    assert path.stat().st_size > 0


def test_a_database_of_another_program_is_refused_and_left_untouched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmark (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(NotOurDatabase, match="untouched"):
        Database(path)
    assert path.read_bytes() == before
    assert sorted(path.parent.iterdir()) == [path]


def test_a_database_marked_as_anothers_is_refused_even_when_empty(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA application_id = 7")
    with pytest.raises(NotOurDatabase):
        Database(path)


def test_whose_a_file_is_is_asked_again_when_nobody_else_can_write_to_it(path: Path) -> None:
    """Between looking at an empty file and marking it ours another program may have filled it."""
    with closing(sqlite_file.connected(path)) as ours:
        sqlite_file._claim(ours, path)
        sqlite_file._claim(ours, path)  # one of our processes was faster
        ours.execute("PRAGMA application_id = 0")
        ours.execute("CREATE TABLE bookmark (url TEXT)")
        with pytest.raises(NotOurDatabase):
            sqlite_file._claim(ours, path)


def test_a_text_file_is_refused_and_left_untouched(path: Path) -> None:
    text = "ada@example.com\n" * 1_000
    path.write_text(text)
    with pytest.raises(NotOurDatabase):
        Database(path)
    assert path.read_text() == text


@pytest.mark.parametrize(
    "place",
    [
        lambda tmp: tmp,  # a directory
        lambda tmp: tmp / "file" / "groups.db",  # below a file
        lambda tmp: Path("/proc/groups.db"),
        lambda tmp: Path("/proc/nowhere/groups.db"),
    ],
    ids=["directory", "below a file", "unwritable", "unwritable parent"],
)
def test_what_cannot_be_opened_is_unavailable_with_path_and_reason(
    tmp_path: Path, place: Callable[[Path], Path]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable) as caught:
        Database(place(tmp_path))
    parent = str(place(tmp_path).parent)
    assert parent in caught.value.reason
    assert len(caught.value.reason) > len(parent) + 10


def refuse_to_switch_journal(monkeypatch: pytest.MonkeyPatch, times: int) -> Iterator[int]:
    """Make SQLite answer `locked` at once, as it does while another process switches."""
    refusals = iter(range(times))

    class Switching(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "PRAGMA journal_mode = WAL" and next(refusals, None) is not None:
                raise sqlite3.OperationalError("database is locked")
            return super().execute(sql, *parameters)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Switching))
    return refusals


def test_opening_waits_while_another_process_switches_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = refuse_to_switch_journal(monkeypatch, times=2)
    Database(path).close()
    assert list(refusals) == []


def test_opening_does_not_wait_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "LOCK_WAIT_S", 0.0)
    refuse_to_switch_journal(monkeypatch, times=1_000_000)
    with pytest.raises(StoreUnavailable, match="locked"):
        Database(path)


def test_a_relative_path_stays_where_it_was_when_the_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Database(Path(":memory:"))) as database:  # a name like others
        monkeypatch.chdir("/")
        database.migrate(NOTES)
        assert database.path == tmp_path / ":memory:"
        assert (tmp_path / ":memory:").is_file()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///groups.db", "groups.db"),
        ("sqlite:///a/b%20c.db", "a/b c.db"),
        ("sqlite:////{tmp}/x.db", "x.db"),
    ],
)
def test_a_url_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(open_database(url.format(tmp=str(tmp_path)[1:]))):
        assert (tmp_path / name).is_file()


def test_a_url_opens_a_store_of_groups(path: Path) -> None:
    with closing(open_store(f"sqlite:///{path}")) as store:
        assert store.publishers() == ()


def test_a_store_of_a_newer_program_is_not_opened(path: Path) -> None:
    with closing(Database(path)) as database:
        database.migrate(SchemaPart(name="groups", slot=0, migrations=("SELECT 1;",) * 99))
    with pytest.raises(NewerDatabase):
        open_store(f"sqlite:///{path}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "groups.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///a/",
        "sqlite:///a.db?mode=ro",
        "sqlite:///a%00b",
        "postgres://ada:secret@host/db",
    ],
)
def test_a_url_that_cannot_be_opened_says_what_would_and_no_password(url: str) -> None:
    with pytest.raises(InvalidStoreUrl) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


# Layout


def test_each_part_has_a_version_of_its_own(path: Path) -> None:
    many = SchemaPart(name="many", slot=3, migrations=("SELECT 1;",) * 255)
    with closing(Database(path)) as database:
        SqliteGroupStore(database)
        database.migrate(many)
        database.migrate(NOTES)
        with database.read() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    assert version.to_bytes(4, "big", signed=True) == bytes(
        [255, 1, 0, len(GROUPS_PART.migrations)]
    )


def test_migrations_are_applied_once_and_in_order(path: Path, database: Database) -> None:
    note(database, "one")
    later = SchemaPart(
        name="notes",
        slot=2,
        migrations=(
            *NOTES.migrations,
            """
            ALTER TABLE note ADD COLUMN size INTEGER; -- a comment; with a semicolon
            CREATE TRIGGER measure AFTER INSERT ON note BEGIN
                UPDATE note SET size = length(body) WHERE rowid = new.rowid;
                UPDATE note SET body = body || ';' WHERE rowid = new.rowid;
            END;
            """,
        ),
    )
    for _ in range(2):
        with closing(Database(path)) as again:
            again.migrate(later)
            with again.write() as connection:
                connection.execute("INSERT INTO note (body) VALUES ('two')")
    assert notes(database) == ["one", "two;", "two;"]


def test_a_migration_that_fails_leaves_nothing_of_it(path: Path, database: Database) -> None:
    broken = SchemaPart(
        name="notes",
        slot=2,
        migrations=(*NOTES.migrations, "CREATE TABLE extra (a);", "CREATE TABLE note (body);"),
    )
    with pytest.raises(StoreUnavailable, match="already exists"):
        database.migrate(broken)
    database.migrate(NOTES)  # still at version 1
    with database.read() as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("note",)]


def test_a_file_of_a_newer_program_is_refused(database: Database, path: Path) -> None:
    older = SchemaPart(name="notes", slot=2, migrations=())
    with pytest.raises(NewerDatabase) as caught:
        database.migrate(older)
    assert (caught.value.path, caught.value.version, caught.value.known) == (path, 1, 0)


# Transactions


def test_a_write_is_saved_whole_or_not_at_all(database: Database) -> None:
    def write_and_stumble() -> None:
        with database.write() as connection:
            connection.execute("INSERT INTO note VALUES ('lost')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_stumble()
    note(database, "kept")
    assert notes(database) == ["kept"]


def test_no_error_of_sqlite_leaves(database: Database) -> None:
    with pytest.raises(StoreUnavailable), database.read() as connection:
        connection.execute("SELECT * FROM missing")
    with pytest.raises(StoreUnavailable), database.write() as connection:
        connection.execute("INSERT INTO note VALUES (1, 2)")
    assert notes(database) == []


def test_a_read_sees_one_snapshot_whatever_is_written_meanwhile(
    path: Path, database: Database
) -> None:
    with closing(Database(path)) as other, database.read() as connection:
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)
        note(other, "later")
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)
    assert notes(database) == ["later"]


def test_a_read_within_a_write_sees_what_was_written(database: Database) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO note VALUES ('new')")
        assert notes(database) == ["new"]


def test_a_write_within_a_transaction_is_a_mistake(database: Database) -> None:
    with database.read(), pytest.raises(RuntimeError, match="inside"), database.write():
        pass
    assert notes(database) == []


def test_a_connection_that_broke_is_not_used_again(database: Database) -> None:
    with pytest.raises(StoreUnavailable), database.write() as connection:
        connection.close()
    note(database, "kept")
    assert notes(database) == ["kept"]


def test_a_transaction_open_at_closing_ends_well_and_closes_after_it(database: Database) -> None:
    with database.read() as connection:
        database.close()
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)
    with pytest.raises(StoreUnavailable, match="closed"):
        notes(database)
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


# The change token


def test_between_two_looks_the_file_is_not_asked(path: Path) -> None:
    seconds = Seconds()
    with closing(Database(path, monotonic=seconds)) as database:
        with closing(Database(path)) as other:
            before = database.change_token()
            other.migrate(NOTES)
        seconds.now += POLL_INTERVAL_S * 0.99
        assert database.change_token() == before
        seconds.now += POLL_INTERVAL_S * 0.02
        after = database.change_token()
        assert after != before
        seconds.now += POLL_INTERVAL_S * 2
        assert database.change_token() == after


def test_our_own_write_shows_at_once_and_only_once(path: Path) -> None:
    seconds = Seconds()
    with closing(Database(path, monotonic=seconds)) as database:
        before = database.change_token()
        database.migrate(NOTES)
        after = database.change_token()
        assert after != before
        seconds.now += POLL_INTERVAL_S * 2
        assert database.change_token() == after


def test_a_write_noted_by_hand_shows_at_once(database: Database) -> None:
    before = database.change_token()
    database.note_write()
    assert database.change_token() != before


def test_looks_are_less_than_the_promised_5_ms_apart() -> None:
    assert POLL_INTERVAL_S * 2 < 0.005


def test_nobody_waits_for_another_thread_that_is_looking(path: Path) -> None:
    with closing(Database(path, monotonic=PollClock())) as database:
        before = database.change_token()
        with database._watch._lock:
            assert database.change_token() == before


# Errors


def test_a_group_that_should_go_or_be_renamed_stays_and_the_error_says_why() -> None:
    error = GroupsPermanent("contoso", "beta")
    assert (error.publisher, error.group_id) == ("contoso", "beta")
    assert "neither removed nor renamed" in str(error)
    assert "change its members instead" in str(error)


def test_every_error_has_a_code_of_its_own() -> None:
    classes = [one for one in vars(errors).values() if isinstance(one, type)]
    codes = [one.code for one in classes if issubclass(one, GroupsError) and one.__name__[0] != "_"]
    assert len(codes) > 10
    assert len(set(codes)) == len(codes)
    assert all(code == code.upper() for code in codes)


def test_the_log_of_another_database_is_named_and_changes_nothing(tmp_path: Path) -> None:
    """SQLite would play it into the file, which would then be another database."""
    path, log, other = tmp_path / "a.db", tmp_path / "a.db-wal", tmp_path / "other.db"
    with closing(Database(path)):
        pass
    with closing(sqlite3.connect(other)) as foreign:
        foreign.execute("PRAGMA journal_mode = WAL")
        foreign.execute("CREATE TABLE theirs (a)")
        foreign.commit()
        log.write_bytes((tmp_path / "other.db-wal").read_bytes())
    before = path.read_bytes(), log.read_bytes()
    with pytest.raises(NotOurDatabase, match=r"a\.db-wal` is not"):
        Database(path)
    assert (path.read_bytes(), log.read_bytes()) == before


def test_a_log_of_ours_that_a_crash_left_is_played(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "b.db"
    with closing(Database(path)), closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE more (a)")
        writer.commit()
        for suffix in ("", "-wal"):
            Path(f"{copy}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    with closing(Database(copy)), closing(sqlite3.connect(copy)) as reader:
        assert reader.execute("SELECT count(*) FROM more").fetchone() == (0,)

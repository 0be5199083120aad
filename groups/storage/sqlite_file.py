"""Opens SQLite files, recognises files of this program, and translates errors of SQLite."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from groups.errors import NotOurDatabase, StoreFull, StoreUnavailable

APPLICATION_ID = 0x464C4754  # "FLGT", in the header of every file of ours
LOCK_WAIT_S = 5.0
LOOK_WAIT_S = 0.01  # checks for changes run in an event loop and must not block it
_WAL_RETRY_S = 0.01
_PRIMARY = 0xFF  # the low byte of an extended result code


def opened(path: Path) -> sqlite3.Connection:
    """Open or create a file. Raises: StoreUnavailable, NotOurDatabase (it is then unchanged)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"cannot create the directory `{path.parent}`: {error.strerror}"
        ) from error
    _check_log(path)
    with translated(path):
        connection = connected(path)
        try:
            if not _is_own_format(connection, path):
                _claim(connection, path)
            _use_write_ahead_log(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def connected(path: Path, wait_s: float = LOCK_WAIT_S) -> sqlite3.Connection:
    """Open another connection to a file of ours. The caller must execute BEGIN and COMMIT."""
    connection = sqlite3.connect(
        path, timeout=wait_s, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # overwrites deleted data
    except BaseException:
        connection.close()
        raise
    return connection


def statements(script: str) -> Iterator[str]:
    """Split a script into statements, because `executescript` would commit the open transaction."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def version_byte(connection: sqlite3.Connection, slot: int) -> int:
    """Read the version of a SchemaPart from its byte of the file's user_version."""
    return _user_version(connection) >> 8 * slot & 0xFF


def set_version_byte(connection: sqlite3.Connection, slot: int, version: int) -> None:
    """Set the version of a SchemaPart within the open transaction."""
    others = _user_version(connection) & ~(0xFF << 8 * slot)
    packed = (others | version << 8 * slot).to_bytes(4, "big")
    connection.execute(f"PRAGMA user_version = {int.from_bytes(packed, 'big', signed=True)}")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Translate errors of SQLite into errors of groups.errors that name the file."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code == sqlite3.SQLITE_FULL:
            raise StoreFull(f"no space left for `{path}`") from error
        if code == sqlite3.SQLITE_NOTADB:
            raise NotOurDatabase(path) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreUnavailable(f"`{path}` is locked by another program") from error
        raise StoreUnavailable(f"`{path}`: {error}") from error


def _check_log(path: Path) -> None:
    """Refuse another database's log beside a file of ours, because SQLite would play it into the file."""
    log = path.with_name(f"{path.name}-wal")
    try:
        with log.open("rb") as file:
            header = file.read(32)
            size = int.from_bytes(header[8:12], "big")
            while len(frame := file.read(24)) == 24 and frame[8:16] == header[16:24]:  # the salts
                page = file.read(size)
                if frame[:4] == b"\0\0\0\1" and page.startswith(b"SQLite format 3\0"):
                    ours = int.from_bytes(page[68:72], "big") == APPLICATION_ID
                    if not ours and _id_without_log(path) == APPLICATION_ID:
                        raise NotOurDatabase(log)
                    return
    except OSError:  # there is none; what cannot be read fails when it is opened
        return


def _id_without_log(path: Path) -> int:
    """Read the application id of the file alone. To open it otherwise would end SQLite's locks on it."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as alone:
            return int(alone.execute("PRAGMA application_id").fetchone()[0])
    except sqlite3.Error:
        return 0


def _user_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0]) & 0xFFFFFFFF


def _is_own_format(connection: sqlite3.Connection, path: Path) -> bool:
    """Return True for a file of ours, False for an empty file. Raises: NotOurDatabase for any other."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id == APPLICATION_ID:
        return True
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application_id or tables:
        raise NotOurDatabase(path)
    return False


def _claim(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if not _is_own_format(connection, path):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("COMMIT")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the journal to WAL. Wait while another process does the same; SQLite does not wait."""
    give_up_at = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(_WAL_RETRY_S)
        else:
            return

"""Opening a store by its URL."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

from groups.errors import InvalidStoreUrl
from groups.sqlite import Database, utc_now
from groups.sqlite_store import SqliteGroupStore
from groups.store import GroupStore

_SQLITE = "sqlite:///"


def open_database(url: str, *, clock: Callable[[], datetime] = utc_now) -> Database:
    """Open the SQLite file of a URL; clock = the UTC time that writes are stamped with.

    `sqlite:///a/b.db` is relative to the working directory, `sqlite:////a/b.db` and
    `sqlite:///C:/a/b.db` are absolute; %20 and the like are decoded.
    Raises: InvalidStoreUrl, StoreUnavailable, NotOurDatabase.
    """
    if not url.startswith(_SQLITE):
        scheme = url.partition(":")[0][:20]  # the rest may hold a password
        raise InvalidStoreUrl(
            f"store URL with scheme `{scheme}` cannot be opened: write `sqlite:///path` for a"
            " relative path, `sqlite:////path` for an absolute one"
        )
    path = unquote(url.removeprefix(_SQLITE))
    if not path or path.endswith("/") or "\0" in path or "?" in url or "#" in url:
        raise InvalidStoreUrl(f"store URL `{url}` must name one file, without `?` and `#`")
    return Database(Path(path), clock=clock)


def open_store(url: str) -> GroupStore:
    """Open the groups kept at a URL; closing the store closes all it opened.

    Raises: InvalidStoreUrl, StoreUnavailable, NotOurDatabase, NewerDatabase.
    """
    database = open_database(url)
    try:
        return SqliteGroupStore(database)
    except BaseException:
        database.close()
        raise

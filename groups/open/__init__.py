"""Open the store that a URL names."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from groups.errors import InvalidStoreUrl
from groups.storage import redis_url
from groups.storage.redis_url import RedisUrl
from groups.storage.sqlite_database import Database

if TYPE_CHECKING:
    from groups.storage.redis_server import RedisServer

_SQLITE = "sqlite:///"

shown = redis_url.shown
"""Return a store URL without its password, so that it can be printed."""


def open_backend(
    url: str, *, password: str | None = None, clock: Callable[[], float] = time.time
) -> "Database | RedisServer":
    """Open the backend of a URL: a SQLite file, or a Redis or Valkey server or cluster.

    Args: password = of the server, used if the URL has none; clock = returns seconds since the epoch,
        for the times of writes.
    Raises: InvalidStoreUrl, StoreUnavailable, NotOurDatabase, NewerDatabase, UnsupportedStore.
    """
    if redis_url.is_redis(url):
        from groups.storage.redis_server import RedisServer  # slow to import, so only if needed

        return RedisServer(RedisUrl.parse(url, password), clock=clock)
    return open_database(url, clock=clock)


def open_database(url: str, *, clock: Callable[[], float] = time.time) -> Database:
    """Open the SQLite file of a URL. Args: clock = returns seconds since the epoch.

    `sqlite:///a/b.db` is relative to the working directory; `sqlite:////a/b.db` and
    `sqlite:///C:/a/b.db` are absolute. Percent escapes such as %20 are decoded.
    Raises: InvalidStoreUrl, StoreUnavailable, NotOurDatabase.
    """
    if not url.startswith(_SQLITE):
        scheme = url.partition(":")[0][:20]  # not the whole URL, which may contain a password
        raise InvalidStoreUrl(
            f"the store URL has an unknown scheme, `{scheme}`: write `sqlite:///path` for a"
            " relative path, `sqlite:////path` for an absolute one, or redis://, redis+cluster://,"
            " redis+sentinel:// and the same with rediss for a server"
        )
    path = unquote(url.removeprefix(_SQLITE))
    if not path or path.endswith("/") or "\0" in path or "?" in url or "#" in url:
        raise InvalidStoreUrl(f"store URL `{url}` must name one file, without `?` and `#`")
    return Database(Path(path), clock=clock)

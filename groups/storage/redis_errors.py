"""Errors of Redis and Valkey, translated into ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    OutOfMemoryError,
    RedisClusterException,
    RedisError,
    ResponseError,
)

from groups.errors import NotOurDatabase, StoreForbidden, StoreFull, StoreUnavailable

RIGHTS = (
    "~PREFIX:* &PREFIX:changes +@read +@write +@scripting +@connection +publish +subscribe"
    " +unsubscribe +cluster -@dangerous"
)
"""The rights an ACL user needs, written for `ACL SETUSER`; PREFIX is the prefix of the keys."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn errors of the server, or of the connection, into ours. Args: where = names the server."""
    try:
        yield
    except (NoPermissionError, AuthenticationError, AuthorizationError) as error:
        raise StoreForbidden(f"{where} refuses: {error}; an ACL user needs {RIGHTS}") from error
    except OutOfMemoryError as error:
        raise StoreFull(f"{where} has no memory left: {error}") from error
    except ResponseError as error:
        raise _of_response(where, error) from error
    except (RedisError, RedisClusterException, OSError) as error:
        raise StoreUnavailable(f"{where}: {_summary(error)}") from error


def _of_response(where: str, error: ResponseError) -> Exception:
    text = str(error)
    if "MISCONF" in text:  # the server cannot save to disk and refuses writes
        return StoreFull(f"{where} cannot save: {text}")
    if "WRONGTYPE" in text:
        return NotOurDatabase(where)
    if "WRONGPASS" in text or "NOAUTH" in text:
        return StoreForbidden(f"{where} refuses: {text}")
    return StoreUnavailable(f"{where}: {text}")


def _summary(error: Exception) -> str:
    """Give the first line of an error, cut: redis-py appends whole objects to some."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__

"""Translates errors of redis-py, Redis and Valkey into errors of groups.errors."""

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
"""The rights that an ACL user needs, in the syntax of `ACL SETUSER`. PREFIX: prefix of the keys."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Translate errors of redis-py into ours. Args: where = name of the server, for messages."""
    try:
        yield
    except (NoPermissionError, AuthenticationError, AuthorizationError) as error:
        raise StoreForbidden(
            f"{where} refuses access: {error}; an ACL user needs {RIGHTS}"
        ) from error
    except OutOfMemoryError as error:
        raise StoreFull(f"{where} has no memory left: {error}") from error
    except ResponseError as error:
        raise _of_response(where, error) from error
    except (RedisError, RedisClusterException, OSError) as error:
        raise StoreUnavailable(f"{where}: {_summary(error)}") from error


def _of_response(where: str, error: ResponseError) -> Exception:
    text = str(error)
    if "MISCONF" in text:  # the server refuses writes because it cannot save to disk
        return StoreFull(f"{where} cannot save: {text}")
    if "WRONGTYPE" in text:
        return NotOurDatabase(where)
    if "WRONGPASS" in text or "NOAUTH" in text:
        return StoreForbidden(f"{where} refuses access: {text}")
    return StoreUnavailable(f"{where}: {text}")


def _summary(error: Exception) -> str:
    """Return the first line of an error, at most 200 characters: redis-py can append whole objects."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__

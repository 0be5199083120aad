"""Creates a client of the server, sentinels or cluster that a Redis store URL names."""

from typing import Any

from redis import Redis, RedisCluster, Sentinel
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry

from groups.storage.redis_url import RedisUrl

_TRIES, _FIRST_WAIT_S, _LONGEST_WAIT_S = 2, 0.02, 0.2


def create_client(url: RedisUrl) -> Redis | RedisCluster:
    """Create a client. It connects when it is first used, but a client of a cluster connects now.

    Raises: redis.RedisError.
    """
    common = _common(url)
    if url.kind == "redis+cluster":
        nodes = [ClusterNode(host, port) for host, port in url.hosts]
        return RedisCluster(
            startup_nodes=nodes, require_full_coverage=False, retry=_retry(), **common
        )
    if url.kind == "redis+sentinel":
        without_login = {k: v for k, v in common.items() if k not in ("username", "password")}
        login = {**without_login, **url.sentinel_login}
        sentinel = Sentinel(url.hosts, sentinel_kwargs=login, **common)
        master: Redis = sentinel.master_for(url.service, db=url.database, retry=_retry())
        return master
    ((host, port),) = url.hosts
    return Redis(host=host, port=port, db=url.database, retry=_retry(), **common)


def _common(url: RedisUrl) -> dict[str, Any]:
    tls = {} if url.tls is None else {"ssl": True, **url.tls}
    return {
        "username": url.username,
        "password": url.password,
        "socket_timeout": url.timeout_s,
        "socket_connect_timeout": url.timeout_s,
        **tls,
    }


def _retry() -> Retry:
    """Retry after a lost connection, with growing waits. It is safe to send a write twice."""
    return Retry(ExponentialWithJitterBackoff(_LONGEST_WAIT_S, _FIRST_WAIT_S), _TRIES)

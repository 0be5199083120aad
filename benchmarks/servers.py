"""The Valkey and Redis servers of the tests, for benchmarks."""

from tests.helpers.stores.redis_servers import redis_server, valkey, valkey_cluster

__all__ = ["redis_server", "valkey", "valkey_cluster"]

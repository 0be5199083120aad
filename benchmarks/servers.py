"""The Valkey and Redis servers that the tests run on, for benchmarks to run on too."""

from tests.helpers.stores.redis_servers import redis_server, valkey, valkey_cluster

__all__ = ["redis_server", "valkey", "valkey_cluster"]

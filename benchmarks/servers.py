"""The Valkey and Redis servers that the tests run on, for benchmarks to run on too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from valkey_servers import redis_server, valkey, valkey_cluster

__all__ = ["redis_server", "valkey", "valkey_cluster"]

"""What every store shares: the SQLite database, the Redis server, its change feed, URLs, moments."""

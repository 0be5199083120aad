"""What all stores share: the SQLite database, the Redis server, its change feed, URLs."""

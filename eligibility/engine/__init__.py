"""Products in memory, fresh and fast: what answers an access query."""

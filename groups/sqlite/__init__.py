"""GroupStore on SQLite."""

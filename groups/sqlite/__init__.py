"""The group store on SQLite."""

"""Access queries and decisions: their types, their JSON, and the removal of group names."""

"""What a change does to access: an edit, two states compared, an answer over time."""

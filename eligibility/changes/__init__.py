"""What changes do to access: preview an edit, compare two states, list an answer over time."""

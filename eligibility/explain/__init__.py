"""A decision in words for people: its story, and the least change that would turn it."""

"""Explain a decision in plain words: its reasons, and the fewest changes that grant access."""

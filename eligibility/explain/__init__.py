"""A decision in words for people: why it came out so, and the least change to turn it."""

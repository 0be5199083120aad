"""The routes of our own API, one file a topic."""

"""The routes of our own API; each topic has a file."""

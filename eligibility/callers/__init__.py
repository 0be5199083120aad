"""Identify who sent a request, and what the sender may do: API keys, issuers' tokens, scopes."""

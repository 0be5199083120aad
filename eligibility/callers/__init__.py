"""Who calls and what they may do: API keys, tokens of issuers, scopes."""

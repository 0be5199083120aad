"""Who may ask and edit what: API keys, tokens of issuers, and accounts that ask for themselves."""

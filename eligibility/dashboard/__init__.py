"""Web pages for publishers and support: who gets what, who cannot, and what to do about it.

The server renders pages with the stores, evaluator and scopes of the API. Pages add no rules.
"""

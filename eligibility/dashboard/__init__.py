"""Pages for people: who gets what, who cannot, and what to do about it.

Rendered here, over the same stores, evaluator and scopes as the API; a page makes no verdict and
states no rule of its own.
"""

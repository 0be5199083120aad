"""Web pages for publishers and support: who gets what, who cannot, and what to do about it.

Pages are rendered on the server, over the same stores, evaluator and scopes as the API. A page makes no
verdict and states no rule of its own.
"""

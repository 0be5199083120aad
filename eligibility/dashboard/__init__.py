"""Web pages for publishers and support: who gets what, who cannot, and what to do about it."""

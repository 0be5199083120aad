"""Signing in to the dashboard: by key, or by an OpenID provider."""

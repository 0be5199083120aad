"""Sign-in to the dashboard: sessions, cookies, and OpenID providers."""

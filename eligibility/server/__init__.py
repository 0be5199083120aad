"""The HTTP server: our own API, two standards, metrics and the API document."""

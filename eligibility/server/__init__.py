"""The HTTP server: our own API, AuthZEN, OFREP, metrics and the OpenAPI document."""

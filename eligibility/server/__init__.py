"""The HTTP server: our own API, two open standards (AuthZEN, OFREP), metrics and the OpenAPI document."""

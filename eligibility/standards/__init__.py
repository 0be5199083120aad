"""Convert AuthZEN and OFREP requests to access queries, and decisions to responses of these standards."""

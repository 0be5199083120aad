"""Convert AuthZEN and OFREP requests to access queries, and decisions to their responses."""

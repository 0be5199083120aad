"""AuthZEN and OFREP requests as access queries, and decisions as their answers."""

"""What the questions of open standards mean here, AuthZEN and OFREP: one mapping, one engine."""

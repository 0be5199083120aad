"""AuthZEN Authorization API 1.0: evaluation, evaluations, searches and metadata (docs/authzen.md)."""

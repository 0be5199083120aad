"""The plumbing of HTTP: authentication, limits, problems, logs."""

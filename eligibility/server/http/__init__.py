"""Code that every request runs through: authentication, rate limits, error responses, the log."""

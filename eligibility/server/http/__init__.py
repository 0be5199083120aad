"""What every request passes: authentication, rate limits, error responses, the log."""

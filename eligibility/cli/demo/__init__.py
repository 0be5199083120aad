"""The demo: a sample catalogue with made-up activity, and three access queries."""

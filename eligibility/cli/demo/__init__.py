"""The demo: a sample catalogue with activity, and three access queries."""

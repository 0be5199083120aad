"""GET /metrics: the metrics of a server, for Prometheus.

The event loop counts requests as plain integers (http/tallies.py). For a scrape, snapshot.py reads
these and all other numbers, sharing.py adds up the worker processes, and exposition.py writes the
result in the format of Prometheus.
"""

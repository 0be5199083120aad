"""GET /metrics: the numbers of a server for Prometheus.

The event loop counts requests as plain integers (http/tallies.py). A scrape reads these and all other
numbers (snapshot.py), adds up the worker processes (sharing.py), and writes them in the format of
Prometheus (exposition.py).
"""

"""GET /metrics: the numbers of a server for Prometheus.

Requests are counted as plain integers in the event loop (http/tallies.py). A scrape reads these and all
other numbers (snapshot.py), adds up the worker processes (sharing.py), and writes them in the format of
Prometheus (exposition.py).
"""

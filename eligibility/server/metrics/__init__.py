"""GET /metrics: what a server does, in numbers, for Prometheus.

Requests are counted as plain integers in the event loop (tallies.py). A scrape reads them and all else
that there is to know (snapshot.py), adds up the worker processes (sharing.py), and tells it in the
format of Prometheus (exposition.py).
"""

"""The whole server put together and run: API, standards and dashboard over one Service."""

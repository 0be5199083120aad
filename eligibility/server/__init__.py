"""The HTTP edge: FastAPI for everything, plain ASGI for the access queries. Decides nothing."""

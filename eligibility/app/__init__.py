"""The ASGI application, which joins server and dashboard, and the process that runs it."""

"""The types of ASGI, https://asgi.readthedocs.io/en/latest/specs/www.html."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

AsgiScope = MutableMapping[str, Any]
AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
Application = Callable[[AsgiScope, Receive, Send], Awaitable[None]]
HeaderList = list[tuple[bytes, bytes]]
"""Headers of a message: names in lower case, and values."""

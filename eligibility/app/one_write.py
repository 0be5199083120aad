"""Sends a response in one write, in place of ASGI's two messages; the bytes are those uvicorn would send.

A third of the cost of an access query is uvicorn turning two messages into two writes. In one write the
response also arrives whole or not at all if the process is killed. Only the plain case is sent this way;
uvicorn sends the rest: to a client that reads slowly or asks to close, for other methods, large bodies.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from eligibility.server.http.asgi import HeaderList, Send

_OK = STATUS_LINE[200]
_LARGEST = 65_536
"""Bytes of a body; copying a larger one costs more than a second write."""
_cached: tuple[object, bytes] = (None, b"")


def sent(send: Send, headers: HeaderList, body: bytes) -> bool:
    """Send a response with status 200, and say whether it was sent; if not, nothing was.

    Args: headers = names in lower case, `content-length` among them.
    """
    cycle: Any = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle:
        return False  # another server, or none
    if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
        return False
    if not cycle.keep_alive or cycle.access_log or len(body) > _LARGEST:
        return False
    if cycle.scope["method"] != "POST":
        return False
    parts = [_OK, _defaults(cycle.default_headers)]
    for name, value in headers:
        if HEADER_VALUE_RE.search(value):
            return False
        parts += (name, b": ", value, b"\r\n")
    parts += (b"\r\n", body)
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = cycle.chunked_encoding = False
    cycle.expected_content_length = 0
    cycle.transport.write(b"".join(parts))
    cycle.message_event.set()
    cycle.on_response()
    return True


def _defaults(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Give uvicorn's own headers as lines; it makes a new list of them once a second, for the date."""
    global _cached
    if _cached[0] is not headers:
        _cached = headers, b"".join(b"%b: %b\r\n" % header for header in headers)
    return _cached[1]

"""Sends an answer from memory in one write on uvicorn's connection.

ASGI has two messages for an answer, which uvicorn turns into two writes for a third of the cost of an
access query (docs/decisions.md 0027). The bytes are the same. If the process is killed, the response
arrives completely or not at all.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

from eligibility.server.http.asgi import HeaderList, Send

_OK = STATUS_LINE[200]
_LARGEST = 65_536
"""The longest body, in bytes: to copy a longer body would cost more than a second write."""
_cached: tuple[object, bytes] = (None, b"")


def sent_at_once(send: Send, headers: HeaderList, body: bytes) -> bool:
    """Send a response with status 200 in one write; return False if nothing was sent.

    Args: headers = must include `content-length`; names in lower case.
    """
    cycle: Any = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle:
        return False  # not uvicorn, or a test without a server
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
    """Encode uvicorn's default headers; cached until uvicorn replaces them, once a second (date)."""
    global _cached
    if _cached[0] is not headers:
        _cached = headers, b"".join(b"%b: %b\r\n" % header for header in headers)
    return _cached[1]

"""Reading what was sent: bodies within a limit, media types."""

from collections.abc import Sequence

from eligibility.server.asgi import Message, Receive, Scope
from eligibility.server.problems import RequestProblem

JSON = "application/json"
JSON_HEADER = (b"content-type", JSON.encode())


async def whole_body(message: Message, receive: Receive, limit: int) -> bytes:
    """The body that begins with a message. Raises RequestProblem 413 as soon as it is too large."""
    parts = [message.get("body", b"")]
    size = len(parts[0])
    _check_size(size, limit)
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        _check_size(size, limit)
    return b"".join(parts)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise RequestProblem(413, "BODY_TOO_LARGE", f"the body is larger than {limit} bytes")


def check_content_type(scope: Scope, taken: Sequence[str] = (JSON,)) -> str:
    """The media type of a body, which has to be one of some; none said is taken as the first.

    Raises: RequestProblem 415.
    """
    found = taken[0]
    for name, value in scope["headers"]:
        if name != b"content-type":
            continue
        found = value.partition(b";")[0].strip().lower().decode("latin-1")
        if found not in taken:
            shown = value.decode("latin-1")[:60]
            detail = f"content-type `{shown}` is not read here; send {' or '.join(taken)}"
            raise RequestProblem(415, "UNSUPPORTED_MEDIA_TYPE", detail)
    return found

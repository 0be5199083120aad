"""Reading what was sent: bodies within a limit, media types."""

from collections.abc import Sequence

from eligibility.server.asgi import Message, Receive, Scope
from eligibility.server.problems import RequestProblem

JSON = "application/json"
JSON_HEADER = (b"content-type", JSON.encode())


async def whole_body(message: Message, receive: Receive, limit: int) -> bytes:
    """The body that begins with a message.

    Raises: RequestProblem 413 as soon as it is too large; 400 where the sender went away in the
    middle, for half a list of members reads like a whole one.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        if parts:
            message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestProblem(400, "BODY_INCOMPLETE", "the sender went away before its end")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise RequestProblem(413, "BODY_TOO_LARGE", f"the body is larger than {limit} bytes")
        more = message.get("more_body", False)
    return b"".join(parts)


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

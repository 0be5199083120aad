"""The reference of serving.py: uvicorn that only returns a fixed body."""

import sys
from typing import Any

import uvicorn

_BODY = b"x" * int(sys.argv[2])
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_BODY)).encode()),
    ],
}


async def app(_: Any, receive: Any, send: Any) -> None:
    """Read the request body, then send the fixed answer."""
    while (await receive()).get("more_body"):
        pass
    await send(_START)
    await send({"type": "http.response.body", "body": _BODY})


uvicorn.run(
    app,
    port=int(sys.argv[1]),
    loop="uvloop",
    http="httptools",
    lifespan="off",
    log_level="warning",
    access_log=False,
)

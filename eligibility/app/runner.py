"""Run the application in uvicorn: one process, or several that share a listening socket."""

import gc
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn
from uvicorn.supervisors import Multiprocess

from eligibility.app.app import create_app
from eligibility.app.slow_clients import Protocol
from eligibility.server.http import logs
from eligibility.server.http.gate import Gate
from eligibility.service.service import Service
from eligibility.service.settings import Settings

_SWITCH_SECONDS = 0.0005
"""How long a computing thread may block the event loop. Python's default, 5 ms, would delay ten answers."""
_HANDED_OVER, _SHARED = "_ELIGIBILITY_WORKER_SETTINGS", "_ELIGIBILITY_WORKERS_SHARE"


def run(
    settings: Settings, listening: socket.socket, after_start: Callable[[], None] | None = None
) -> None:
    """Serve on a bound socket until a stop signal. after_start: called in a thread, once ready."""
    if after_start is not None:
        threading.Thread(
            target=_call_after_start, args=(listening, after_start), daemon=True
        ).start()
    if settings.workers == 1:
        _prepare(settings)
        server = uvicorn.Server(_config(settings, lambda: _application(settings)))
        # uvicorn handles signals only once its loop runs; an earlier stop signal must not be lost.
        signal.signal(signal.SIGTERM, server.handle_exit)
        server.run(sockets=[listening])
        return
    with tempfile.TemporaryDirectory(prefix="eligibility-") as shared:
        os.environ[_HANDED_OVER] = settings.model_dump_json()
        os.environ[_SHARED] = shared
        config = _config(settings, "eligibility.app.runner:worker_app")
        Multiprocess(config, sockets=[listening]).run()


def worker_app() -> Gate:
    """Build the application in one of several worker processes."""
    settings = Settings.model_validate(json.loads(os.environ[_HANDED_OVER]))
    _prepare(settings)
    return _application(settings, Path(os.environ[_SHARED]))


def _application(settings: Settings, shared: Path | None = None) -> Gate:
    """Build the application; exempt its objects from garbage collection, because they live for ever."""
    application = create_app(Service(settings), shared)
    gc.collect()
    gc.freeze()
    return application


def _prepare(settings: Settings) -> None:
    """Apply the settings that concern the whole process."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    logs.configure(settings.log_format)
    Protocol.seconds = settings.request_timeout_seconds


def _config(settings: Settings, app: Callable[[], Gate] | str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http="eligibility.app.slow_clients:Protocol",
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        ws="none",
        access_log=False,
        server_header=False,  # no client needs it; saves a few bytes in each response
        proxy_headers=False,  # client_address.py reads these headers if a proxy is declared
        log_config=None,  # logs.py has set it up
        log_level="warning",
        timeout_graceful_shutdown=10,
    )


def _call_after_start(listening: socket.socket, action: Callable[[], None]) -> None:
    """Call `then` once the server answers; a bound socket alone does not show that it does."""
    host, port = listening.getsockname()[:2]
    for _ in range(200):
        try:
            with socket.create_connection((host, port), timeout=5) as probe:
                probe.sendall(b"GET /healthz HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n")
                if probe.recv(16):
                    break
        except OSError:
            pass
        time.sleep(0.05)
    action()

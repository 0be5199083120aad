"""`eligibility serve`: the HTTP API and the dashboard."""

import os
import signal
import socket
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from eligibility.app import runner
from eligibility.audit.notes import note_settings
from eligibility.cli.demo.activity import invent_activity
from eligibility.cli.demo.demo import SAMPLE_PUBLISHER, ask_demo_queries, load_sample
from eligibility.cli.demo.first_start import CannotListen, admin_key, announce, first_key
from eligibility.cli.options.base import StoreOption, actor
from eligibility.server.http.traces import exporters
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from eligibility.service.settings_sources import load_settings


def serve(
    demo: Annotated[
        bool, typer.Option("--demo", help="Serve the sample catalogue, and send queries to it.")
    ] = False,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.", show_default=False)
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 = any free one.", show_default=False)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Server processes.", show_default=False)
    ] = None,
    store: StoreOption = None,
) -> None:
    """Serve the HTTP API and the dashboard until Ctrl-C."""
    # SIGTERM raises an exception, as Ctrl-C does, so that the demo's directory is deleted.
    signal.signal(signal.SIGTERM, _stop)
    with tempfile.TemporaryDirectory(prefix="eligibility-demo-") as temporary:
        if demo and store is None:
            store = f"sqlite:///{Path(temporary) / 'demo.db'}"
        options = {"store": store, "host": host, "port": port, "workers": workers}
        settings = load_settings(os.environ, options).settings
        _serve(settings, demo)


def _stop(*_: object) -> None:
    raise SystemExit(0)


def _serve(settings: Settings, demo: bool) -> None:
    if settings.traces_to is not None:
        exporters()
    with Service(settings) as opened:  # raises errors before we listen
        if demo:
            load_sample(opened)
            if not opened.activity.publishers():
                invent_activity(opened, SAMPLE_PUBLISHER)
        new_key = first_key(opened)
        note_settings(opened.audit, settings.shown(), actor())
        demo_key = new_key or admin_key(opened, "demo", expires="1h") if demo else ""
    listening = _listening(settings)
    url = _url(listening, settings.tls_certificate is not None)
    typer.echo(
        f"listening on {url}   API: {url}/docs   dashboard: {url}/dashboard"
        f"   store: {settings.shown()['store']}"
    )
    if new_key is not None:
        announce(url, new_key)
    with listening:
        ask = (lambda: ask_demo_queries(url, demo_key)) if demo else None
        runner.run(settings, listening, after_start=ask)


def _url(listening: socket.socket, tls: bool) -> str:
    address = listening.getsockname()
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"{'https' if tls else 'http'}://{host}:{address[1]}"


def _listening(settings: Settings) -> socket.socket:
    """Bind a socket to the address, and listen. Raises: CannotListen, with advice for the user."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2_048)
            listener.set_inheritable(True)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise CannotListen(
            f"cannot listen on `{settings.host}` port `{settings.port}`: {error.strerror or error};"
            " choose another with --port"
        ) from None
    return listener

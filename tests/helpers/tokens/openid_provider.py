"""OpenID providers to sign in at: one that behaves, and one that says what a test wants it to."""

import json
import secrets
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2

from tests.helpers.stores.redis_servers import free_port, until
from tests.helpers.tokens.jwks_server import Signer

CLIENT_ID = "eligibility-dashboard"


@contextmanager
def provider(**claims: Any) -> Iterator[str]:
    """A provider in a process of its own, with one person, `ada`, of whom it claims this; its issuer."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    person = json.dumps({"sub": "ada", **claims})
    command = (sys.executable, "-m", "oidc_provider_mock", "--require-nonce", "true")
    process = subprocess.Popen(
        [*command, "--port", str(port), "--user-claims", person],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _answers(issuer), "the provider to answer")
        yield issuer
    finally:
        process.terminate()
        process.wait(20)


def _answers(issuer: str) -> bool:
    try:
        return httpx2.get(f"{issuer}/.well-known/openid-configuration").status_code == 200
    except httpx2.TransportError:
        return False


class Scripted:
    """A provider that signs in whoever comes, checks PKCE, and can be told to lie.

    says: added to its configuration. claims: added to ID tokens; None takes one away. answers: added
    to what it sends people back with. token: sent in place of the ID token. codes: given out, and what
    was asked for with each. asked: bodies that came to the token endpoint, and `authorization` headers.
    """

    def __init__(self) -> None:
        self.signer = Signer("one")
        self.says: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.answers: dict[str, str | None] = {}
        self.token: str | None = None
        self.status = 200
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[tuple[dict[str, str], str]] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._http.shutdown()
        self._http.server_close()

    def configuration(self) -> dict[str, Any]:
        """What it says of itself."""
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token"}
        found = {name: f"{self.issuer}/{path}" for name, path in places.items()}
        return {"issuer": self.issuer, **found, "jwks_uri": f"{self.issuer}/keys", **self.says}

    def sent_back(self, asked: dict[str, str]) -> str:
        """Where a person is sent back to, signed in."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        said = {"code": code, "state": asked["state"], **self.answers}
        kept = {name: value for name, value in said.items() if value is not None}
        return f"{asked['redirect_uri']}?{urlencode(kept)}"

    def exchanged(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The token endpoint: a code counts once, and only with the verifier of its challenge."""
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = sha256(form.get("code_verifier", "").encode()).digest()
        shown = urlsafe_b64encode(challenge).rstrip(b"=").decode()
        if asked is None or asked.get("code_challenge") != shown:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "ada", "iat": now, "exp": now + 300}
        claims |= {"nonce": asked["nonce"], "scope": "catalog:read", "publishers": "*"}
        said = {name: value for name, value in (claims | self.claims).items() if value is not None}
        token = self.token or self.signer.sign(said)
        return self.status, {"access_token": "x", "token_type": "Bearer", "id_token": token}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                if url.path == "/authorize":
                    self.send_response(302)
                    self.send_header("location", served.sent_back(dict(parse_qsl(url.query))))
                    self.end_headers()
                elif url.path == "/keys":
                    self._json(200, {"keys": [served.signer.jwk()]})
                else:
                    self._json(200, served.configuration())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                served.asked.append((form, self.headers.get("authorization", "")))
                self._json(*served.exchanged(form))

            def _json(self, status: int, document: dict[str, Any]) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def scripted() -> Iterator[Scripted]:
    """A running provider that can be told to lie."""
    made = Scripted()
    try:
        yield made
    finally:
        made.close()

"""An issuer of tokens as tests need one: keys that sign, and a server on loopback that shows them."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import AllowedPrivateKeys


def _new_key(algorithm: str, bits: int) -> AllowedPrivateKeys:
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "ES384":
        return ec.generate_private_key(ec.SECP384R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


class Signer:
    """A private key of an issuer, with its name (kid; None = it has none) and its algorithm."""

    def __init__(self, kid: str | None, algorithm: str = "RS256", bits: int = 2_048) -> None:
        self.kid, self.algorithm = kid, algorithm
        self.key = _new_key(algorithm, bits)

    def jwk(self, **more: Any) -> dict[str, Any]:
        """The public key as a key set shows it."""
        shown = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.key.public_key(), True)
        named = {} if self.kid is None else {"kid": self.kid}
        return {**shown, **named, **more} | {"key_ops": more.get("key_ops", ["verify"])}

    def private_jwk(self) -> dict[str, Any]:
        """The private key, as nobody should show it."""
        shown = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.key, True)
        return {**shown, "kid": self.kid, "key_ops": ["sign", "verify"]}

    def sign(self, claims: Mapping[str, Any], **headers: Any) -> str:
        """A token with these claims; a header of None is left out."""
        named = {} if self.kid is None else {"kid": self.kid}
        written = {k: v for k, v in {**named, **headers}.items() if v is not None}
        algorithm = headers.get("alg", self.algorithm)
        return jwt.encode(dict(claims), self.key, algorithm, headers=written)


class JwksServer:
    """Shows `keys` at `url` and counts how often it was asked.

    away: connections are cut without an answer. body: sent in place of the key set. gate: answers
    wait until it is set. drip: seconds between the bytes of an answer. location: where it redirects to.
    """

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.fetches = 0
        self.away = False
        self.status = 200
        self.body: bytes | None = None
        self.drip = 0.0
        self.location = ""
        self.gate = threading.Event()
        self.gate.set()
        self.asked = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.url = f"{self.origin}/keys"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self.gate.set()
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.fetches += 1
                served.asked.set()
                served.gate.wait(10)
                if served.away:
                    self.close_connection = True
                    return
                self.send_response(served.status)
                if served.location:
                    self.send_header("location", served.location)
                self.end_headers()
                shown = json.dumps({"keys": served.keys}).encode()
                self._write(shown if served.body is None else served.body)

            def _write(self, body: bytes) -> None:
                try:
                    if not served.drip:
                        self.wfile.write(body)
                    for position in range(len(body) if served.drip else 0):
                        self.wfile.write(body[position : position + 1])
                        time.sleep(served.drip)
                except OSError:  # who asked has had enough
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def jwks_server(*keys: dict[str, Any]) -> Iterator[JwksServer]:
    """A running server that shows these keys."""
    server = JwksServer()
    server.keys = list(keys)
    try:
        yield server
    finally:
        server.close()

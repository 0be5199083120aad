"""Encrypted cookies, which only this deployment can create and read."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from cryptography.fernet import Fernet, InvalidToken
from starlette.requests import cookie_parser

from eligibility.server.http.asgi import AsgiScope

_PERSON = b"dashboard"
_LONGEST_HEADER = 8_192


@dataclass(frozen=True, slots=True)
class CookieCipher:
    """Secrets and functions for the encryption of cookies.

    secret: returns the deployment's digest key. Its first call reads the store: do not call it in
    an event loop. by_tls: whether a request came over TLS. binding: a second secret that is not in
    the store; "" = none. clock: seconds since the epoch.
    """

    secret: Callable[[], bytes]
    by_tls: Callable[[AsgiScope], bool]
    binding: str = ""
    clock: Callable[[], float] = time.time


class Cookie:
    """A kind of cookie, by `name`. seconds: lifetime. Over TLS only this host can set it."""

    def __init__(self, name: str, seconds: int, source: CookieCipher) -> None:
        self._name, self.seconds, self._source = name, seconds, source
        self._cipher: Fernet | None = None

    def sealed(self, body: bytes) -> str:
        """Encrypt a body as the cookie's value."""
        return self._fernet().encrypt_at_time(body, int(self._source.clock())).decode()

    def opened(self, scope: AsgiScope) -> tuple[str, bytes] | None:
        """Return the cookie's value and decrypted body; None if missing, forged or too old."""
        header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
        if len(header) > _LONGEST_HEADER:
            return None
        value = cookie_parser(header.decode("latin-1")).get(self._name_for(scope))
        if not value:
            return None
        try:
            now = int(self._source.clock())
            return value, self._fernet().decrypt_at_time(value, self.seconds, now)
        except (InvalidToken, ValueError):
            return None

    def header(self, scope: AsgiScope, value: str) -> str:
        """Build the `set-cookie` header of a response; value "" deletes the cookie.

        SameSite is Lax, so that the browser sends the cookie when a provider redirects back.
        """
        tls = self._source.by_tls(scope)
        path = "/; Secure" if tls else "/dashboard"
        lasts = self.seconds if value else 0
        name = self._name_for(scope)
        return f"{name}={value}; Path={path}; Max-Age={lasts}; HttpOnly; SameSite=Lax"

    def _name_for(self, scope: AsgiScope) -> str:
        return f"__Host-{self._name}" if self._source.by_tls(scope) else self._name

    def _fernet(self) -> Fernet:
        if self._cipher is None:
            key_input = f"{self._name}\n{self._source.binding}".encode()
            key = blake2b(key_input, digest_size=32, key=self._source.secret(), person=_PERSON)
            self._cipher = Fernet(urlsafe_b64encode(key.digest()))
        return self._cipher

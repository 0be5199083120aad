"""Cookies that only this deployment can make and read."""

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
    """What cookies are encrypted with.

    secret: gives the deployment's digest key; asks the store the first time, so not for an event loop.
    binding: what else has to be known, which the store does not hold; "" = nothing.
    by_tls: whether a request came by TLS. clock: seconds since the epoch.
    """

    secret: Callable[[], bytes]
    by_tls: Callable[[AsgiScope], bool]
    binding: str = ""
    clock: Callable[[], float] = time.time


class Cookie:
    """A kind of cookie. name: of its own key, too, so that no kind passes for another. seconds: it lasts.

    By TLS it has the prefix `__Host-`, which browsers let no other host set, nor a page without TLS.
    """

    def __init__(self, name: str, seconds: int, keeper: CookieCipher) -> None:
        self._name, self.seconds, self._keeper = name, seconds, keeper
        self._cipher: Fernet | None = None

    def sealed(self, body: bytes) -> str:
        """The cookie's value."""
        return self._fernet().encrypt_at_time(body, int(self._keeper.clock())).decode()

    def opened(self, scope: AsgiScope) -> tuple[str, bytes] | None:
        """The value that a request brings, and what is in it; None without one that still holds."""
        header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
        if len(header) > _LONGEST_HEADER:
            return None
        value = cookie_parser(header.decode("latin-1")).get(self._name_for(scope))
        if not value:
            return None
        try:
            now = int(self._keeper.clock())
            return value, self._fernet().decrypt_at_time(value, self.seconds, now)
        except (InvalidToken, ValueError):
            return None

    def header(self, scope: AsgiScope, value: str) -> str:
        """The `set-cookie` header that answers a request; "" = the browser forgets it.

        Lax, so that a provider may send a person back signed in.
        """
        tls = self._keeper.by_tls(scope)
        where = "/; Secure" if tls else "/dashboard"
        lasts = self.seconds if value else 0
        name = self._name_for(scope)
        return f"{name}={value}; Path={where}; Max-Age={lasts}; HttpOnly; SameSite=Lax"

    def _name_for(self, scope: AsgiScope) -> str:
        return f"__Host-{self._name}" if self._keeper.by_tls(scope) else self._name

    def _fernet(self) -> Fernet:
        if self._cipher is None:
            made_of = f"{self._name}\n{self._keeper.binding}".encode()
            key = blake2b(made_of, digest_size=32, key=self._keeper.secret(), person=_PERSON)
            self._cipher = Fernet(urlsafe_b64encode(key.digest()))
        return self._cipher

"""Who is signed in to the dashboard: a cookie that proves it, and the token of forms that change things.

The cookie holds the credentials themselves, encrypted with a key of the deployment, so that every
server process can read it and none has to remember it. A key that is revoked ends its sessions, for
it is looked up on every request as it is for the API.
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import blake2b
from http.cookies import CookieError, SimpleCookie

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from eligibility.callers.model import Caller, Scope, scopes_of

COOKIE = "eligibility_session"
HOURS = 12
"""How long somebody stays signed in."""

_PERSON = b"dashboard"
_LONGEST = 8_192


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is signed in. key: an API key; else the caller that a provider vouched for.

    publishers: None = all.
    """

    key: str = ""
    name: str = ""
    scopes: tuple[str, ...] = ()
    publishers: tuple[str, ...] | None = None

    def caller(self) -> Caller:
        """The caller of a session without a key."""
        publishers = None if self.publishers is None else frozenset(self.publishers)
        scopes: frozenset[Scope] = scopes_of(self.scopes)
        return Caller(kind="token", name=self.name, scopes=scopes, publishers=publishers)


class Sessions:
    """Makes and reads cookies. secret: the deployment's digest key; asks the store the first time."""

    def __init__(self, secret: Callable[[], bytes], clock: Callable[[], float] = time.time) -> None:
        self._secret, self._clock = secret, clock
        self._cipher: Fernet | None = None

    def cookie(self, session: Session) -> str:
        """The cookie's value for a session that begins now."""
        body = msgspec.json.encode(session)
        return self._fernet().encrypt_at_time(body, int(self._clock())).decode()

    def of(self, headers: Mapping[bytes, bytes]) -> tuple[str, Session] | None:
        """The cookie of a request and its session; None without one that holds."""
        value = cookie_of(headers.get(b"cookie", b""))
        if not value:
            return None
        try:
            body = self._fernet().decrypt_at_time(value, HOURS * 3_600, int(self._clock()))
            return value, msgspec.json.decode(body, type=Session)
        except (InvalidToken, msgspec.MsgspecError):
            return None

    def csrf_token(self, cookie: str) -> str:
        """What a form of that session has to bring along."""
        return blake2b(
            cookie.encode(), key=self._secret(), digest_size=16, person=_PERSON
        ).hexdigest()

    def _fernet(self) -> Fernet:
        if self._cipher is None:
            key = blake2b(digest_size=32, key=self._secret(), person=_PERSON).digest()
            self._cipher = Fernet(urlsafe_b64encode(key))
        return self._cipher


def cookie_of(header: bytes) -> str:
    """The session's cookie in a `cookie` header; "" without one."""
    if COOKIE.encode() not in header or len(header) > _LONGEST:
        return ""
    try:
        morsel = SimpleCookie(header.decode("latin-1")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def set_cookie(value: str, *, secure: bool, seconds: int = HOURS * 3_600) -> str:
    """A `set-cookie` header. Lax, so that a provider may send a person back signed in."""
    parts = f"{COOKIE}={value}; Path=/dashboard; Max-Age={seconds}; HttpOnly; SameSite=Lax"
    return f"{parts}; Secure" if secure else parts

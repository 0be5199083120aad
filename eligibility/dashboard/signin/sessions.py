"""Sessions: the cookie that proves who is signed in to the dashboard, and the CSRF token of its forms.

The cookie contains the credentials, encrypted with a key of the deployment: every server process can
read it, and none has to store it. Every request looks the API key up again, as the API does, so
revoking a key ends its sessions.
"""

from hashlib import blake2b

import msgspec

from eligibility.callers.model import Caller, Scope
from eligibility.dashboard.signin.cookies import Cookie, CookieCipher
from eligibility.dashboard.signin.errors import SignInRefused
from eligibility.server.http import asgi

COOKIE = "eligibility_session"
HOURS = 12
"""How long a person stays signed in with a key."""

_PERSON = b"dashboard forms"
_MOST_CHARACTERS = 3_900
"""Browsers silently drop a cookie of more than 4,096 characters, its name and attributes included."""


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is signed in: the owner of an API key, or the person whom a provider signed in.

    until: seconds since the epoch. publishers: None = all.
    """

    until: int
    key: str = ""
    name: str = ""
    scopes: tuple[Scope, ...] = ()
    publishers: tuple[str, ...] | None = None
    identity: str = ""

    def caller(self) -> Caller:
        """The caller of a session without a key."""
        publishers = None if self.publishers is None else frozenset(self.publishers)
        return Caller(
            kind="token",
            name=self.name,
            identity=self.identity,
            scopes=frozenset(self.scopes),
            publishers=publishers,
        )


class Sessions:
    """Makes and reads sessions. people: whether a provider is declared, which signs people in."""

    def __init__(self, cipher: CookieCipher, *, people: bool = False) -> None:
        self._source, self._people = cipher, people
        self._cookie = Cookie(COOKIE, HOURS * 3_600, cipher)

    def of_key(self, key: str) -> Session:
        """A session of an API key that begins now."""
        return Session(until=self._ends(HOURS), key=key)

    def of_person(self, caller: Caller, hours: int) -> Session:
        """A session that begins now, of a person whom a provider signed in."""
        publishers = None if caller.publishers is None else tuple(sorted(caller.publishers))
        scopes = tuple(sorted(caller.scopes))
        until = self._ends(min(hours, HOURS))
        return Session(until, "", caller.name, scopes, publishers, caller.identity)

    def started(self, scope: asgi.AsgiScope, session: Session) -> str:
        """The `set-cookie` header that starts a session. Raises: SignInRefused."""
        value = self._cookie.sealed(msgspec.json.encode(session))
        if len(value) > _MOST_CHARACTERS:
            raise SignInRefused("TOO_MANY_PUBLISHERS")
        return self._cookie.header(scope, value)

    def ended(self, scope: asgi.AsgiScope) -> str:
        """The `set-cookie` header that makes the browser forget the session."""
        return self._cookie.header(scope, "")

    def of(self, scope: asgi.AsgiScope) -> tuple[str, Session] | None:
        """The cookie of a request and its session; None without a valid one."""
        opened = self._cookie.opened(scope)
        if opened is None:
            return None
        cookie, body = opened
        try:
            session = msgspec.json.decode(body, type=Session)
        except msgspec.MsgspecError:
            return None
        valid = self._source.clock() < session.until and (session.key or self._people)
        return (cookie, session) if valid else None

    def csrf_token(self, cookie: str) -> str:
        """The token that every form of that session must send."""
        return blake2b(
            cookie.encode(), key=self._source.secret(), digest_size=16, person=_PERSON
        ).hexdigest()

    def _ends(self, hours: int) -> int:
        return int(self._source.clock()) + hours * 3_600

"""Sessions: the cookie of a signed-in person, and the CSRF token of the dashboard's forms.

The cookie contains the credentials, encrypted with the deployment's key: no server stores them.
Every request looks up the API key again, so revoking a key ends its sessions.
"""

from hashlib import blake2b

import msgspec

from eligibility.callers.errors import Unauthenticated
from eligibility.callers.model import Caller, Scope
from eligibility.dashboard.signin.cookies import Cookie, CookieCipher
from eligibility.dashboard.signin.errors import SignInRefused
from eligibility.server.http import asgi
from eligibility.server.http.authentication import AuthenticatedCaller, Authenticator

COOKIE = "eligibility_session"
HOURS = 12
"""Hours that a person stays signed in with a key, and at most with a provider."""

_PERSON = b"dashboard forms"
_MOST_CHARACTERS = 3_900
"""Browsers silently drop a cookie of over 4,096 characters, including name and attributes."""


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is signed in. key: "" for a person from a provider. until: seconds since the epoch."""

    until: int
    key: str = ""
    name: str = ""
    scopes: tuple[Scope, ...] = ()
    publishers: tuple[str, ...] | None = None
    identity: str = ""

    def caller(self) -> Caller:
        """Build the caller of a session without a key."""
        publishers = None if self.publishers is None else frozenset(self.publishers)
        return Caller(
            kind="token",
            name=self.name,
            identity=self.identity,
            scopes=frozenset(self.scopes),
            publishers=publishers,
        )


class Sessions:
    """Creates and reads sessions. people: whether an OpenID provider is declared."""

    def __init__(self, cipher: CookieCipher, *, people: bool = False) -> None:
        self._source, self._people = cipher, people
        self._cookie = Cookie(COOKIE, HOURS * 3_600, cipher)

    def of_key(self, key: str) -> Session:
        """Build a session of an API key that begins now."""
        return Session(until=self._ends(HOURS), key=key)

    def of_person(self, caller: Caller, hours: int) -> Session:
        """Build a session of a person from a provider that begins now."""
        publishers = None if caller.publishers is None else tuple(sorted(caller.publishers))
        scopes = tuple(sorted(caller.scopes))
        until = self._ends(min(hours, HOURS))
        return Session(until, "", caller.name, scopes, publishers, caller.identity)

    def started(self, scope: asgi.AsgiScope, session: Session) -> str:
        """Build the `set-cookie` header that starts a session. Raises: SignInRefused."""
        value = self._cookie.sealed(msgspec.json.encode(session))
        if len(value) > _MOST_CHARACTERS:
            raise SignInRefused("TOO_MANY_PUBLISHERS")
        return self._cookie.header(scope, value)

    def ended(self, scope: asgi.AsgiScope) -> str:
        """Build the `set-cookie` header that deletes the session's cookie."""
        return self._cookie.header(scope, "")

    def of(self, scope: asgi.AsgiScope) -> tuple[str, Session] | None:
        """Return the cookie of a request and its session; None if there is no valid session."""
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
        """Return the token that every form of the session must send."""
        return blake2b(
            cookie.encode(), key=self._source.secret(), digest_size=16, person=_PERSON
        ).hexdigest()

    def _ends(self, hours: int) -> int:
        return int(self._source.clock()) + hours * 3_600


class Visitors:
    """Finds the sender of a request for a page, only by the session's cookie."""

    def __init__(self, sessions: Sessions, authentication: Authenticator) -> None:
        self._sessions, self._authentication = sessions, authentication

    def of(self, scope: asgi.AsgiScope) -> tuple[AuthenticatedCaller, str] | None:
        """Return the sender and the cookie, or None. May read the store: not for an event loop."""
        cookie_and_session = self._sessions.of(scope)
        if cookie_and_session is None:
            return None
        cookie, session = cookie_and_session
        if not session.key:
            return self._authentication.authenticated(session.caller()), cookie
        authorization = b"Bearer " + session.key.encode()
        known = self._authentication.known(authorization)
        try:
            return known or self._authentication.authenticate(authorization), cookie
        except Unauthenticated:
            return None

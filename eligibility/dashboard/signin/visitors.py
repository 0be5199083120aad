"""Visitors: find the sender of a request for a page, only by the session's cookie."""

from typing import NamedTuple

from eligibility.callers.errors import Unauthenticated
from eligibility.dashboard.signin.sessions import Session, Sessions
from eligibility.server.http.asgi import AsgiScope
from eligibility.server.http.authentication import AuthenticatedCaller, Authenticator


class Visitor(NamedTuple):
    """A signed-in person. cookie: of the session; CSRF tokens are derived from it."""

    authenticated: AuthenticatedCaller
    cookie: str


class Visitors:
    """Reads the caller from a cookie, with the same authentication as for the API."""

    def __init__(self, sessions: Sessions, authentication: Authenticator) -> None:
        self._sessions, self._authentication = sessions, authentication

    def of(self, scope: AsgiScope) -> Visitor | None:
        """Return the sender, or None. May read the store: not for an event loop."""
        cookie_and_session = self._sessions.of(scope)
        if cookie_and_session is None:
            return None
        cookie, session = cookie_and_session
        authenticated = self._authenticated(session)
        return None if authenticated is None else Visitor(authenticated, cookie)

    def _authenticated(self, session: Session) -> AuthenticatedCaller | None:
        if not session.key:
            return self._authentication.authenticated(session.caller())
        authorization = b"Bearer " + session.key.encode()
        try:
            return self._authentication.known(authorization) or self._authentication.authenticate(
                authorization
            )
        except Unauthenticated:
            return None

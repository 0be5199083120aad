"""Visitors: who sends a request for a page. Only the session's cookie says so."""

from typing import NamedTuple

from eligibility.callers.errors import Unauthenticated
from eligibility.dashboard.signin.sessions import Session, Sessions
from eligibility.server.http.asgi import AsgiScope
from eligibility.server.http.authentication import AuthenticatedCaller, Authenticator


class Visitor(NamedTuple):
    """Somebody who is signed in. cookie: of the session; the CSRF tokens of forms are made from it."""

    authenticated: AuthenticatedCaller
    cookie: str


class Visitors:
    """Turns the cookies of requests into callers, by the same authentication as credentials."""

    def __init__(self, sessions: Sessions, authentication: Authenticator) -> None:
        self._sessions, self._authentication = sessions, authentication

    def of(self, scope: AsgiScope) -> Visitor | None:
        """Who sends a request; None if nobody is signed in. It blocks: not for an event loop.

        Raises: groups.errors.StoreUnavailable.
        """
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

"""Visitors: who a request for a page comes from, told by the session's cookie and by nothing else."""

from typing import NamedTuple

from eligibility.callers.errors import Unauthenticated
from eligibility.dashboard.signin.sessions import Session, Sessions
from eligibility.server.http.asgi import AsgiScope
from eligibility.server.http.authentication import AuthenticatedCaller, Authenticator


class Visitor(NamedTuple):
    """Somebody signed in. cookie: that of the session, which tokens of forms are made of."""

    admitted: AuthenticatedCaller
    cookie: str


class Visitors:
    """Turns the cookies of requests into callers, by the same admission as credentials."""

    def __init__(self, sessions: Sessions, admission: Authenticator) -> None:
        self._sessions, self._admission = sessions, admission

    def of(self, scope: AsgiScope) -> Visitor | None:
        """Who sends a request; None where nobody is signed in, or no longer. Not for an event loop.

        Raises: groups.errors.StoreUnavailable.
        """
        found = self._sessions.of(scope)
        if found is None:
            return None
        cookie, session = found
        admitted = self._admitted(session)
        return None if admitted is None else Visitor(admitted, cookie)

    def _admitted(self, session: Session) -> AuthenticatedCaller | None:
        if not session.key:
            return self._admission.authenticated(session.caller())
        authorization = b"Bearer " + session.key.encode()
        try:
            return self._admission.known(authorization) or self._admission.authenticate(
                authorization
            )
        except Unauthenticated:
            return None

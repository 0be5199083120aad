"""Visitors: who a request for a page of the dashboard comes from, told by the session's cookie."""

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool

from eligibility.callers.errors import Unauthenticated
from eligibility.dashboard.sessions import Session, Sessions
from eligibility.server.admission import Admission, Admitted


class Visitors:
    """Turns the cookies of requests into callers, by the same admission as credentials."""

    def __init__(self, sessions: Sessions, admission: Admission) -> None:
        self._sessions, self._admission = sessions, admission

    async def admitted(self, headers: Mapping[bytes, bytes]) -> Admitted | None:
        """Who sends these headers; None where nobody is signed in, or no longer."""
        if b"cookie" not in headers:
            return None
        found = await run_in_threadpool(self._sessions.of, headers)
        return None if found is None else await run_in_threadpool(self._of, found[1])

    def _of(self, session: Session) -> Admitted | None:
        if not session.key:
            return self._admission.admit_caller(session.caller())
        try:
            return self._admission.admit(b"Bearer " + session.key.encode())
        except Unauthenticated:
            return None

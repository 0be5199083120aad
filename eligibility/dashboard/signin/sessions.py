"""Who is signed in to the dashboard: a cookie that proves it, and the token of forms that change things.

The cookie holds the credentials themselves, encrypted with a key of the deployment, so that every
server process can read it and none has to remember it. A key that is revoked ends its sessions, for
it is looked up on every request as it is for the API.
"""

from hashlib import blake2b

import msgspec

from eligibility.callers.model import Caller, Scope
from eligibility.dashboard.signin.cookies import Cookie, CookieCipher
from eligibility.dashboard.signin.errors import SignInRefused
from eligibility.server.http import asgi

COOKIE = "eligibility_session"
HOURS = 12
"""How long somebody stays signed in with a key."""

_PERSON = b"dashboard forms"
_MOST_CHARACTERS = 3_900
"""Browsers drop a cookie of more than 4,096 with its name and attributes, without a word."""


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is signed in. key: an API key; else the caller that a provider vouched for.

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
    """Makes and reads sessions. people: whether a provider is declared, that may vouch for people."""

    def __init__(self, keeper: CookieCipher, *, people: bool = False) -> None:
        self._keeper, self._people = keeper, people
        self._cookie = Cookie(COOKIE, HOURS * 3_600, keeper)

    def of_key(self, key: str) -> Session:
        """A session that begins now, of an API key."""
        return Session(until=self._ends(HOURS), key=key)

    def of_person(self, caller: Caller, hours: int) -> Session:
        """A session that begins now, of somebody whom a provider vouched for."""
        publishers = None if caller.publishers is None else tuple(sorted(caller.publishers))
        scopes = tuple(sorted(caller.scopes))
        until = self._ends(min(hours, HOURS))
        return Session(until, "", caller.name, scopes, publishers, caller.identity)

    def begun(self, scope: asgi.AsgiScope, session: Session) -> str:
        """The `set-cookie` header of a session. Raises: SignInRefused."""
        value = self._cookie.sealed(msgspec.json.encode(session))
        if len(value) > _MOST_CHARACTERS:
            raise SignInRefused("TOO_MANY_PUBLISHERS")
        return self._cookie.header(scope, value)

    def ended(self, scope: asgi.AsgiScope) -> str:
        """The `set-cookie` header with which the browser forgets the session."""
        return self._cookie.header(scope, "")

    def of(self, scope: asgi.AsgiScope) -> tuple[str, Session] | None:
        """The cookie of a request and its session; None without one that holds."""
        found = self._cookie.opened(scope)
        if found is None:
            return None
        try:
            session = msgspec.json.decode(found[1], type=Session)
        except msgspec.MsgspecError:
            return None
        holds = self._keeper.clock() < session.until and (session.key or self._people)
        return (found[0], session) if holds else None

    def csrf_token(self, cookie: str) -> str:
        """What a form of that session has to bring along."""
        return blake2b(
            cookie.encode(), key=self._keeper.secret(), digest_size=16, person=_PERSON
        ).hexdigest()

    def _ends(self, hours: int) -> int:
        return int(self._keeper.clock()) + hours * 3_600

"""Viewer: who looks at a page, and what the page may therefore show and offer."""

import hmac
from dataclasses import dataclass

from eligibility.callers.model import Caller, Scope
from eligibility.server.http.authorization import UnknownPublisher
from eligibility.server.http.problems import RequestProblem


class NoCsrfToken(RequestProblem):
    """A change that does not come from a page of this session."""

    def __init__(self) -> None:
        detail = "the page is too old, or not ours: load it again and repeat the change"
        super().__init__(403, "CSRF_TOKEN", detail)


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person. origin: where from, for history. csrf: what changes have to bring along."""

    caller: Caller
    origin: str
    csrf: str

    @property
    def actor(self) -> str:
        """Who and from where, as history and the audit trail have it."""
        return f"{self.caller.name} from {self.origin} (dashboard)"

    @property
    def reads_groups(self) -> bool:
        """Whether addresses and groups may be shown."""
        return self.caller.may(Scope.READ_GROUPS)

    @property
    def edits_groups(self) -> bool:
        """Whether members may be changed; who may not read them cannot edit them here."""
        return self.caller.may(Scope.WRITE_GROUPS) and self.reads_groups

    @property
    def reads_catalog(self) -> bool:
        """Whether products may be shown."""
        return self.caller.may(Scope.READ_CATALOG)

    @property
    def edits_catalog(self) -> bool:
        """Whether products may be changed."""
        return self.caller.may(Scope.WRITE_CATALOG)

    @property
    def asks(self) -> bool:
        """Whether any account's access may be asked."""
        return self.caller.may(Scope.SIMULATE) and self.reads_catalog and self.reads_groups

    @property
    def administers(self) -> bool:
        """Whether keys and the like may be seen."""
        return self.caller.may(Scope.ADMIN)

    @property
    def pages(self) -> tuple[tuple[str, str], ...]:
        """The pages of a publisher that may be shown: their names, and where they are."""
        found = []
        if self.reads_catalog:
            found += [("Overview", "")]
        if self.reads_groups:
            found += [("Groups", "/groups")]
        if self.asks:
            found += [("Ask", "/ask")]
        if self.reads_catalog:
            found += [("Live", "/live")]
        return tuple(found)

    def check_token(self, sent: str) -> None:
        """Raise NoCsrfToken unless a change comes from a page of this session."""
        if not hmac.compare_digest(self.csrf.encode(), sent.encode("utf-8", "replace")):
            raise NoCsrfToken

    def check(self, scope: Scope, publisher: str | None = None) -> None:
        """Raise ScopeMissing or UnknownPublisher unless a page may be shown."""
        if publisher is not None and not self.caller.sees(publisher):
            raise UnknownPublisher(publisher)
        self.caller.check(scope)

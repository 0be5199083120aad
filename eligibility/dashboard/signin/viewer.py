"""Viewer: who looks at a page, and so what the page may show and offer."""

import hmac
from dataclasses import dataclass

from eligibility.callers.errors import UnknownPublisher
from eligibility.callers.model import Caller, Scope
from eligibility.server.http.problems import RequestProblem


class NoCsrfToken(RequestProblem):
    """A change that was not sent from a page of this session."""

    def __init__(self) -> None:
        detail = (
            "the page is too old, or it is not of this session: load it again and repeat the change"
        )
        super().__init__(403, "CSRF_TOKEN", detail)


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person. client_address: for the history. csrf: the token that every change must send."""

    caller: Caller
    client_address: str
    csrf: str

    @property
    def actor(self) -> str:
        """Who it is and from where, as history and the audit trail show it."""
        return f"{self.caller.name} from {self.client_address} (dashboard)"

    @property
    def reads_groups(self) -> bool:
        """Whether addresses and groups may be shown."""
        return self.caller.may(Scope.READ_GROUPS)

    @property
    def edits_groups(self) -> bool:
        """Whether members may be changed: only by who may read them, too."""
        return self.caller.may(Scope.WRITE_GROUPS) and self.reads_groups

    @property
    def reads_catalog(self) -> bool:
        """Whether products may be shown."""
        return self.caller.may(Scope.READ_CATALOG)

    @property
    def asks(self) -> bool:
        """Whether the viewer may ask about any account's access."""
        return self.caller.may(Scope.SIMULATE) and self.reads_catalog and self.reads_groups

    @property
    def pages(self) -> tuple[tuple[str, str], ...]:
        """The pages of a publisher that may be shown: each name and its path."""
        pages = []
        if self.reads_catalog:
            pages += [("Overview", "")]
        if self.reads_groups:
            pages += [("Groups", "/groups")]
        if self.asks:
            pages += [("Ask", "/ask")]
        if self.reads_catalog:
            pages += [("Live", "/live")]
        return tuple(pages)

    def check_token(self, sent: str) -> None:
        """Raise NoCsrfToken unless a change was sent from a page of this session."""
        if not hmac.compare_digest(self.csrf.encode(), sent.encode("utf-8", "replace")):
            raise NoCsrfToken

    def check(self, scope: Scope, publisher: str | None = None) -> None:
        """Raise ScopeMissing or UnknownPublisher if a page may not be shown."""
        if publisher is not None and not self.caller.sees(publisher):
            raise UnknownPublisher(publisher)
        self.caller.check(scope)

"""Viewer: the person who looks at a page, and what the page may show to this person."""

import hmac
from dataclasses import dataclass

from fastapi import Request

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
    """A signed-in person. client_address: for history. csrf: token that every change must send."""

    caller: Caller
    client_address: str
    csrf: str

    @property
    def actor(self) -> str:
        """The person's name and network address, for history and the audit trail."""
        return f"{self.caller.name} from {self.client_address} (dashboard)"

    @property
    def reads_groups(self) -> bool:
        """Whether addresses and groups may be shown."""
        return self.caller.may(Scope.READ_GROUPS)

    @property
    def edits_groups(self) -> bool:
        """Whether members may be changed. This requires the right to read them, too."""
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
        """Name and path of each page of a publisher that may be shown."""
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
        """Check that a change was sent from a page of this session. Raises: NoCsrfToken."""
        if not hmac.compare_digest(self.csrf.encode(), sent.encode("utf-8", "replace")):
            raise NoCsrfToken

    def publisher_of(self, request: Request, *scopes: Scope) -> str:
        """Return the publisher of a page that needs these scopes. Raises: as `check`."""
        publisher: str = request.path_params["publisher"]
        for scope in scopes:
            self.check(scope, publisher)
        return publisher

    def check(self, scope: Scope, publisher: str | None = None) -> None:
        """Check that a page may be shown. Raises: ScopeMissing, UnknownPublisher."""
        if publisher is not None and not self.caller.sees(publisher):
            raise UnknownPublisher(publisher)
        self.caller.check(scope)

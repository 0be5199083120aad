"""What a route needs of its caller: a scope, and that the caller sees the publisher in the path.

Every route takes `by: GroupWriter` or the like, or names `needs(...)` beside its path. StrictRoute
checks it before a body is read, and cannot be made without it.
"""

from typing import Annotated, Any

from fastapi import Depends, Request

from eligibility.callers.errors import UnknownPublisher
from eligibility.callers.model import Caller, Scope
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.limits import Allowance


class RouteCaller:
    """Who calls a route, and from where."""

    __slots__ = ("_allowance", "caller", "origin")

    def __init__(self, caller: Caller, origin: str, allowance: Allowance | None = None) -> None:
        self.caller, self.origin = caller, origin
        self._allowance = allowance

    def pay(self, decisions: int) -> None:
        """Charge the caller for a number of decisions. Raises: RateLimited."""
        if self._allowance is not None:
            self._allowance.take(decisions, paid=1)  # for the request

    @property
    def actor(self) -> str:
        """Say who acts and from where, as history and the audit trail show it."""
        return f"{self.caller.name} from {self.origin}"

    @property
    def reads_groups(self) -> bool:
        """Return whether the caller may see who is in a group."""
        return self.caller.may(Scope.READ_GROUPS)


class ScopeCheck:
    """The check of one route; as a dependency it gives the RouteCaller."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def check(self, request: Request) -> RouteCaller:
        """Raise ScopeMissing or UnknownPublisher unless the caller may have the route."""
        authenticated: AuthenticatedCaller = request.scope["exchange"].authenticated
        caller = authenticated.caller
        publisher = request.path_params.get("publisher")
        if publisher is not None and not caller.sees(publisher):
            raise UnknownPublisher(publisher)
        caller.check(self.scope)
        return RouteCaller(
            caller, request.app.state.origin_of(request.scope), authenticated.allowance
        )

    async def __call__(self, request: Request) -> RouteCaller:
        """See `check`."""
        return self.check(request)


def needs(scope: Scope) -> Any:
    """Make a route need a scope, for routes that do not look at their caller otherwise."""
    return Depends(ScopeCheck(scope))


QueryCaller = Annotated[RouteCaller, needs(Scope.QUERY)]
GroupReader = Annotated[RouteCaller, needs(Scope.READ_GROUPS)]
GroupWriter = Annotated[RouteCaller, needs(Scope.WRITE_GROUPS)]
CatalogWriter = Annotated[RouteCaller, needs(Scope.WRITE_CATALOG)]
AdminCaller = Annotated[RouteCaller, needs(Scope.ADMIN)]

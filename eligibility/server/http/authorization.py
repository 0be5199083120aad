"""Check that the caller of a route has the route's scope and may see the publisher in the path.

Every route has a parameter such as `by: GroupWriter`, or `needs(...)` among its dependencies. StrictRoute
runs this check before it reads the body, and refuses to create a route without a check.
"""

from typing import Annotated, Any

from fastapi import Depends, Request

from eligibility.callers.errors import UnknownPublisher
from eligibility.callers.model import Caller, Scope
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.limits import Allowance


class RouteCaller:
    """The caller of a route, and the address that the request came from."""

    __slots__ = ("_allowance", "caller", "origin")

    def __init__(self, caller: Caller, origin: str, allowance: Allowance | None = None) -> None:
        self.caller, self.origin = caller, origin
        self._allowance = allowance

    def pay(self, decisions: int) -> None:
        """Charge decisions to the caller's rate limit. Raises: RateLimited."""
        if self._allowance is not None:
            self._allowance.take(decisions, paid=1)  # the gate charged 1 for the request

    @property
    def actor(self) -> str:
        """Describe the caller and its address, for history and the audit trail."""
        return f"{self.caller.name} from {self.origin}"

    @property
    def reads_groups(self) -> bool:
        """Return whether the caller may see who is in a group."""
        return self.caller.may(Scope.READ_GROUPS)


class ScopeCheck:
    """The check of one route: a FastAPI dependency that returns the RouteCaller."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def check(self, request: Request) -> RouteCaller:
        """Return the caller. Raises: ScopeMissing or UnknownPublisher if it may not use the route."""
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
    """Return a dependency that requires a scope, for routes that do not use their caller."""
    return Depends(ScopeCheck(scope))


QueryCaller = Annotated[RouteCaller, needs(Scope.QUERY)]
GroupReader = Annotated[RouteCaller, needs(Scope.READ_GROUPS)]
GroupWriter = Annotated[RouteCaller, needs(Scope.WRITE_GROUPS)]
CatalogWriter = Annotated[RouteCaller, needs(Scope.WRITE_CATALOG)]
AdminCaller = Annotated[RouteCaller, needs(Scope.ADMIN)]

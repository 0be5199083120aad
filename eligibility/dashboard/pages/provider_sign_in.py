"""Signing in to the dashboard through the provider: the way there, and back."""

import msgspec
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from eligibility.dashboard.pages.sign_in import SignInPages, below
from eligibility.dashboard.signin.cookies import Cookie, CookieCipher
from eligibility.dashboard.signin.errors import SignInRefused
from eligibility.dashboard.signin.provider import PendingSignIn, Provider
from eligibility.dashboard.site import SIGN_IN, Site

CALLBACK = f"{SIGN_IN}/callback"
"""Where a provider sends people back to: to be registered there."""
_MOST_SECONDS = 600
"""How long somebody may take at the provider."""


def install(site: Site, pages: SignInPages, keeper: CookieCipher) -> None:
    """Add the two routes; the settings declare a provider. pages: those that show what went wrong."""
    service, settings = site.service, site.service.settings
    if settings.dashboard_provider is None:
        raise ValueError("no provider is declared")
    provider = Provider(
        settings.dashboard_provider,
        settings.provider_secret(),
        name_of=service.name_of,
        clock=service.evaluator.clock,
    )
    kept = Cookie("eligibility_signing_in", _MOST_SECONDS, keeper)
    ProviderPages(site, pages, provider, kept, settings.public_url)


class ProviderPages:
    """The two routes. kept: the cookie in which a browser keeps what was begun.
    here: the URL that people reach this server at; None = the one that a request names.
    """

    def __init__(
        self, site: Site, pages: SignInPages, provider: Provider, kept: Cookie, here: str | None
    ) -> None:
        self._site, self._pages, self._provider = site, pages, provider
        self._kept, self._here = kept, here
        site.open("/sign-in/provider", "GET", self.begin)
        site.open("/sign-in/callback", "GET", self.finish)

    async def begin(self, request: Request) -> Response:
        """Send the person to the provider; by a link, for a form may lead nowhere else."""
        to = below(request.query_params.get("to", ""))
        try:
            url, begun = await self._provider.begin(self._callback(request), to)
        except SignInRefused as error:
            return self._refused(request, to, error)
        made = RedirectResponse(url, 303)
        value = await run_in_threadpool(self._kept.sealed, msgspec.json.encode(begun))
        made.headers["set-cookie"] = self._kept.header(request.scope, value)
        return made

    async def finish(self, request: Request) -> Response:
        """Sign in whom the provider sends back; what was begun counts once in this browser."""
        found = await run_in_threadpool(self._kept.opened, request.scope)
        begun = msgspec.json.decode(found[1], type=PendingSignIn) if found else None
        try:
            if begun is None:
                raise SignInRefused("STATE_MISMATCH")
            said = dict(request.query_params)
            caller = await self._provider.finish(self._callback(request), begun, said)
            sessions = self._site.sessions
            session = sessions.of_person(caller, self._provider.declared.hours)
            cookie = await run_in_threadpool(sessions.begun, request.scope, session)
        except SignInRefused as error:
            made = self._refused(request, begun.to if begun else "", error)
        else:
            made = RedirectResponse(below(begun.to), 303)
            made.headers.append("set-cookie", cookie)
        made.headers.append("set-cookie", self._kept.header(request.scope, ""))
        return made

    def _refused(self, request: Request, to: str, error: SignInRefused) -> Response:
        request.scope["exchange"].note(error)
        return self._pages.form(request, to, error.told, error.status)

    def _callback(self, request: Request) -> str:
        return (self._here or f"{request.url.scheme}://{request.url.netloc}") + CALLBACK

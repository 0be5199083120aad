"""Sign-in to the dashboard through an OpenID provider: the redirect to it, and the callback."""

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
"""The path to which the provider redirects people. It must be registered at the provider."""
_MOST_SECONDS = 600
"""Maximum time, in seconds, that a person may spend at the provider."""


def install(site: Site, pages: SignInPages, cipher: CookieCipher) -> None:
    """Add the two routes. The settings must declare a provider. pages: show errors."""
    service, settings = site.service, site.service.settings
    if settings.dashboard_provider is None:
        raise ValueError("no provider is declared")
    provider = Provider(
        settings.dashboard_provider,
        settings.provider_secret(),
        name_of=service.name_of,
        clock=service.evaluator.clock,
    )
    cookie = Cookie("eligibility_signing_in", _MOST_SECONDS, cipher)
    ProviderPages(site, pages, provider, cookie, settings.public_url)


class ProviderPages:
    """The two routes. cookie: holds the pending sign-in. public_url: None = the request's URL."""

    def __init__(
        self,
        site: Site,
        pages: SignInPages,
        provider: Provider,
        cookie: Cookie,
        public_url: str | None,
    ) -> None:
        self._site, self._pages, self._provider = site, pages, provider
        self._cookie, self._public_url = cookie, public_url
        site.open("/sign-in/provider", "GET", self.begin)
        site.open("/sign-in/callback", "GET", self.finish)

    async def begin(self, request: Request) -> Response:
        """Redirect to the provider. It is a GET: our CSP forbids forms to redirect elsewhere."""
        to = below(request.query_params.get("to", ""))
        try:
            url, pending = await self._provider.begin(self._callback(request), to)
        except SignInRefused as error:
            return self._refused(request, to, error)
        response = RedirectResponse(url, 303)
        value = await run_in_threadpool(self._cookie.sealed, msgspec.json.encode(pending))
        response.headers["set-cookie"] = self._cookie.header(request.scope, value)
        return response

    async def finish(self, request: Request) -> Response:
        """Sign in the person whom the provider sends back, and delete the pending sign-in."""
        opened = await run_in_threadpool(self._cookie.opened, request.scope)
        pending = msgspec.json.decode(opened[1], type=PendingSignIn) if opened else None
        try:
            if pending is None:
                raise SignInRefused("STATE_MISMATCH")
            parameters = dict(request.query_params)
            caller = await self._provider.finish(self._callback(request), pending, parameters)
            sessions = self._site.sessions
            session = sessions.of_person(caller, self._provider.declared.hours)
            cookie = await run_in_threadpool(sessions.started, request.scope, session)
        except SignInRefused as error:
            response = self._refused(request, pending.to if pending else "", error)
        else:
            response = RedirectResponse(below(pending.to), 303)
            response.headers.append("set-cookie", cookie)
        response.headers.append("set-cookie", self._cookie.header(request.scope, ""))
        return response

    def _refused(self, request: Request, to: str, error: SignInRefused) -> Response:
        request.scope["exchange"].error = error
        return self._pages.form(request, to, error.message, error.status)

    def _callback(self, request: Request) -> str:
        return (self._public_url or f"{request.url.scheme}://{request.url.netloc}") + CALLBACK

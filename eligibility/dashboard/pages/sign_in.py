"""Signing in to the dashboard with an API key, and out again."""

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from eligibility.callers.api_keys import PREFIX as KEY_PREFIX
from eligibility.callers.errors import Unauthenticated
from eligibility.dashboard.site import PREFIX, SIGN_IN, RenderedPage, Site
from eligibility.errors import EligibilityError
from eligibility.server.http.authentication import Authenticator
from groups.errors import GroupsError

_STRANGE = "this is no API key of this server, or it was revoked or has expired"
_MOST_FORM_BYTES = 8_192
"""Of a form that anybody may send."""


class SignInPages:
    """The pages. admission: says whose a key is. label: of the provider's button; "" = there is none."""

    def __init__(self, site: Site, admission: Authenticator, label: str = "") -> None:
        self._site, self._admission, self._label = site, admission, label
        site.open("/sign-in", "GET", self.show)
        site.open("/sign-in", "POST", self.sign_in)
        site.open("/sign-out", "POST", self.sign_out)

    async def show(self, request: Request) -> Response:
        """The form."""
        return self.form(request, request.query_params.get("to", ""))

    async def sign_in(self, request: Request) -> Response:
        """Take a key. Tokens are no keys: who holds one is a service, or an account."""
        form = await self._site.form(request, _MOST_FORM_BYTES)
        key, to = str(form.get("key", "")).strip(), str(form.get("to", ""))
        if not key.startswith(KEY_PREFIX):
            return self.form(request, to, _STRANGE, 401)
        try:
            await run_in_threadpool(self._admission.authenticate, b"Bearer " + key.encode())
        except Unauthenticated as error:
            request.scope["exchange"].note(error)
            return self.form(request, to, _STRANGE, 401)
        except (EligibilityError, GroupsError) as error:
            request.scope["exchange"].note(error)
            return self.form(request, to, "the server cannot look keys up now; try again", 503)
        made = RedirectResponse(below(to), 303)
        sessions = self._site.sessions
        made.headers["set-cookie"] = await run_in_threadpool(
            sessions.begun, request.scope, sessions.of_key(key)
        )
        return made

    async def sign_out(self, request: Request) -> Response:
        """Forget the session in the browser."""
        made = RedirectResponse(SIGN_IN, 303)
        made.headers["set-cookie"] = self._site.sessions.ended(request.scope)
        return made

    def form(self, request: Request, to: str, fault: str = "", status: int = 200) -> Response:
        """The page with what went wrong, if anything did."""
        values = {
            "title": "Sign in",
            "to": below(to),
            "fault": fault,
            "of_key": status == 401,
            "provider": self._label,
        }
        return self._site.rendered(request, None, RenderedPage("sign_in.html", values, status))


def below(path: str) -> str:
    """A path of the dashboard to go on to; anything else could lead away from here."""
    good = path.startswith(f"{PREFIX}/") and "//" not in path and "\\" not in path
    good = good and not path.startswith(SIGN_IN) and path.isprintable() and len(path) <= 1_000
    return path if good else f"{PREFIX}/"

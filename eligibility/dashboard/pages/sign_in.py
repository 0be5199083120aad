"""Sign-in to the dashboard with an API key, and sign-out."""

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from eligibility.callers.api_keys import PREFIX as KEY_PREFIX
from eligibility.callers.errors import Unauthenticated
from eligibility.dashboard.site import PREFIX, SIGN_IN, RenderedPage, Site
from eligibility.errors import EligibilityError
from eligibility.server.http.authentication import Authenticator
from groups.errors import GroupsError

_REFUSED = "this is not an API key of this server, or it was revoked, or it has expired"
_MOST_FORM_BYTES = 8_192
"""Size limit of the sign-in form, which anybody may send."""


class SignInPages:
    """The pages. authentication: checks keys. label: text of the provider's button; "" = none."""

    def __init__(self, site: Site, authentication: Authenticator, label: str = "") -> None:
        self._site, self._authentication, self._label = site, authentication, label
        site.open("/sign-in", "GET", self.show)
        site.open("/sign-in", "POST", self.sign_in)
        site.open("/sign-out", "POST", self.sign_out)

    async def show(self, request: Request) -> Response:
        """Show the sign-in form."""
        return self.form(request, request.query_params.get("to", ""))

    async def sign_in(self, request: Request) -> Response:
        """Sign in with a key. Tokens are refused: they belong to services and accounts."""
        form = await self._site.form(request, _MOST_FORM_BYTES)
        key, to = str(form.get("key", "")).strip(), str(form.get("to", ""))
        if not key.startswith(KEY_PREFIX):
            return self.form(request, to, _REFUSED, 401)
        try:
            await run_in_threadpool(self._authentication.authenticate, b"Bearer " + key.encode())
        except Unauthenticated as error:
            request.scope["exchange"].error = error
            return self.form(request, to, _REFUSED, 401)
        except (EligibilityError, GroupsError) as error:
            request.scope["exchange"].error = error
            return self.form(request, to, "the server cannot check keys now; try again later", 503)
        response = RedirectResponse(below(to), 303)
        sessions = self._site.sessions
        response.headers["set-cookie"] = await run_in_threadpool(
            sessions.started, request.scope, sessions.of_key(key)
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        """Delete the session's cookie."""
        response = RedirectResponse(SIGN_IN, 303)
        response.headers["set-cookie"] = self._site.sessions.ended(request.scope)
        return response

    def form(self, request: Request, to: str, fault: str = "", status: int = 200) -> Response:
        """Render the form, with the message `fault` if it is not empty."""
        values = {
            "title": "Sign in",
            "to": below(to),
            "fault": fault,
            "of_key": status == 401,
            "provider": self._label,
        }
        return self._site.rendered(request, None, RenderedPage("sign_in.html", values, status))


def below(path: str) -> str:
    """Return a path of the dashboard unchanged, else the home page: never redirect elsewhere."""
    good = path.startswith(f"{PREFIX}/") and "//" not in path and "\\" not in path
    good = good and not path.startswith(SIGN_IN) and path.isprintable() and len(path) <= 1_000
    return path if good else f"{PREFIX}/"

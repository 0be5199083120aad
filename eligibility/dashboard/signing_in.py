"""Signing in to the dashboard with an API key, and out again."""

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from eligibility.callers.errors import Unauthenticated
from eligibility.dashboard.sessions import Session, set_cookie
from eligibility.dashboard.site import PREFIX, SIGN_IN, Page, Site
from eligibility.errors import EligibilityError
from eligibility.server.admission import Admission
from groups.errors import GroupsError

_STRANGE = "this is no API key of this server, or it was revoked or has expired"


class SigningIn:
    """The pages. admission: says whose a key is."""

    def __init__(self, site: Site, admission: Admission) -> None:
        self._site, self._admission = site, admission
        site.open("/sign-in", "GET", self.show)
        site.open("/sign-in", "POST", self.sign_in)
        site.open("/sign-out", "POST", self.sign_out)

    async def show(self, request: Request) -> Response:
        """The form."""
        return self._form(request, request.query_params.get("to", ""))

    async def sign_in(self, request: Request) -> Response:
        """Take a key; a form of another site's is refused, or it could sign people in as itself."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return self._form(request, "", "the form was sent from another site", 403)
        form = await self._site.form(request)
        key, to = str(form.get("key", "")).strip(), str(form.get("to", ""))
        try:
            await run_in_threadpool(self._admission.admit, b"Bearer " + key.encode())
        except Unauthenticated:
            return self._form(request, to, _STRANGE, 401)
        except (EligibilityError, GroupsError) as error:
            request.scope["exchange"].note(error)
            return self._form(request, to, "the server cannot look keys up now; try again", 503)
        made = RedirectResponse(_below(to), 303)
        value = await run_in_threadpool(self._site.sessions.cookie, Session(key=key))
        made.headers["set-cookie"] = set_cookie(value, secure=_is_secure(request))
        return made

    async def sign_out(self, request: Request) -> Response:
        """Forget the session in the browser."""
        made = RedirectResponse(SIGN_IN, 303)
        made.headers["set-cookie"] = set_cookie("", secure=_is_secure(request), seconds=0)
        return made

    def _form(self, request: Request, to: str, fault: str = "", status: int = 200) -> Response:
        values = {"title": "Sign in", "to": _below(to), "fault": fault}
        return self._site.rendered(request, None, Page("sign_in.html", values, status))


def _below(path: str) -> str:
    """A path of the dashboard to go on to; anything else could lead away from here."""
    good = path.startswith(f"{PREFIX}/") and "//" not in path and "\\" not in path
    return path if good else f"{PREFIX}/"


def _is_secure(request: Request) -> bool:
    """Whether the browser came by TLS, by itself or to a proxy in front."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"

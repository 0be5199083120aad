"""The dashboard's routes put into the application: who may see them, what is sent around a page.

A page is a function that takes a Request and a Viewer and gives a template with its values; it runs
in a thread. Errors are pages, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from inspect import isawaitable
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from eligibility.dashboard import filters
from eligibility.dashboard.defence import HEADERS, check_from_here
from eligibility.dashboard.signin.sessions import Sessions
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.signin.visitors import Visitors
from eligibility.errors import EligibilityError, Fault
from eligibility.formats.whole_number import whole_number
from eligibility.server.http import problems
from eligibility.server.http.problems import RequestProblem
from eligibility.service.service import Service
from eligibility.simulation.reports.symbols import letter
from groups.errors import GroupsError

PREFIX = "/dashboard"
SIGN_IN = f"{PREFIX}/sign-in"

_STATIC = files("eligibility.dashboard") / "static"
_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
MOST_FORM_BYTES = 4_194_304


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """What a page shows: a template and its values. status: of the answer."""

    template: str
    values: Mapping[str, Any]
    status: int = 200


PageView = Callable[[Request, Viewer], RenderedPage | Response]
"""A page, or a Response where it is none, as after a change."""


FormAction = Callable[[Request, Viewer, Mapping[str, Any]], RenderedPage | Response]
"""What a form does, with its fields: texts, and the bytes of files."""


class Site:
    """Adds pages to an application. Blocking work is done in threads."""

    def __init__(
        self, app: FastAPI, service: Service, sessions: Sessions, visitors: Visitors
    ) -> None:
        self.service, self.sessions = service, sessions
        self._app, self._visitors = app, visitors
        self._templates = Environment(
            loader=PackageLoader("eligibility.dashboard"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "exact": filters.exact,
            "count": filters.count,
            "sentence": filters.sentence,
            "quoted": filters.quoted,
        }
        self._templates.globals |= {
            "share": filters.share,
            "clock": filters.clock,
            "letter": letter,
            "run_class": filters.run_class,
        }
        self._add_static()

    def page(self, path: str, show: PageView) -> None:
        """A page at a path below the prefix, for whoever is signed in; others are sent to sign in."""

        async def answer(request: Request) -> Response:
            viewer = await run_in_threadpool(self._viewer, request)
            if viewer is None:
                return _to_sign_in(request)
            return await run_in_threadpool(self._shown, request, viewer, show)

        self._add(path, answer, "GET")

    def change(self, path: str, do: FormAction) -> None:
        """A form that changes something; it has to come from a page of the same session."""

        async def answer(request: Request) -> Response:
            viewer = await run_in_threadpool(self._viewer, request)
            if viewer is None:
                return _to_sign_in(request)
            form = await self.form(request)
            sent = request.headers.get("x-csrf-token") or str(form.get("csrf", ""))

            def checked(request: Request, viewer: Viewer) -> RenderedPage | Response:
                viewer.check_token(sent)
                return do(request, viewer, form)

            return await run_in_threadpool(self._shown, request, viewer, checked)

        self._add(path, answer, "POST")

    def open(self, path: str, method: str, show: Callable[[Request], Any]) -> None:
        """A route for anybody, who need not be signed in; show: may be a coroutine function."""
        self._add(path, show, method)

    def otherwise(self) -> None:
        """Whatever else is below the prefix is a page that is not there; to be added last."""

        def missing(_: Request, __: Viewer) -> RenderedPage:
            raise RequestProblem(404, "NO_SUCH_PAGE", "there is no such page")

        self.page("/{rest:path}", missing)

    async def form(self, request: Request, most_bytes: int = MOST_FORM_BYTES) -> Mapping[str, Any]:
        """The fields of a form, within limits. Raises: RequestProblem."""
        length = whole_number(request.headers.get("content-length", ""))
        if length is None or length > most_bytes:
            raise RequestProblem(413, "BODY_TOO_LARGE", f"a form has at most {most_bytes} bytes")
        try:
            async with request.form(max_files=1, max_fields=200, max_part_size=most_bytes) as form:
                return {
                    name: value if isinstance(value, str) else await value.read()
                    for name, value in form.items()
                }
        except HTTPException as error:
            raise RequestProblem(400, "FORM_UNREADABLE", str(error.detail)) from None

    def _viewer(self, request: Request) -> Viewer | None:
        """Who looks at the page; None where nobody is signed in. Raises: RateLimited."""
        visitor = self._visitors.of(request.scope)
        if visitor is None:
            return None
        admitted = request.scope["exchange"].authenticated = visitor.admitted
        if admitted.allowance is not None:
            admitted.allowance.take()
        origin = request.app.state.origin_of(request.scope)
        return Viewer(admitted.caller, origin, self.sessions.csrf_token(visitor.cookie))

    def _shown(self, request: Request, viewer: Viewer, show: PageView) -> Response:
        try:
            made = show(request, viewer)
        except (EligibilityError, GroupsError) as error:
            return self._failed(request, viewer, error)
        return made if isinstance(made, Response) else self.rendered(request, viewer, made)

    def _failed(self, request: Request, viewer: Viewer | None, error: Exception) -> Response:
        request.scope["exchange"].note(error)
        told = problems.problem(error)
        page = RenderedPage("error.html", {"title": told["title"], "problem": told}, told["status"])
        made = self.rendered(request, viewer, page)
        made.headers.update(problems.headers_for(told) if told["status"] != 401 else {})
        return made

    def rendered(self, request: Request, viewer: Viewer | None, page: RenderedPage) -> Response:
        """A page as it is sent."""
        now = self.service.now()
        values = {
            "viewer": viewer,
            "path": request.url.path,
            "home": PREFIX,
            "publisher": request.path_params.get("publisher"),
            "publishers": self.publishers(viewer) if viewer else (),
            "now": now,
            "when": lambda moment: filters.when(moment, now),
            "version": self._app.version,
            **page.values,
        }
        html = self._templates.get_template(page.template).render(values)
        return HTMLResponse(html, page.status)

    def publishers(self, viewer: Viewer) -> tuple[str, ...]:
        """Whose pages somebody may see, in order."""
        known = set(self.service.catalog.store.publishers()) | set(self.service.groups.publishers())
        return tuple(sorted(one for one in known if viewer.caller.sees(one)))

    def _add(
        self, path: str, answer: Callable[..., Any], method: str, prefix: str = PREFIX
    ) -> None:
        async def routed(request: Request) -> Response:
            request.scope["route"] = route  # for the log
            try:
                if method == "POST":
                    check_from_here(request)
                made: Any = answer(request)
                shown: Response = await made if isawaitable(made) else made
            except (EligibilityError, GroupsError) as error:  # before it was known who asks
                shown = await run_in_threadpool(self._failed, request, None, error)
            for name, value in HEADERS.items():
                shown.headers.setdefault(name, value)
            return shown

        route = Route(prefix + path, routed, methods=[method], include_in_schema=False)
        self._app.router.routes.append(route)

    def _add_static(self) -> None:
        for folder in ("", "htmx", "uplot"):
            for one in (_STATIC / folder).iterdir() if folder else _STATIC.iterdir():
                kind = _MEDIA_TYPES.get(one.name.rpartition(".")[2])
                if one.is_file() and kind:
                    self._add_file(
                        f"/static/{folder}/{one.name}".replace("//", "/"), one.read_bytes(), kind
                    )

    def _add_file(self, path: str, body: bytes, kind: str) -> None:
        headers = {"cache-control": "public, max-age=3600"}
        made = Response(body, headers=headers, media_type=f"{kind}; charset=utf-8")
        self._add(path, lambda _: made, "GET")
        if path.endswith("/mark.svg"):
            self._add("/favicon.ico", lambda _: made, "GET", prefix="")


def faults_of(error: Exception) -> list[Fault]:
    """What is wrong with a form, one line a fault."""
    found = getattr(error, "faults", ())
    return list(found) or [Fault("", getattr(error, "code", "ERROR"), str(error))]


def is_part(request: Request) -> bool:
    """Whether only a part of the page is wanted, to be put into the one that is there."""
    return "hx-request" in request.headers


def _to_sign_in(request: Request) -> Response:
    """Send somebody who is not signed in to do so, and back afterwards."""
    if is_part(request):  # a part of a page: the whole page has to go
        return Response(status_code=401, headers={"hx-redirect": SIGN_IN})
    if request.method != "GET":
        return RedirectResponse(SIGN_IN, 303)
    query = f"?{request.url.query}" if request.url.query else ""
    to = quote(request.url.path + query, safe="/")
    return RedirectResponse(f"{SIGN_IN}?to={to}", 303)

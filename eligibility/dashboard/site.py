"""Site: adds the dashboard's pages, checks access, and renders them. Pages run in threads."""

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
from eligibility.dashboard.defence import HEADERS, check_same_site
from eligibility.dashboard.signin.sessions import Sessions, Visitors
from eligibility.dashboard.signin.viewer import Viewer
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
    """A template and its values. status: of the HTTP response."""

    template: str
    values: Mapping[str, Any]
    status: int = 200


PageView = Callable[[Request, Viewer], RenderedPage | Response]
"""Returns a page, or another Response, such as a redirect."""

FormAction = Callable[[Request, Viewer, Mapping[str, Any]], RenderedPage | Response]
"""Handles a form. The fields of the form are texts, or the bytes of files."""


class Site:
    """Adds pages to an application. Blocking work runs in threads."""

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
            "located": filters.located,
        }
        self._templates.globals |= {
            "share": filters.share,
            "clock": filters.clock,
            "letter": letter,
            "run_class": filters.run_class,
        }
        self._add_static()

    def page(self, path: str, show: PageView) -> None:
        """Add a page at a path below the prefix. If nobody is signed in, redirect to sign-in."""

        async def answer(request: Request) -> Response:
            viewer = await run_in_threadpool(self._viewer, request)
            if viewer is None:
                return _to_sign_in(request)
            return await run_in_threadpool(self._response, request, viewer, show)

        self._add(path, answer, "GET")

    def change(self, path: str, do: FormAction) -> None:
        """Add a form that changes something. It must be sent from a page of the same session."""

        async def answer(request: Request) -> Response:
            viewer = await run_in_threadpool(self._viewer, request)
            if viewer is None:
                return _to_sign_in(request)
            form = await self.form(request)
            sent = request.headers.get("x-csrf-token") or str(form.get("csrf", ""))

            def checked(request: Request, viewer: Viewer) -> RenderedPage | Response:
                viewer.check_token(sent)
                return do(request, viewer, form)

            return await run_in_threadpool(self._response, request, viewer, checked)

        self._add(path, answer, "POST")

    def open(self, path: str, method: str, show: Callable[[Request], Any]) -> None:
        """Add a route that works without sign-in. show: a function or a coroutine function."""
        self._add(path, show, method)

    def otherwise(self) -> None:
        """Answer all other paths below the prefix with 404. Call it after all pages are added."""

        def missing(_: Request, __: Viewer) -> RenderedPage:
            raise RequestProblem(404, "NO_SUCH_PAGE", "there is no such page")

        self.page("/{rest:path}", missing)

    async def form(self, request: Request, most_bytes: int = MOST_FORM_BYTES) -> Mapping[str, Any]:
        """Read the fields of a form. Raises: RequestProblem if it is too large or unreadable."""
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
        """Return the viewer of the page; None if nobody is signed in. Raises: RateLimited."""
        visitor = self._visitors.of(request.scope)
        if visitor is None:
            return None
        authenticated, cookie = visitor
        request.scope["exchange"].authenticated = authenticated
        if authenticated.allowance is not None:
            authenticated.allowance.take()
        address = request.app.state.origin_of(request.scope)
        return Viewer(authenticated.caller, address, self.sessions.csrf_token(cookie))

    def _response(self, request: Request, viewer: Viewer, show: PageView) -> Response:
        try:
            page = show(request, viewer)
        except (EligibilityError, GroupsError) as error:
            return self._error_page(request, viewer, error)
        return page if isinstance(page, Response) else self.rendered(request, viewer, page)

    def _error_page(self, request: Request, viewer: Viewer | None, error: Exception) -> Response:
        request.scope["exchange"].error = error
        problem = problems.problem(error)
        status = problem["status"]
        values = {"title": problem["title"], "problem": problem}
        response = self.rendered(request, viewer, RenderedPage("error.html", values, status))
        response.headers.update(problems.headers_for(problem) if status != 401 else {})
        return response

    def rendered(self, request: Request, viewer: Viewer | None, page: RenderedPage) -> Response:
        """Render a page as an HTML response."""
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
        """List the publishers whose pages a viewer may see, sorted."""
        known = set(self.service.catalog.store.publishers()) | set(self.service.groups.publishers())
        return tuple(sorted(filter(viewer.caller.sees, known)))

    def _add(
        self, path: str, answer: Callable[..., Any], method: str, prefix: str = PREFIX
    ) -> None:
        async def routed(request: Request) -> Response:
            request.scope["route"] = route  # for the log
            try:
                if method == "POST":
                    check_same_site(request)
                result: Any = answer(request)
                response: Response = await result if isawaitable(result) else result
            except (EligibilityError, GroupsError) as error:  # the viewer is not known yet
                response = await run_in_threadpool(self._error_page, request, None, error)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        route = Route(prefix + path, routed, methods=[method], include_in_schema=False)
        self._app.router.routes.append(route)

    def _add_static(self) -> None:
        for folder in ("", "htmx", "uplot"):
            for file in (_STATIC / folder).iterdir() if folder else _STATIC.iterdir():
                media_type = _MEDIA_TYPES.get(file.name.rpartition(".")[2])
                if file.is_file() and media_type:
                    path = f"/static/{folder}/{file.name}".replace("//", "/")
                    self._add_file(path, file.read_bytes(), media_type)

    def _add_file(self, path: str, body: bytes, media_type: str) -> None:
        headers = {"cache-control": "public, max-age=3600"}
        response = Response(body, headers=headers, media_type=f"{media_type}; charset=utf-8")
        self._add(path, lambda _: response, "GET")
        if path.endswith("/mark.svg"):
            self._add("/favicon.ico", lambda _: response, "GET", prefix="")


def faults_of(error: Exception) -> list[Fault]:
    """Return the faults of an error; if it has none, the error itself as one fault."""
    return list(getattr(error, "faults", ())) or [
        Fault("", getattr(error, "code", "ERROR"), str(error))
    ]


def is_part(request: Request) -> bool:
    """Return whether htmx asks only for a part of a page, to replace that part."""
    return "hx-request" in request.headers


def _to_sign_in(request: Request) -> Response:
    """Redirect to sign-in, which redirects back to the page afterwards."""
    if is_part(request):  # a redirect would replace only the part: htmx must load a page
        return Response(status_code=401, headers={"hx-redirect": SIGN_IN})
    if request.method != "GET":
        return RedirectResponse(SIGN_IN, 303)
    query = f"?{request.url.query}" if request.url.query else ""
    to = quote(request.url.path + query, safe="/")
    return RedirectResponse(f"{SIGN_IN}?to={to}", 303)

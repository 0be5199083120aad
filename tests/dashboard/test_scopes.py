"""Every page below /dashboard as callers of each single scope: what it shows, offers and refuses.

The routes are those of the application, so a new page is walked over as well. A form is one that
changes something unless it is listed here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from starlette.routing import Route

from eligibility.app.app import create_app
from eligibility.callers.model import Scope
from eligibility.cli.demo.demo import load_sample
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.servers.process import Server, make_key, running

PLACES = {
    "publisher": "contoso",
    "group_id": "insiders",
    "product_id": "9NCONTOSORDR",
    "rest": "nothing",
}
READING_FORMS = re.compile(r"/(sign-out|members|ask\b.*|draft\b.*)$")
"""Forms sent by POST that change nothing: what they ask must not stand in a URL."""
_FORM = re.compile(r"<form[^>]*method=\"post\"[^>]*action=\"([^\"]*)\"")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.example")
_NAMES = re.compile("Canary testers|Sketch private beta")
"""Names of groups, which only who reads groups is told; ids stand in products."""
WRITES = {Scope.WRITE_GROUPS, Scope.WRITE_CATALOG, Scope.ADMIN}
SIGNING = re.compile(r"^/dashboard/(static/.*|sign-.*)$")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('scopes') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        load_sample(service)
        service.groups.create("fabrikam", "Theirs", ["eve@fabrikam.example"], actor="tests")
    return url


@pytest.fixture(scope="module")
def server(store: str) -> Iterator[Server]:
    with running(store) as server:
        server.access({**QUERY, "account": {"id": "ada@contoso.example"}})  # for the live page
        yield server


QUERY = {
    "product_id": PLACES["product_id"],
    "device": {"family": "Windows.Desktop", "os_version": "10.0.22631.4317"},
}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """The method and pattern of every route below the prefix that wants somebody signed in."""
    url = f"sqlite:///{tmp_path_factory.mktemp('routes') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        app = create_app(service)._others
        found = [one for one in app.routes if isinstance(one, Route)]
    pages = [one for one in found if one.path.startswith("/dashboard")]
    return [
        (method, one.path)
        for one in pages
        for method in sorted((one.methods or set()) - {"HEAD"})
        if not SIGNING.match(one.path)
    ]


def filled(pattern: str, **other: str) -> str:
    places = {**PLACES, **other}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: places[found[1]], pattern)


@contextmanager
def visitor(server: Server, *scopes: str) -> Iterator[httpx2.Client]:
    """A browser in which somebody of contoso with these scopes is signed in.

    It sends along the token of forms, which every page holds.
    """
    key = make_key(server.store_url, *scopes, publishers=["contoso"])
    with httpx2.Client(base_url=server.url, timeout=60) as http:
        assert http.post("/dashboard/sign-in", data={"key": key}).status_code == 303
        page = http.get("/dashboard/nothing").text
        token = page.partition('"x-csrf-token": "')[2].partition('"')[0]
        assert len(token) == 32
        http.headers["x-csrf-token"] = token
        yield http


def sent(http: httpx2.Client, method: str, path: str) -> httpx2.Response:
    """A page, or the answer to a form with the token of its session."""
    form = {"emails": "eve@example.com", "name": "Eve", "by": "Eve"}
    return http.get(path) if method == "GET" else http.post(path, data=form)


def test_there_are_routes_to_walk_over(routes: list[tuple[str, str]]) -> None:
    assert len(routes) > 15
    assert ("GET", "/dashboard/{publisher}") in routes
    assert ("POST", "/dashboard/{publisher}/groups/{group_id}/save") in routes


def test_nobody_is_shown_anything_without_signing_in(
    server: Server, routes: list[tuple[str, str]]
) -> None:
    with httpx2.Client(base_url=server.url) as http:
        for method, pattern in routes:
            answer = sent(http, method, filled(pattern))
            assert answer.status_code == 303, pattern
            assert answer.headers["location"].startswith("/dashboard/sign-in"), pattern


@pytest.mark.parametrize("scope", list(Scope))
def test_a_single_scope_shows_and_offers_what_it_allows_and_no_more(
    server: Server, routes: list[tuple[str, str]], scope: Scope
) -> None:
    with visitor(server, scope) as http:
        for method, pattern in routes:
            if method == "POST":
                continue
            answer = http.get(filled(pattern))
            assert answer.status_code in (200, 303, 403, 404), (pattern, answer.text)
            if scope not in (Scope.READ_GROUPS, Scope.ADMIN):
                assert not _ADDRESS.search(answer.text), pattern
                assert not _NAMES.search(answer.text), pattern
            changing = [to for to in _FORM.findall(answer.text) if not READING_FORMS.search(to)]
            assert scope in WRITES or not changing, (pattern, changing)


@pytest.mark.parametrize("scope", sorted(set(Scope) - WRITES))
def test_no_form_changes_anything_without_a_scope_to_write(
    server: Server, routes: list[tuple[str, str]], scope: Scope
) -> None:
    before = state(server)
    with visitor(server, scope) as http:
        for method, pattern in routes:
            if method == "POST":
                answer = sent(http, method, filled(pattern))
                reads = bool(READING_FORMS.search(pattern))
                assert answer.status_code in ((200, 400, 403, 404) if reads else (403, 404)), (
                    pattern
                )
                assert scope is Scope.READ_GROUPS or not _ADDRESS.search(answer.text), pattern
    assert state(server) == before


def state(server: Server) -> list[object]:
    """Everything that a form could change, by its revision and the keys there are."""
    base = "/v1/publishers/contoso"
    paths = (f"{base}/groups", f"{base}/products", f"{base}/groups/insiders/members")
    return [server.http.get(path).json() for path in paths]


@pytest.mark.parametrize(
    "scopes", [(Scope.ADMIN,), (Scope.READ_CATALOG, Scope.READ_GROUPS)], ids=str
)
def test_another_publishers_pages_are_those_of_nobody(
    server: Server, routes: list[tuple[str, str]], scopes: tuple[Scope, ...]
) -> None:
    with visitor(server, *scopes) as http:
        for method, pattern in routes:
            if "{publisher}" not in pattern:
                continue
            theirs, nobodys = (
                sent(http, method, filled(pattern, publisher=one))
                for one in ("fabrikam", "nobodys1")
            )
            assert theirs.status_code == nobodys.status_code == 404, (method, pattern)
            assert alike(theirs, "fabrikam") == alike(nobodys, "nobodys1"), (method, pattern)


def alike(answer: httpx2.Response, publisher: str) -> str:
    """A page without the name that was asked for."""
    return answer.text.replace(publisher, "<publisher>")


def test_the_list_of_publishers_names_those_of_the_caller_alone(server: Server) -> None:
    with visitor(server, "metrics") as http:
        page = http.get("/dashboard/", follow_redirects=True)
        assert "fabrikam" not in page.text


def test_no_page_has_script_or_style_of_its_own(
    server: Server, routes: list[tuple[str, str]]
) -> None:
    """The policy would stop them; here it is said which page has them."""
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
    )
    with visitor(server, "admin") as http:
        for method, pattern in routes:
            if method == "GET":
                answer = http.get(filled(pattern))
                if answer.headers.get("content-type", "").startswith("text/html"):
                    assert not inline.findall(answer.text), pattern


def test_no_parameter_makes_a_page_fail(server: Server, routes: list[tuple[str, str]]) -> None:
    names = ("page", "from", "at", "who", "for", "standing", "product", "kind", "q", "cursor")
    with visitor(server, "admin") as http:
        for method, pattern in routes:
            if method == "GET":
                for value in ("x", "-1", "9" * 400, "\x00", "'\"><b>"):
                    answer = http.get(filled(pattern), params=dict.fromkeys(names, value))
                    assert answer.status_code < 500, (pattern, value, answer.text)
                    assert "<b>" not in answer.text, pattern

"""Sessions of the dashboard as an attacker sees them: cookies, forms, other sites, keys that end."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from eligibility.callers.api_keys import key_id_of
from eligibility.callers.model import Scope
from eligibility.cli.demo.demo import load_sample
from eligibility.dashboard.pages.sign_in import below
from eligibility.dashboard.signin.cookies import Cookie, CookieCipher
from eligibility.dashboard.signin.sessions import HOURS, Session, Sessions
from eligibility.server.http.client_address import ClientAddresses
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.servers.process import Server, bearer, make_key, running
from tests.helpers.tokens.jwks_server import Signer, jwks_server

SIGN_IN, OVERVIEW = "/dashboard/sign-in", "/dashboard/contoso"
GROUP = "/dashboard/contoso/groups/insiders"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"sqlite:///{tmp_path_factory.mktemp('sessions') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        load_sample(service)
    with running(url, ELIGIBILITY_TRUSTED_PROXIES="127.0.0.2") as server:
        yield server


@pytest.fixture
def http(server: Server) -> Iterator[httpx2.Client]:
    """A browser, as far as cookies go."""
    with httpx2.Client(base_url=server.url, timeout=20) as client:
        yield client


def signs_in(http: httpx2.Client, key: str, **headers: str) -> httpx2.Response:
    return http.post(SIGN_IN, data={"key": key}, headers=headers)


def token(http: httpx2.Client) -> str:
    """The token of forms, as a page shows it."""
    return http.get(GROUP).text.partition('name="csrf" value="')[2].partition('"')[0]


# --- the cookie -----------------------------------------------------------------------------------


def test_the_cookie_is_no_scripts_and_no_other_sites_and_ends(
    server: Server, http: httpx2.Client
) -> None:
    answer = signs_in(http, server.key)
    name, _, rest = answer.headers["set-cookie"].partition("=")
    value, *attributes = rest.split("; ")
    assert name == "eligibility_session"
    assert attributes == ["Path=/dashboard", f"Max-Age={HOURS * 3_600}", "HttpOnly", "SameSite=Lax"]
    assert server.key not in value
    assert answer.headers["cache-control"] == "no-store"


PROXIES = ClientAddresses([ip_network("192.0.2.0/24")])
SECRET = b"k" * 32


def scope_of(cookie: str = "", *, peer: str = "198.51.100.1", **more: str) -> dict[str, Any]:
    said = [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()]
    return {"client": (peer, 1), "scheme": "http", "headers": [(b"cookie", cookie.encode()), *said]}


def sessions(now: list[float], binding: str = "", *, people: bool = True) -> Sessions:
    keeper = CookieCipher(lambda: SECRET, PROXIES.by_tls, binding, lambda: now[0])
    return Sessions(keeper, people=people)


@pytest.mark.parametrize(
    ("scope", "tls"),
    [
        (scope_of(), False),
        ({**scope_of(), "scheme": "https"}, True),
        (scope_of(peer="192.0.2.7", x_forwarded_proto="https"), True),
        (scope_of(peer="192.0.2.7", x_forwarded_proto="http"), False),
        (scope_of(peer="192.0.2.7", x_forwarded_proto="https, http"), False),
        (scope_of(peer="192.0.2.7"), False),
        (scope_of(peer="198.51.100.1", x_forwarded_proto="https"), False),  # anybody may say so
        ({**scope_of(x_forwarded_proto="https"), "client": None}, False),
    ],
)
def test_by_tls_the_cookie_is_for_tls_and_this_host_alone(scope: dict[str, Any], tls: bool) -> None:
    header = sessions([0.0]).started(scope, Session(until=1, key="elg_x"))
    assert header.startswith("__Host-eligibility_session=") is tls
    assert ("; Path=/; Secure; " in header) is tls


def test_by_tls_a_cookie_that_any_page_could_have_set_does_not_count() -> None:
    made = sessions([0.0])
    scope = {**scope_of(), "scheme": "https"}
    set_cookie = made.started(scope, Session(until=1, key="elg_x"))
    cookie = set_cookie.partition(";")[0]
    assert made.of({**scope_of(cookie), "scheme": "https"}) is not None
    planted = cookie.removeprefix("__Host-")
    assert made.of({**scope_of(planted), "scheme": "https"}) is None


def test_a_session_ends_by_itself_and_counts_only_where_it_was_made() -> None:
    now = [1_000.0]
    made = sessions(now)
    person = Session(until=5_000, name="person ada", scopes=(Scope.READ_CATALOG,))
    cookie = made.started(scope_of(), person).partition(";")[0]
    assert made.of(scope_of(cookie)) is not None
    assert sessions(now, "another secret").of(scope_of(cookie)) is None
    assert sessions(now, people=False).of(scope_of(cookie)) is None
    name, _, value = cookie.partition("=")
    assert made.of(scope_of(f"{name}={value[:-4]}AAAA")) is None
    assert made.of(scope_of(f"{name}=\xff")) is None
    other = Cookie(
        "eligibility_signing_in",
        600,
        CookieCipher(lambda: SECRET, PROXIES.by_tls, "", lambda: now[0]),
    )
    assert made.of(scope_of(f"{name}={other.sealed(msgspec.json.encode(person))}")) is None
    now[0] = 5_000.0
    assert made.of(scope_of(cookie)) is None


def test_no_session_lasts_longer_than_twelve_hours() -> None:
    now = [0.0]
    made = sessions(now)
    cookie = made.started(scope_of(), Session(until=10**9, key="elg_x")).partition(";")[0]
    now[0] = HOURS * 3_600 + 1.0
    assert made.of(scope_of(cookie)) is None


def test_a_huge_cookie_is_none(server: Server, http: httpx2.Client) -> None:
    for size in (9_000, 60_000):
        answer = http.get(OVERVIEW, headers={"cookie": f"eligibility_session={'x' * size}"})
        assert answer.status_code == 303


# --- keys -----------------------------------------------------------------------------------------


def test_a_revoked_key_ends_its_session_within_a_second(
    server: Server, http: httpx2.Client
) -> None:
    key = make_key(server.store_url, "catalog:read", publishers=["contoso"])
    signs_in(http, key)
    assert http.get(OVERVIEW).status_code == 200
    with Service(Settings(store=server.store_url)) as service:
        service.key_admin.revoke("tests", key_id_of(key))
    time.sleep(1.1)
    assert http.get(OVERVIEW).headers["location"].startswith(SIGN_IN)


def test_an_expired_key_ends_its_session(server: Server, http: httpx2.Client) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=3)
    key = make_key(
        server.store_url, "catalog:read", publishers=["contoso"], expires=ends.isoformat()
    )
    signs_in(http, key)
    assert http.get(OVERVIEW).status_code == 200
    time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()))
    assert http.get(OVERVIEW).headers["location"].startswith(SIGN_IN)


@pytest.mark.parametrize("said", ["", "elg_", "x", "eyJhbGciOiJub25lIn0.e30.", "elg_\r\nx", "é"])
def test_what_is_no_key_is_refused_alike(http: httpx2.Client, said: str) -> None:
    answer = signs_in(http, said)
    assert (answer.status_code, "not an API key of this server" in answer.text) == (401, True)
    assert "set-cookie" not in answer.headers


def test_a_token_of_a_service_or_an_account_is_no_key(tmp_path: Path) -> None:
    """An account may ask for itself about every publisher, which is no reason to be told which there are."""
    signer = Signer("one")
    with jwks_server(signer.jwk()) as keys:
        common = {"jwks_url": keys.url, "issuer": keys.origin}
        env = {
            "ELIGIBILITY_ISSUERS": json.dumps([{**common, "audience": "eligibility"}]),
            "ELIGIBILITY_ACCOUNT_ISSUERS": json.dumps(
                [{**common, "audience": "store", "kind": "microsoft"}]
            ),
        }
        said = {"iss": keys.origin, "exp": time.time() + 600, "sub": "1", "publishers": "*"}
        said |= {"email": "ada@contoso.example", "email_verified": True, "scope": "admin"}
        with (
            running(f"sqlite:///{tmp_path / 'store.db'}", **env) as server,
            httpx2.Client(base_url=server.url) as http,
        ):
            for audience in ("eligibility", "store"):
                token = signer.sign({**said, "aud": audience})
                known = http.get("/v1/publishers/contoso/groups", headers=bearer(token))
                assert known.status_code == (200 if audience == "eligibility" else 403)
                assert signs_in(http, token).status_code == 401


def test_pages_do_not_look_at_other_credentials_nor_the_api_at_the_cookie(
    server: Server, http: httpx2.Client
) -> None:
    for header in (bearer(server.key), {"x-api-key": server.key}):
        assert http.get(OVERVIEW, headers=header).status_code == 303
        saved = http.post(f"{GROUP}/save", headers=header, data={"emails": "eve@example.com"})
        assert saved.headers["location"] == SIGN_IN
    signs_in(http, server.key)
    assert http.get("/v1/publishers/contoso/groups").status_code == 401


def test_the_limit_of_a_key_counts_pages_too(server: Server, http: httpx2.Client) -> None:
    signs_in(http, make_key(server.store_url, "catalog:read", rate_limit=2))
    answers = [http.get(OVERVIEW) for _ in range(4)]
    assert [one.status_code for one in answers][-1] == 429
    assert "retry-after" in answers[-1].headers
    assert "Too many requests" in answers[-1].text


# --- other sites ----------------------------------------------------------------------------------

FROM_ELSEWHERE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
]


@pytest.mark.parametrize("header", FROM_ELSEWHERE, ids=str)
@pytest.mark.parametrize("path", [SIGN_IN, "/dashboard/sign-out", f"{GROUP}/save"])
def test_a_form_of_another_site_is_refused(
    server: Server, http: httpx2.Client, path: str, header: dict[str, str]
) -> None:
    signs_in(http, server.key)
    form = {"key": server.key, "csrf": token(http), "emails": "eve@example.com"}
    answer = http.post(path, data=form, headers=header)
    assert (answer.status_code, "OTHER_SITE" in answer.text) == (403, True)
    assert "set-cookie" not in answer.headers
    assert "eve@" not in http.get(GROUP).text


def test_a_change_needs_the_token_of_the_same_session(server: Server, http: httpx2.Client) -> None:
    signs_in(http, server.key)
    others = httpx2.Client(base_url=server.url)
    with others:
        signs_in(others, server.key)
        theirs = token(others)
    for csrf in ("", "x", theirs):
        form = {"csrf": csrf, "emails": "eve@example.com"}
        answer = http.post(f"{GROUP}/save", data=form, headers={"sec-fetch-site": "same-origin"})
        assert (answer.status_code, "CSRF_TOKEN" in answer.text) == (403, True)
    assert "eve@" not in http.get(GROUP).text


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example",
        "//evil.example",
        "/dashboard//evil.example",
        "/dashboard/\\evil.example",
        "/dashboard/\r\nlocation: https://evil.example",
        "/dashboardx",
        "javascript:alert(1)",
        "/dashboard/sign-in?to=/dashboard/sign-in",
        f"/dashboard/{'x' * 2_000}",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(to: str) -> None:
    assert below(to) == "/dashboard/"


def test_every_answer_is_told_not_to_be_framed_kept_or_scripted(
    server: Server, http: httpx2.Client
) -> None:
    answers = [http.get(SIGN_IN), http.get("/dashboard/nothing"), signs_in(http, server.key)]
    answers += [http.get(OVERVIEW), http.get("/dashboard/nothing"), http.post(f"{GROUP}/save")]
    answers += [http.post("/dashboard/sign-out")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_signing_out_forgets_the_cookie(server: Server, http: httpx2.Client) -> None:
    signs_in(http, server.key)
    answer = http.post("/dashboard/sign-out")
    assert "eligibility_session=; Path=/dashboard; Max-Age=0" in answer.headers["set-cookie"]
    assert http.get(OVERVIEW).status_code == 303


# --- forms that are bombs -------------------------------------------------------------------------


def parts(many: int, size: int = 1) -> bytes:
    return (
        b"".join(
            b'--b\r\ncontent-disposition: form-data; name="n%d"\r\n\r\n%b\r\n' % (n, b"x" * size)
            for n in range(many)
        )
        + b"--b--\r\n"
    )


MULTIPART = {"content-type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (parts(201), 400),
        (parts(50_000), 400),
        (b"--b\r\n" + b"x-header: y\r\n" * 100_000 + b"\r\n", 400),
        (parts(1, 4_300_000), 413),
        (b"--c\r\nnothing that was said\r\n", 400),
    ],
    ids=["fields", "many fields", "headers", "size", "boundary"],
)
def test_a_form_that_is_a_bomb_is_refused_at_once_as_a_page(
    server: Server, http: httpx2.Client, body: bytes, status: int
) -> None:
    signs_in(http, server.key)
    began = time.monotonic()
    answer = http.post(f"{GROUP}/preview", content=body, headers=MULTIPART)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert time.monotonic() - began < 2


def test_who_is_not_signed_in_cannot_send_much(http: httpx2.Client) -> None:
    answer = http.post(SIGN_IN, data={"key": "x" * 10_000})
    assert answer.status_code == 413
    unsaid = http.post(SIGN_IN, content=iter([b"key=x"]))  # no content-length
    assert unsaid.status_code == 413

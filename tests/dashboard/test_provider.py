"""Signing in through an OpenID provider: in a real browser, and under attack."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import jwt
import pytest

from eligibility.cli.demo.demo import load_sample
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.browser import Visit, launched, violations, visiting
from tests.helpers.servers.process import Server, running
from tests.helpers.tokens.openid_provider import CLIENT_ID, Scripted, provider, scripted

OVERVIEW = "/dashboard/contoso"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('provider') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        load_sample(service)
    return url


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("s3cret of the client\n")
    return file


def without_its_looks(visit: Visit) -> None:
    """The provider's page gets its style from elsewhere, where no test has to be able to look."""
    visit.page.route(re.compile("^https://"), lambda asked: asked.fulfill(status=200, body=""))


def declared(issuer: str, secret: Path | None = None, **more: Any) -> dict[str, str]:
    """The setting, in the environment."""
    table = {"issuer": issuer, "client_id": CLIENT_ID, "label": "Sign in with Contoso", **more}
    if secret is not None:
        table["client_secret_file"] = str(secret)
    return {"ELIGIBILITY_DASHBOARD_PROVIDER": json.dumps(table)}


# --- a person, in a browser -----------------------------------------------------------------------


def test_a_person_signs_in_at_the_provider_and_sees_what_it_grants(
    store: str, secret: Path
) -> None:
    claims = {"roles": ["Viewer"], "publishers": ["contoso"], "preferred_username": "ada"}
    grants = {"scope_claims": "roles", "scopes": {"Viewer": ["catalog:read", "groups:read"]}}
    with (
        provider(**claims) as issuer,
        running(
            store, **declared(issuer, secret, name_claim="preferred_username", **grants)
        ) as server,
        launched() as browser,
        visiting(browser, server.url) as visit,
    ):
        without_its_looks(visit)
        visit.go(OVERVIEW)
        assert violations(visit.page) == []
        visit.page.click("text=Sign in with Contoso")
        visit.page.click("button:has-text('ada')")  # at the provider
        visit.page.wait_for_url(f"**{OVERVIEW}")
        assert "Contoso Sketch" in visit.text()
        visit.page.click("details.menu summary")
        assert "Signed in as person ada" in visit.text("details.menu")
        (cookie,) = visit.page.context.cookies(server.url + OVERVIEW)  # none of the way is left
        assert cookie["name"] == "eligibility_session"
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        visit.page.click("text=Sign out")
        visit.go(OVERVIEW)
        assert "Sign in with Contoso" in visit.text()
        visit.console = [one for one in visit.console if "404" not in one]  # the provider's icon


def test_whoever_declines_at_the_provider_reads_why_and_can_try_again(
    store: str, secret: Path
) -> None:
    with (
        provider() as issuer,
        running(store, **declared(issuer, secret)) as server,
        launched() as browser,
        visiting(browser, server.url) as visit,
    ):
        without_its_looks(visit)
        visit.go("/dashboard/sign-in")
        visit.page.click("text=Sign in with Contoso")
        visit.page.click("text=Deny")
        visit.page.wait_for_url("**/sign-in/callback**")
        assert visit.page.locator("text=Sign in with Contoso").count() == 1
        assert "try again" in visit.text("[role=alert]")  # this one leaves the state out
        visit.console = [one for one in visit.console if "400" not in one and "404" not in one]


# --- under attack ---------------------------------------------------------------------------------


@dataclass
class Person:
    """A browser as an attacker drives it: every step by itself."""

    server: Server
    lies: Scripted
    http: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx2.Client(base_url=self.server.url, timeout=20)

    def begins(self, to: str = OVERVIEW) -> str:
        """Where the link leads, at the provider."""
        sent = self.http.get("/dashboard/sign-in/provider", params={"to": to})
        assert sent.status_code == 303, sent.text
        return str(sent.headers["location"])

    def at_the_provider(self, url: str) -> str:
        """Where the provider sends back to."""
        return str(httpx2.get(url).headers["location"])

    def comes_back(self, url: str) -> httpx2.Response:
        return self.http.get(url)

    def signs_in(self) -> httpx2.Response:
        return self.comes_back(self.at_the_provider(self.begins()))

    @property
    def is_in(self) -> bool:
        return self.http.get(OVERVIEW).status_code == 200


@pytest.fixture(scope="module")
def world(
    store: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Scripted]]:
    secret = tmp_path_factory.mktemp("secret") / "secret"
    secret.write_text("s3cret of the client\n")
    with scripted() as lies:
        env = declared(lies.issuer, secret, hours=1)
        with running(store, **env) as server:
            yield server, lies


@pytest.fixture
def somebody(world: tuple[Server, Scripted]) -> Iterator[Callable[[], Person]]:
    """Makes people, each with a browser of its own."""
    server, lies = world
    lies.claims, lies.answers, lies.token, lies.status = {}, {}, None, 200
    made: list[Person] = []

    def one() -> Person:
        made.append(Person(server, lies))
        return made[-1]

    yield one
    for person in made:
        person.http.close()


@pytest.fixture
def person(somebody: Callable[[], Person]) -> Person:
    return somebody()


def refused(answer: httpx2.Response, status: int, words: str) -> bool:
    """Whether it is a page that says why, and begins no session."""
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    return all("eligibility_session=" not in one for one in answer.headers.get_list("set-cookie"))


def test_it_asks_for_a_code_with_pkce_state_and_nonce(person: Person) -> None:
    url = person.begins()
    asked = dict(parse_qsl(urlsplit(url).query))
    assert url.startswith(f"{person.lies.issuer}/authorize?")
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid profile"
    assert asked["redirect_uri"] == f"{person.server.url}/dashboard/sign-in/callback"
    again = dict(parse_qsl(urlsplit(person.begins()).query))
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 43  # 256 bits
        assert asked[name] != again[name]


def test_it_signs_in_and_goes_on_to_the_page_that_was_asked_for(person: Person) -> None:
    answer = person.signs_in()
    assert (answer.status_code, answer.headers["location"]) == (303, OVERVIEW)
    assert person.is_in
    form, authorization = person.lies.asked[-1]
    assert authorization.startswith("Basic ")
    assert "client_secret" not in form


def test_the_address_of_the_way_back_leads_nowhere_else(person: Person) -> None:
    back = person.at_the_provider(person.begins("//evil.example/dashboard/"))
    assert person.comes_back(back).headers["location"] == "/dashboard/"


def test_another_state_is_refused(person: Person) -> None:
    back = person.at_the_provider(person.begins())
    wrong = back.replace("state=", "state=x")
    assert refused(person.comes_back(wrong), 400, "try again")
    assert refused(person.comes_back(back), 400, "try again")  # what was begun counts once
    assert not person.is_in


def test_an_answer_for_somebody_elses_browser_is_refused(
    person: Person, somebody: Callable[[], Person]
) -> None:
    """An attacker's own answer, given to a victim as a link: who follows it would sign in as the attacker."""
    attacker = somebody()
    back = attacker.at_the_provider(attacker.begins())
    assert refused(person.comes_back(back), 400, "try again")
    person.begins()
    assert refused(person.comes_back(back), 400, "try again")
    assert not person.is_in


def test_a_code_counts_once(person: Person, somebody: Callable[[], Person]) -> None:
    back = person.at_the_provider(person.begins())
    kept = dict(person.http.cookies)
    assert person.comes_back(back).status_code == 303
    thief = somebody()
    thief.http.cookies.update(kept)
    assert refused(thief.comes_back(back), 403, "used already")
    assert not thief.is_in


def test_a_stolen_code_is_of_no_use_in_another_sign_in(
    person: Person, somebody: Callable[[], Person]
) -> None:
    """PKCE: the verifier is in the browser that the code was made for."""
    stolen = dict(parse_qsl(urlsplit(person.at_the_provider(person.begins())).query))["code"]
    thief = somebody()
    state = dict(parse_qsl(urlsplit(thief.begins()).query))["state"]
    back = f"/dashboard/sign-in/callback?code={stolen}&state={state}"
    assert refused(thief.comes_back(back), 403, "used already")


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"nonce": "another"}, "does not prove"),
        ({"nonce": None}, "does not prove"),
        ({"iss": "https://elsewhere.example"}, "does not prove"),
        ({"aud": "another-client"}, "does not prove"),
        ({"aud": [CLIENT_ID, "another"]}, "does not prove"),
        ({"azp": "another-client"}, "does not prove"),
        ({"exp": 1_700_000_000}, "does not prove"),
        ({"exp": None}, "does not prove"),
        ({"sub": None}, "does not prove"),
        ({"scope": None}, "what you may do"),
        ({"scope": "root"}, "what you may do"),
        ({"publishers": None}, "which publishers"),
        ({"publishers": []}, "which publishers"),
        ({"publishers": [f"publisher-{n}" for n in range(400)]}, "more publishers"),
    ],
    ids=str,
)
def test_an_id_token_counts_only_if_it_is_for_this_sign_in(
    person: Person, claims: dict[str, Any], words: str
) -> None:
    person.lies.claims = claims
    assert refused(person.signs_in(), 403, words)
    assert not person.is_in


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", "none")


def by_the_clients_secret(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "s3cret of the client, which is long enough", "HS256", {"kid": "one"})


@pytest.mark.parametrize("forged", [unsigned, by_the_clients_secret])
def test_an_id_token_has_to_be_signed_by_a_key_of_the_provider(person: Person, forged: Any) -> None:
    url = person.begins()
    nonce = dict(parse_qsl(urlsplit(url).query))["nonce"]
    claims: dict[str, Any] = {
        "iss": person.lies.issuer,
        "aud": CLIENT_ID,
        "sub": "ada",
        "nonce": nonce,
    }
    claims |= {"exp": int(time.time()) + 300, "scope": "admin", "publishers": "*"}
    person.lies.token = forged(claims)
    assert refused(person.comes_back(person.at_the_provider(url)), 403, "does not prove")


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ({"iss": "https://elsewhere.example"}, 400, "another provider"),
        ({"code": None}, 403, "did not sign you in"),
        ({"code": None, "error": "access_denied"}, 403, "did not allow"),
        ({"code": None, "error": "<script>alert(1)</script>"}, 403, "did not sign you in"),
        ({"error": "server_error", "error_description": "<b>bold</b>"}, 403, "did not sign you in"),
        ({"code": "made up"}, 403, "used already"),
    ],
    ids=str,
)
def test_other_answers_are_refused_in_words_of_ours(
    person: Person, answers: dict[str, str | None], status: int, words: str
) -> None:
    person.lies.answers = answers
    answer = person.signs_in()
    assert refused(answer, status, words)
    assert "alert(1)" not in answer.text
    assert "bold" not in answer.text


def test_a_provider_that_fails_is_away(person: Person) -> None:
    person.lies.status = 500
    assert refused(person.signs_in(), 503, "cannot be reached now")


def test_a_session_of_a_person_has_its_end_and_is_no_credential_of_the_api(person: Person) -> None:
    answer = person.signs_in()
    (cookie,) = [
        c for c in answer.headers.get_list("set-cookie") if c.startswith("eligibility_session=")
    ]
    value = cookie.partition("=")[2].partition(";")[0]
    assert person.http.get("/v1/publishers/contoso/products").status_code == 401
    for header in ({"authorization": f"Bearer {value}"}, {"x-api-key": value}):
        assert person.http.get("/v1/publishers/contoso/products", headers=header).status_code == 401


def test_what_is_kept_on_the_way_is_no_session(
    person: Person, somebody: Callable[[], Person]
) -> None:
    person.begins()
    kept = person.http.cookies["eligibility_signing_in"]
    other = somebody()
    other.http.cookies.set("eligibility_session", kept)
    assert not other.is_in


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "http://192.0.2.7/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"code_challenge_methods_supported": ["plain"]},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_a_provider_is_believed_only_what_is_safe(store: str, says: dict[str, Any]) -> None:
    with scripted() as lies:
        lies.says = says
        with running(store, **declared(lies.issuer)) as server:
            answer = httpx2.get(f"{server.url}/dashboard/sign-in/provider")
            assert refused(answer, 503, "cannot be reached now")
            assert "an API key" in answer.text  # which works all the same


def test_people_are_signed_in_no_more_once_the_provider_is_gone_or_its_secret_another(
    store: str, secret: Path
) -> None:
    with scripted() as lies:
        env = declared(lies.issuer, secret)
        with running(store, **env) as server:
            person = Person(server, lies)
            with person.http:
                assert person.signs_in().status_code == 303
                kept = dict(person.http.cookies)
        secret.write_text("another")
        for settings in (env, {}):
            with running(store, **settings) as server:
                assert httpx2.get(server.url + OVERVIEW, cookies=kept).status_code == 303

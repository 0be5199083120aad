"""Every page: no barrier, no complaint of the browser, nothing that a stored text can do, not too large."""

from collections.abc import Iterator
from typing import Any, get_args

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from eligibility.catalog.validation import read_product
from eligibility.cli.demo.activity import invent_activity
from eligibility.cli.demo.demo import load_sample
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.model import Consent
from tests.helpers.browser import Scheme, Visit, violations, visiting
from tests.helpers.dashboard import HOME, READER, SKETCH, VIEWER
from tests.helpers.servers.process import Server, make_key, running

SIGN_IN = "/dashboard/sign-in"
PAGES = (
    HOME,
    READER,
    SKETCH,
    f"{READER}/readiness?for=flight:insiders",
    f"{HOME}/groups",
    f"{HOME}/groups/new",
    f"{HOME}/groups/insiders",
    f"{HOME}/ask?product=9NCONTOSORDR&family=Windows.Xbox&os=10.0.22621.0",
    f"{HOME}/live",
    f"{HOME}/no-such-page",
    SIGN_IN,
)
MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The sample with two days of activity."""
    url = f"sqlite:///{tmp_path_factory.mktemp('busy') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        load_sample(service)
        invent_activity(service, "contoso")
    with running(url) as server:
        yield server


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_no_page_has_a_barrier_nor_complains(
    browser: Browser, busy: Server, scheme: Scheme
) -> None:
    """By axe-core, with everything unfolded; and nothing overflows a small screen."""
    with visiting(browser, busy.url, scheme=scheme, width=360) as visit:
        visit.sign_in(busy.key)
        for path in PAGES:
            visit.go(path)
            visit.page.evaluate(_OPEN)
            assert violations(visit.page) == [], path
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360, path
        visit.console = [one for one in visit.console if "404" not in one]


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_results_have_no_barrier(browser: Browser, busy: Server, scheme: Scheme) -> None:
    """The preview of an edit, what cannot be read, and an answer with what is supposed."""
    with visiting(browser, busy.url, scheme=scheme) as visit:
        page = visit.page
        visit.sign_in(busy.key)
        visit.go(f"{HOME}/groups/canary-testers")
        for addresses, shown in (("no address", "[role=alert]"), ("x@contoso.example", "table")):
            page.fill("#emails", addresses)
            page.click("text=Show what would change")
            page.wait_for_selector(f"#preview {shown}")
            page.evaluate(_OPEN)
            assert violations(page) == [], addresses
        visit.go(f"{HOME}/ask?product=9NCONTOSOSKT")
        page.fill("#account", "linus@contoso.example")
        page.select_option("#preset", "Windows 10 1507, x64")
        page.click("button.primary")
        page.check("text=sketch-beta")
        page.click("button.primary")
        page.wait_for_selector("[aria-labelledby=otherwise]")
        page.evaluate(_OPEN)
        assert violations(page) == []


_OPEN = "document.querySelectorAll('details').forEach(one => one.open = true)"


def test_nothing_moves_while_a_page_loads(browser: Browser, busy: Server) -> None:
    with visiting(browser, busy.url) as visit:
        visit.sign_in(busy.key)
        for path in PAGES:
            visit.go(path)
            moved = visit.page.evaluate(_LAYOUT_SHIFT)
            assert moved < 0.01, path
        visit.console = [one for one in visit.console if "404" not in one]


_LAYOUT_SHIFT = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(one => { sum += one.value; }))
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 100);
})"""


def test_moments_are_relative_with_the_exact_one_to_hover_over(visit: Visit) -> None:
    visit.go(READER)
    time = visit.page.locator("time").first
    assert "ago" in time.inner_text() or "just now" in time.inner_text()
    assert str(time.get_attribute("title")).endswith(" UTC")


def test_a_viewer_without_groups_sees_no_address_on_any_page(
    browser: Browser, busy: Server
) -> None:
    key = make_key(busy.store_url, *VIEWER, publishers=["contoso"])
    with visiting(browser, busy.url) as visit:
        visit.sign_in(key)
        for path in PAGES:
            visit.go(path)
            assert "@" not in visit.page.content().replace("@media", ""), path
            assert visit.page.locator("textarea").count() == 0
        visit.console = [one for one in visit.console if "403" not in one and "404" not in one]


def test_where_there_is_nothing_it_says_what_to_do_first(browser: Browser, store_url: str) -> None:
    with running(store_url) as server, visiting(browser, server.url) as visit:
        visit.sign_in(server.key)
        assert "Nothing here yet" in visit.text()
        assert "eligibility catalog apply" in visit.text()


# --- what stored texts can do ---------------------------------------------------------------------

EVIL = "<script>window.harmed=1</script><img src=x onerror='window.harmed=2'>\"'`{{7*7}}"


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A store in which every text that somebody can choose tries to be more than a text."""
    url = f"sqlite:///{tmp_path_factory.mktemp('evil') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        service.groups.create(
            "evil", EVIL[:60], ["ada@contoso.example"], group_id="evil", actor=EVIL
        )
        note = Consent(confirmed_by=EVIL, at=service.now(), text=EVIL)
        service.groups.set_consent("evil", "evil", note, actor=EVIL)
        for name in ("First", EVIL):
            service.catalog.put("evil", "EVIL", read_product(_evil_product(name)), actor=EVIL)
    with running(url) as server:
        server.access(
            {
                "product_id": "EVIL",
                "account": {"id": "ada@contoso.example"},
                "device": {"family": "Windows.Desktop", "os_version": "22631"},
            }
        )
        yield server


def _evil_product(name: str) -> dict[str, Any]:
    package = {
        "file_name": f"{EVIL}.msix",
        "version": "1.0.0.0",
        "architectures": ["x64"],
        "targets": {"Windows.Desktop": "10.0.17763.0", "Windows.Xbox": "10.0.17763.0"},
    }
    targets = {"Windows.Desktop": "10.0.17763.0"}
    flight = {
        "flight_id": "evil",
        "name": EVIL,
        "groups": ["evil"],
        "packages": [{**package, "version": "2.0.0.0", "targets": targets}],
        "publish_at": "2031-01-01T00:00:00Z",
    }
    return {
        "name": name,
        "submission": {"packages": [package]},
        "flights": [{**flight, "flight_id": "now", "name": f"N{EVIL}", "publish_at": None}, flight],
    }


def test_a_script_in_a_stored_text_does_nothing(browser: Browser, evil: Server) -> None:
    key = make_key(evil.store_url, "admin", publishers=None)
    home, product = "/dashboard/evil", "/dashboard/evil/products/EVIL"
    pages = (
        home,
        product,
        f"{product}?who={EVIL}&at={EVIL}",
        f"{product}?who=group:evil",
        f"{product}/readiness?for=flight:now",
        f"{product}/readiness?standing={EVIL}",
        f"{home}/groups?q={EVIL}",
        f"{home}/groups/evil",
        f"{home}/ask?product=EVIL&family=Windows.Xbox&os=22621&at={EVIL}",
        f"{home}/ask?product=EVIL&family=Windows.Xbox&os=22621",
        f"{home}/live?product={EVIL}",
        f"/dashboard/{EVIL[:20]}",
        f"{SIGN_IN}?to={EVIL}",
    )
    with visiting(browser, evil.url) as visit:
        visit.sign_in(key)
        for path in pages:
            visit.go(path)
            assert visit.page.evaluate("window.harmed") is None, path
            assert visit.page.locator("main script, main img, main iframe").count() == 0, path
            assert "49" not in visit.text("h1"), path
        # What is refused is told by its status or by its field, and by nothing of the policy.
        told = ("status of 4", "does not conform to the required format")
        visit.console = [one for one in visit.console if not any(map(one.__contains__, told))]
        visit.go(product)
        assert EVIL in visit.text("h1")
        visit.go(f"{home}/groups/evil")
        assert EVIL in visit.text("[aria-labelledby=consent]")


def test_the_policy_stops_a_script_that_got_into_a_page(visit: Visit) -> None:
    visit.go(HOME)
    visit.page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend',"
        " '<img src=x onerror=\"window.harmed=1\">');"
        "const s = document.createElement('script'); s.textContent = 'window.harmed=2';"
        "document.body.append(s)"
    )
    visit.page.wait_for_timeout(200)
    assert visit.page.evaluate("window.harmed") is None
    refused = [one for one in visit.console if "Content Security Policy" in one]
    assert len(refused) == 2, visit.console
    visit.console.clear()


# --- by keyboard alone ----------------------------------------------------------------------------


def test_from_signing_in_to_readiness_by_keyboard_alone(
    browser: Browser, sample_server: Server
) -> None:
    with visiting(browser, sample_server.url) as visit:
        visit.go(HOME)
        keys = visit.page.keyboard
        visit.tab_to("#key")
        keys.type(sample_server.key)
        keys.press("Enter")
        visit.page.wait_for_url(f"{sample_server.url}{HOME}")
        keys.press("Tab")
        assert visit.page.evaluate("document.activeElement.className") == "skip"
        keys.press("Enter")  # past the bar
        visit.tab_to(f"a[href='{READER}']")
        keys.press("Enter")
        visit.page.wait_for_url(f"**{READER}")
        visit.tab_to("#who")
        keys.type("a member of ins")
        expect(visit.page.locator("#heat-of")).to_contain_text("a member of insiders")
        visit.page.reload()
        visit.tab_to("a[href$='/readiness']")
        keys.press("Enter")
        visit.page.wait_for_url("**/readiness")
        assert "have never asked" in visit.text()


def test_asking_by_keyboard_alone(visit: Visit) -> None:
    keys = visit.page.keyboard
    visit.go(HOME)
    visit.tab_to("nav a[href$='/ask']")
    keys.press("Enter")
    visit.page.wait_for_url("**/ask")
    visit.tab_to("#product")
    keys.type("Contoso Reader")
    visit.tab_to("#account")
    keys.type("grace@contoso.example")
    visit.tab_to("#family")
    keys.type("Windows.Xbox")
    visit.tab_to("#os")
    keys.type("10.0.22621.3446")
    keys.press("Enter")
    expect(visit.page.locator(".verdict-line")).to_contain_text("No: grace@contoso.example")
    visit.tab_to("a.button[href*='who=']")
    keys.press("Enter")
    visit.page.wait_for_url("**who=**")
    expect(visit.page.locator(".verdict-line")).to_contain_text("No: grace@contoso.example")


def test_changing_a_group_by_keyboard_alone(visit: Visit) -> None:
    keys = visit.page.keyboard
    visit.go(f"{HOME}/groups/sketch-beta")
    visit.tab_to("#emails")
    keys.type("typed@contoso.example")
    visit.tab_to("button.primary")
    keys.press("Enter")
    expect(visit.page.locator("#preview")).to_contain_text("1 member would be added")
    visit.tab_to("#preview button.primary")
    keys.press("Enter")
    visit.page.wait_for_url("**saved=1-0")
    assert "typed@contoso.example" in visit.text("#member-list")


def test_the_menu_is_left_by_escape(visit: Visit) -> None:
    visit.go(HOME)
    visit.tab_to("details.menu summary")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator(".menu-body")).to_be_visible()
    visit.tab_to(".menu-body button")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator(".menu-body")).to_be_hidden()
    assert visit.page.evaluate("document.activeElement.matches('details.menu summary')")


# --- sizes ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """Signed in where there are 120 groups, one of 10,000, 100 products, and one with 20 flights."""
    url = f"sqlite:///{tmp_path_factory.mktemp('large') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        names = [f"gruppe-{number:03}" for number in range(120)]
        for number, name in enumerate(names):
            size, who = (10_000, "member") if number == 0 else (20, "подписчик")
            emails = [f"{who}-{place}@contoso.example" for place in range(size)]
            long = f"{name} テスター集団 with a very long name that goes on and on"
            service.groups.create("large", long, emails, group_id=name, actor="tests")
        for number in range(100):
            body = _large_product(number, names[: 20 if number == 0 else 2])
            service.catalog.put("large", f"P{number:03}", read_product(body), actor="tests")
        invent_activity(service, "large", 400)
    with running(url) as server, httpx2.Client(base_url=server.url, timeout=60) as http:
        http.post(SIGN_IN, data={"key": server.key})
        yield http


def _large_product(number: int, groups: list[str]) -> dict[str, Any]:
    flights = [
        {
            "flight_id": f"f{place}",
            "name": f"飛行 number {place} with a long name",
            "groups": [group],
            "packages": [_package(f"{30 - place}.0.0.0")],
        }
        for place, group in enumerate(groups)
    ]
    name = f"製品 {number} with a rather long name that wraps on small screens"
    return {"name": name, "submission": {"packages": [_package("1.0.0.0")]}, "flights": flights}


def _package(version: str) -> dict[str, Any]:
    targets = {"Windows.Universal": "10.0.17763.0", "Windows.Xbox": "10.0.18362.0"}
    return {
        "file_name": f"a_{version}.msix",
        "version": version,
        "architectures": ["x64", "arm64"],
        "targets": targets,
    }


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/products/P000",
        "/products/P000?who=group:gruppe-003",
        "/products/P000/readiness?for=flight:f0",
        "/groups",
        "/groups/gruppe-000",
        "/ask?product=P000&family=Windows.Xbox&os=10.0.22621.0",
        "/live",
    ],
)
def test_no_page_is_larger_than_300_kb(large: httpx2.Client, path: str) -> None:
    answer = large.get(f"/dashboard/large{path}")
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < MOST_BYTES

"""The dashboard's groups, in a real browser: each task from the sign-in to its result."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from eligibility.cli.demo.demo import load_sample
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.browser import Visit, launched, violations, visiting
from tests.helpers.servers.process import Server, make_key, running

GROUPS = "/dashboard/contoso/groups"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"sqlite:///{tmp_path_factory.mktemp('dashboard') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        load_sample(service)
    with running(url) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    with visiting(browser, server.url) as visit:
        visit.sign_in(server.key)
        yield visit


def test_signing_in_leads_back_to_the_page_that_was_asked_for(
    browser: Browser, server: Server
) -> None:
    with visiting(browser, server.url) as visit:
        visit.go(GROUPS)
        assert "Sign in" in visit.text()
        visit.page.fill("#key", server.key)
        visit.page.click("button.primary")
        visit.page.wait_for_url(f"**{GROUPS}")
        assert "Insiders" in visit.text()


def test_a_strange_key_is_refused_beside_the_field(browser: Browser, server: Server) -> None:
    with visiting(browser, server.url) as visit:
        visit.go("/dashboard/sign-in")
        visit.page.fill("#key", "elg_nobody")
        visit.page.click("button.primary")
        assert "not an API key of this server" in visit.text("[role=alert]")
        visit.console = [one for one in visit.console if "401" not in one]  # as it should be


def test_a_group_is_made_by_paste_with_one_bad_address_mended(visit: Visit) -> None:
    page = visit.page
    visit.go(GROUPS)
    page.click("text=New group")
    page.fill("#name", "Night owls")
    page.fill("#emails", "moth@contoso.example, owl.contoso.example; bat@contoso.example")
    page.click("text=Create the group")
    assert "owl.contoso.example" in visit.text("[role=alert]")
    assert "1 thing is wrong" in visit.text("[role=alert]")
    assert "moth@contoso.example" in page.input_value("#emails")  # nothing has to be typed again
    visit.console = [one for one in visit.console if "400" not in one]
    page.fill("#emails", "moth@contoso.example, owl@contoso.example; bat@contoso.example")
    page.click("text=Create the group")
    page.wait_for_url(f"**{GROUPS}/night-owls**")
    assert "The group was created" in visit.text()
    assert page.locator("#member-list li").all_inner_texts() == [
        "bat@contoso.example",
        "moth@contoso.example",
        "owl@contoso.example",
    ]


def test_an_edit_shows_its_effect_before_it_is_saved(visit: Visit) -> None:
    page = visit.page
    visit.go(f"{GROUPS}/canary-testers")
    page.fill("#emails", "newcomer@contoso.example")
    page.click("text=Show what would change")
    page.wait_for_selector("#preview button")
    assert "gain flight canary" in visit.text("#preview")
    assert "newcomer" not in visit.text("#member-list")
    page.click("#preview button:has-text('Save')")
    page.wait_for_url("**saved=1-0")
    assert "newcomer@contoso.example" in visit.text("#member-list")


def test_a_csv_file_is_imported_with_a_preview(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "testers.csv"
    file.write_text("email\nada@contoso.example\nfresh@contoso.example\n")
    page = visit.page
    visit.go(f"{GROUPS}/insiders")
    page.select_option("#how", "replace")
    page.set_input_files("#file", str(file))
    page.click("text=Show what would change")
    page.wait_for_selector("#preview button")
    assert "1 member would be added, 2 removed" in visit.text("#preview")
    page.click("#preview button:has-text('Save')")
    page.wait_for_url("**saved=1-2")
    assert "fresh@contoso.example" in visit.text("#member-list")
    assert "1 member added, 2 members removed" in visit.text()  # its history


def test_somebody_else_changed_the_group_meanwhile(visit: Visit, server: Server) -> None:
    page = visit.page
    visit.go(f"{GROUPS}/sketch-beta")
    page.fill("#emails", "late@contoso.example")
    page.click("text=Show what would change")
    page.wait_for_selector("#preview button")
    members = "/v1/publishers/contoso/groups/sketch-beta/members"
    assert server.http.patch(members, json={"add": ["first@contoso.example"]}).status_code == 200
    page.click("#preview button:has-text('Save')")
    page.wait_for_selector("text=Changed meanwhile")
    assert "late@contoso.example" not in str(server.http.get(members).json())
    visit.console = [one for one in visit.console if "412" not in one]


def test_members_are_found_without_an_address_in_the_address_bar(visit: Visit) -> None:
    visit.go(f"{GROUPS}/insiders")
    visit.page.fill("#begins", "ada@")
    expect(visit.page.locator("#member-list li")).to_have_count(1)
    assert visit.text("#member-list").strip() == "ada@contoso.example"
    assert "ada" not in visit.page.url


def test_every_task_works_without_scripts(browser: Browser, server: Server) -> None:
    with visiting(browser, server.url, java_script_enabled=False) as visit:
        visit.sign_in(server.key)
        visit.go(f"{GROUPS}/canary-testers")
        visit.page.fill("#emails", "plain@contoso.example")
        visit.page.click("text=Show what would change")
        assert "gain flight canary" in visit.text("#preview")
        visit.page.click("#preview button:has-text('Save')")
        assert "plain@contoso.example" in visit.text("#member-list")


def test_a_viewer_sees_no_address_and_no_edit(browser: Browser, server: Server) -> None:
    key = make_key(server.store_url, "catalog:read", publishers=["contoso"])
    with visiting(browser, server.url) as visit:
        visit.sign_in(key)
        visit.go(f"{GROUPS}/insiders")
        assert "@" not in visit.text()
        assert visit.page.locator("textarea, button.primary").count() == 0
        visit.console = [one for one in visit.console if "403" not in one]


def test_a_reader_of_groups_is_offered_no_edit(browser: Browser, server: Server) -> None:
    key = make_key(server.store_url, "groups:read", publishers=["contoso"])
    with visiting(browser, server.url) as visit:
        visit.sign_in(key)
        visit.go(f"{GROUPS}/sketch-beta")
        assert "@contoso.example" in visit.text("#member-list")
        assert visit.page.locator("textarea").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", [GROUPS, f"{GROUPS}/new", f"{GROUPS}/insiders", "/dashboard/sign-in"]
)
def test_pages_have_no_barrier(browser: Browser, server: Server, path: str, scheme: str) -> None:
    with visiting(browser, server.url, scheme=scheme) as visit:  # type: ignore[arg-type]
        visit.sign_in(server.key)
        visit.go(path)
        assert violations(visit.page) == []

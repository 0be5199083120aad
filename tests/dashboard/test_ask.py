"""Ask: one account on one device; why, what would change it, what if, and a link to it."""

from playwright.sync_api import Browser, expect

from tests.helpers.browser import Visit, visiting
from tests.helpers.dashboard import COLLEAGUE, HOME
from tests.helpers.servers.process import Server, make_key

ASK = f"{HOME}/ask"


def ask(visit: Visit, account: str, family: str, os_version: str, product: str = "RDR") -> None:
    """Fill in the form and send it."""
    page = visit.page
    visit.go(f"{ASK}?product=9NCONTOSO{product}")
    page.fill("#account", account)
    page.select_option("#family", family)
    page.fill("#os", os_version)
    page.select_option("#arch", "x64")
    page.click("button.primary")
    expect(page.locator("#answer")).to_be_in_viewport()


def test_why_a_tester_has_no_build(visit: Visit) -> None:
    ask(visit, "grace@contoso.example", "Windows.Xbox", "10.0.22621.3446")
    answer = visit.text("[aria-labelledby=answer]")
    assert "No: grace@contoso.example may see Contoso Reader, but gets nothing" in answer
    assert "Nothing in the flight Insiders is for Xbox consoles." in answer
    assert "ask the publisher to be taken out of insiders publisher gives submission" in answer
    visit.page.click("text=Every step")
    assert "NO_PACKAGE_FOR_FAMILY" in visit.text("[aria-labelledby=answer] table")
    assert "Insiders: no package for the family" in visit.text("[aria-labelledby=matrix]")


def test_the_nearest_changes_come_first_and_the_rest_is_folded(visit: Visit) -> None:
    ask(visit, "linus@contoso.example", "Windows.Xbox", "26100", "SKT")
    ways = visit.page.locator("[aria-labelledby=answer] .verdict > ul > li")
    assert ways.count() == 3
    folded = visit.page.locator("[aria-labelledby=answer] .verdict > details > ul > li").first
    expect(folded).to_be_hidden()
    visit.page.click("text=/^\\d+ other ways?$/")
    expect(folded).to_be_visible()


def test_supposing_an_account_in_another_group_saves_nothing(
    visit: Visit, sample_server: Server
) -> None:
    ask(visit, "linus@contoso.example", "Windows.Desktop", "Windows 11 24H2")
    assert "Yes" in visit.text(".verdict-line")
    visit.page.check("text=canary-testers")
    visit.page.click("button.primary")
    otherwise = visit.page.locator("[aria-labelledby=otherwise]")
    expect(otherwise).to_contain_text("If the account were in canary-testers, insiders")
    assert "2.1.0.0" in otherwise.locator(".verdict-line").inner_text()
    members = sample_server.http.get("/v1/publishers/contoso/groups/canary-testers/members").json()
    assert "linus@contoso.example" not in str(members)


def test_a_colleague_opens_the_link_which_shows_no_address(
    visit: Visit, browser: Browser, sample_server: Server
) -> None:
    ask(visit, "grace@contoso.example", "Windows.Xbox", "10.0.22621.3446")
    asked = visit.text(".verdict-line")
    visit.page.click("text=Link to this")
    link = visit.page.url
    assert "grace" not in link
    assert "contoso.example" not in link
    key = make_key(sample_server.store_url, *COLLEAGUE, publishers=["contoso"])
    with visiting(browser, sample_server.url) as colleague:
        colleague.go(link.removeprefix(sample_server.url))
        colleague.page.fill("#key", key)
        colleague.page.click("button.primary")
        expect(colleague.page.locator(".verdict-line")).to_have_text(asked)
        assert colleague.page.input_value("#account") == "grace@contoso.example"


def test_what_cannot_be_read_is_named_and_stays_in_its_field(visit: Visit) -> None:
    visit.go(f"{ASK}?product=9NCONTOSORDR")
    visit.page.fill("#account", "nobody")
    visit.page.fill("#os", "22H2")
    visit.page.click("button.primary")
    alert = visit.page.locator("[role=alert]")
    expect(alert).to_contain_text("22H2")
    assert "Windows 10 22H2" in alert.inner_text()
    assert visit.page.input_value("#os") == "22H2"
    assert "There is no answer to this question: 2 things are wrong" in alert.inner_text()


def test_a_device_is_chosen_by_name(visit: Visit) -> None:
    visit.go(f"{ASK}?product=9NCONTOSORDR")
    visit.page.fill("#account", "linus@contoso.example")
    visit.page.select_option("#preset", "Xbox 11 24H2, x64")
    visit.page.click("button.primary")
    expect(visit.page.locator(".verdict-line")).to_contain_text("No: linus@contoso.example")
    assert visit.page.input_value("#family") == "Windows.Xbox"
    assert visit.page.input_value("#os") == "10.0.26100.0"


def test_a_device_is_pasted_as_its_decimal_version(visit: Visit) -> None:
    visit.go(f"{ASK}?product=9NCONTOSORDR")
    visit.page.fill("#os", "2814751014982656")
    visit.page.click("button.primary")
    expect(visit.page.locator("#answer")).to_be_visible()
    assert "On Windows 10 2004, with" in visit.text("[aria-labelledby=timeline]")


def test_when_the_answer_changed_and_will(visit: Visit, sample_server: Server) -> None:
    members = "/v1/publishers/contoso/groups/sketch-beta/members"
    assert (
        sample_server.http.patch(members, json={"add": ["late@contoso.example"]}).status_code == 200
    )
    visit.go(f"{ASK}?product=9NCONTOSOSKT")
    visit.page.fill("#account", "late@contoso.example")
    visit.page.fill("#os", "Windows 11 24H2")
    visit.page.click("button.primary")
    lines = visit.page.locator("[aria-labelledby=timeline] tbody tr")
    expect(lines).to_have_count(3)  # declared, added, and settled in half an hour
    told = [" ".join(one.split()) for one in lines.all_inner_texts()]
    assert told[0].startswith("in 29 minutes coming as before Settled")
    assert "not in the audience public 1.0.0.0" in told[1]
    assert "added to group sketch-beta by key tests" in told[1].lower()


def test_another_moment_is_asked_for(visit: Visit) -> None:
    visit.go(f"{ASK}?product=9NCONTOSOSKT")
    visit.page.fill("#os", "Windows 11 24H2")
    visit.page.click("text=More: installed version")
    visit.page.fill("#at", "2031-03-01T09:00:00")
    visit.page.click("button.primary")
    expect(visit.page.locator(".verdict-line")).to_contain_text("Yes")
    assert "2031-03-01" in visit.text("[aria-labelledby=answer]")

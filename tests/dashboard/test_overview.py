"""The overview: its numbers after access queries, and what needs attention."""

import re

from playwright.sync_api import Browser, expect

from tests.helpers.browser import Visit, visiting
from tests.helpers.dashboard import HOME, asked
from tests.helpers.servers.process import Server


def test_where_nobody_asked_it_says_what_to_do_first(visit: Visit) -> None:
    visit.go(HOME)
    assert "Nobody has asked yet. Ask a first question" in visit.text("[aria-labelledby=decisions]")
    visit.page.click("text=Ask a first question")
    visit.page.wait_for_url("**/ask")


def test_decisions_are_counted_and_their_reasons_told(visit: Visit, sample_server: Server) -> None:
    for query in (
        asked("RDR", "ada", "Windows.Desktop", "Windows 11 24H2"),
        asked("RDR", "grace", "Windows.Xbox", "10.0.26100.1"),
        asked("SKT", None, "Windows.Desktop", "Windows 11 24H2"),
        asked("RDR", "linus", "Windows.Desktop", "Windows 11 23H2"),
    ):
        sample_server.access(query)
    visit.go(HOME)
    figures = visit.page.locator(".figures li").all_inner_texts()
    assert [" ".join(one.split()) for one in figures[:4]] == [
        "3 products",
        "3 groups",
        "4 decisions in 48 hours",
        "50 % of them granted",
    ]
    reasons = visit.page.locator("[aria-labelledby=reasons] tbody tr").all_inner_texts()
    assert [one.split("\t") for one in reasons] == [
        ["No package for the family", "1", "25 %"],
        ["Not signed in", "1", "25 %"],
    ]
    assert "67 % of 3 members who asked" in visit.text("[aria-labelledby=products]")


def test_the_chart_has_its_numbers_as_a_table(visit: Visit) -> None:
    visit.go(HOME)
    expect(visit.page.locator(".chart canvas")).to_be_visible()
    visit.page.click("text=The numbers as a table")
    last = visit.page.locator("[aria-labelledby=decisions] tbody tr").all_inner_texts()[-2:]
    counted = [line.split("\t")[1:] for line in last]
    assert [sum(map(int, column)) for column in zip(*counted, strict=True)] == [2, 2]


def test_what_needs_attention_leads_to_where_it_is_mended(visit: Visit) -> None:
    visit.go(HOME)
    attention = visit.page.locator("[aria-labelledby=attention]")
    assert "No consent is recorded for Canary testers, Insiders" in attention.inner_text()
    visit.page.click("text=Flight Insiders of Contoso Reader has no package for Windows.Xbox")
    visit.page.wait_for_url("**/products/9NCONTOSORDR")


def test_it_says_how_soon_edits_are_in_force(visit: Visit, sample_server: Server) -> None:
    sample_server.access(asked("RDR", "ada", "Windows.Desktop", "Windows 11 24H2"))
    members = "/v1/publishers/contoso/groups/insiders/members"
    for change in ("add", "remove"):
        edit = sample_server.http.patch(members, json={change: ["passer-by@contoso.example"]})
        assert edit.status_code == 200
        sample_server.access(asked("RDR", "ada", "Windows.Desktop", "Windows 11 24H2"))
    visit.go(HOME)
    assert re.search(r"edits in force within \d+ ms", visit.text(".figures"))


def test_the_link_that_the_first_start_prints_fills_in_the_key(
    browser: Browser, sample_server: Server
) -> None:
    with visiting(browser, sample_server.url) as visit:
        visit.go(f"/dashboard/sign-in#key={sample_server.key}")
        assert visit.page.input_value("#key") == sample_server.key
        assert "key" not in visit.page.url  # nor in the history of the browser
        visit.page.click("button.primary")
        visit.page.wait_for_url(f"{sample_server.url}{HOME}")

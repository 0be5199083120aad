"""Tester readiness: who cannot get it, why, and what to tell them."""

import csv

import pytest
from playwright.sync_api import Browser, expect

from tests.helpers.browser import Visit, visiting
from tests.helpers.dashboard import HOME, READER, VIEWER, asked
from tests.helpers.servers.process import Server, make_key

READINESS = f"{READER}/readiness"


@pytest.fixture(scope="module")
def asking(sample_server: Server) -> Server:
    """Ada asks on a current PC, Grace on one too old; Linus never does."""
    sample_server.access(asked("RDR", "ada", "Windows.Desktop", "Windows 11 24H2"))
    sample_server.access(asked("RDR", "grace", "Windows.Desktop", "Windows 10 1709"))
    return sample_server


@pytest.fixture
def seen(visit: Visit, asking: Server) -> Visit:
    visit.go(HOME)
    visit.page.click("text=Contoso Reader")
    visit.page.click("text=Tester readiness")
    visit.page.select_option("#for", "Insiders")
    visit.page.click("text=Show >> nth=0")
    visit.page.wait_for_url("**for=flight**")
    return visit


def test_why_a_tester_has_no_build(seen: Visit) -> None:
    figures = seen.page.locator(".figures li").all_inner_texts()
    assert [" ".join(one.split()) for one in figures] == [
        "0 can get it",
        "1 cannot",
        "1 get a higher flight",
        "1 have never asked",
    ]
    told = seen.page.locator("[aria-labelledby=problems] tbody tr").inner_text().split("\t")
    assert told[:3] == [
        "1 of 3",
        "Windows 10 1709: OS too old for the package",
        "update Windows.Desktop to 10.0.17763.0 (Windows 10 1809) or later, to get a package",
    ]
    grace = seen.page.get_by_role("row", name="grace@contoso.example").inner_text()
    assert "cannot" in grace
    assert "Desktop 10.0.16299.0 x64" in grace


def test_the_list_is_narrowed_to_who_never_asked(seen: Visit) -> None:
    seen.page.click("[aria-labelledby=testers] >> text=Never asked")
    expect(seen.page.locator("[aria-labelledby=testers] tbody tr")).to_have_count(1)
    assert "linus@contoso.example" in seen.text("[aria-labelledby=testers]")


def test_it_is_downloaded_as_csv(seen: Visit) -> None:
    with seen.page.expect_download() as download:
        seen.page.click("text=Download CSV")
    assert download.value.suggested_filename == "9NCONTOSORDR-readiness.csv"
    rows = list(csv.DictReader(download.value.path().read_text("utf-8").splitlines()))
    assert [(one["account"], one["standing"]) for one in rows] == [
        ("ada@contoso.example", "outranked"),
        ("grace@contoso.example", "blocked"),
        ("linus@contoso.example", "unseen"),
    ]
    assert rows[1]["problem"] == "Windows 10 1709: OS too old for the package"


def test_a_message_to_testers_is_copied(seen: Visit) -> None:
    seen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen.page.click("[aria-labelledby=problems] summary")
    seen.page.click("text=Copy")
    expect(seen.page.locator("#toasts")).to_have_text("Copied")
    copied = seen.page.evaluate("navigator.clipboard.readText()")
    assert copied == (
        "Hello, you are a tester of Contoso Reader (Insiders), but your device cannot get it yet. On"
        " Windows 10 1709: OS too old for the package. What helps: update Windows.Desktop to"
        " 10.0.17763.0 (Windows 10 1809) or later, to get a package."
    )


def test_who_may_not_read_groups_is_not_offered_it(browser: Browser, asking: Server) -> None:
    key = make_key(asking.store_url, *VIEWER, publishers=["contoso"])
    with visiting(browser, asking.url) as visit:
        visit.sign_in(key)
        visit.go(READER)
        assert "Tester readiness" not in visit.text()
        visit.go(READINESS)
        assert "groups:read" in visit.text()
        assert "@" not in visit.text()
        visit.console = [one for one in visit.console if "403" not in one]

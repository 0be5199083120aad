"""Live: decisions as they happen, filtered, and without addresses for who may not see any."""

from playwright.sync_api import Browser, expect

from tests.helpers.browser import Visit, visiting
from tests.helpers.dashboard import HOME, VIEWER, asked
from tests.helpers.servers.process import Server, make_key

LIVE = f"{HOME}/live"


def test_decisions_appear_while_access_queries_are_sent_and_are_filtered(
    visit: Visit, sample_server: Server
) -> None:
    visit.go(LIVE)
    lines = visit.page.locator("#lines tr")
    expect(lines).to_have_text(
        ["Nothing yet. Decisions appear here as soon as somebody sends a query."]
    )
    sample_server.access(asked("RDR", "ada", "Windows.Desktop", "Windows 11 24H2"))
    sample_server.access(asked("RDR", "grace", "Windows.Xbox", "10.0.26100.1"))
    sample_server.access(asked("SKT", None, "Windows.Desktop", "Windows 11 24H2"))
    expect(lines).to_have_count(3, timeout=8_000)
    newest = lines.nth(0).inner_text()
    assert "Not signed in" in newest or "not signed in" in newest
    assert "Contoso Sketch" in newest
    assert "grace@contoso.example" in lines.nth(1).inner_text()
    visit.page.select_option("#kind", "granted")
    expect(lines).to_have_count(1)
    assert "ada@contoso.example" in lines.inner_text()
    visit.page.select_option("#kind", "")
    visit.page.select_option("#product", "Contoso Sketch")
    expect(lines).to_have_count(1)


def test_a_stranger_has_no_address_and_a_viewer_sees_none(
    browser: Browser, visit: Visit, sample_server: Server
) -> None:
    sample_server.access(asked("RDR", "stranger", "Windows.Desktop", "Windows 11 24H2"))
    sample_server.access(asked("RDR", "ada", "Windows.Desktop", "Windows 11 24H2"))
    visit.go(LIVE)
    assert "stranger" not in visit.text()
    assert "ada@contoso.example" in visit.text()
    key = make_key(sample_server.store_url, *VIEWER, publishers=["contoso"])
    with visiting(browser, sample_server.url) as viewer:
        viewer.sign_in(key)
        viewer.go(LIVE)
        assert "a member (" in viewer.text()
        assert "@" not in viewer.text()

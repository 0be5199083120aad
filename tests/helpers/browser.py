"""A real browser for pages: Chromium, driven by Playwright, with what no page may do looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.helpers.machine import program
from tests.helpers.standards.node_clients import axe

_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Scheme = Literal["light", "dark"]


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium", "chromium-browser", "google-chrome"),
            args=list(_ARGS),
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """Somebody's window. console: what the browser complained of, scripts and policy included."""

    page: Page
    url: str
    console: list[str] = field(default_factory=list)

    def sign_in(self, key: str) -> None:
        """Sign in with a key."""
        self.go("/dashboard/sign-in")
        self.page.fill("#key", key)
        with self.page.expect_navigation():
            self.page.click("button.primary")

    def go(self, path: str) -> None:
        """Open a path of the server."""
        self.page.goto(self.url + path)

    def tab_to(self, selector: str) -> None:
        """Press Tab until what a selector names has the focus, as people do who use no mouse."""
        for _ in range(120):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("one => document.activeElement.matches(one)", selector):
                return
        raise AssertionError(f"Tab does not lead to {selector}")

    def text(self, selector: str = "main") -> str:
        """What stands there, as a person reads it."""
        return self.page.inner_text(selector)


@contextmanager
def visiting(
    browser: Browser, url: str, *, width: int = 1280, scheme: Scheme = "light", **more: Any
) -> Iterator[Visit]:
    """A window of its own; whatever the browser complained of fails the test at the end."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, **more
    )
    visit = Visit(context.new_page(), url)
    visit.page.on("console", lambda one: visit.console.append(f"{one.type}: {one.text}"))
    visit.page.on("pageerror", lambda error: visit.console.append(f"error: {error}"))
    try:
        yield visit
    finally:
        context.close()
    complaints = [one for one in visit.console if one.startswith(("error", "warning"))]
    assert not complaints, complaints


def violations(page: Page) -> list[str]:
    """What axe-core finds against people who see, hear or move differently."""
    # Evaluated by the driver, which no policy of the page stops.
    page.evaluate(axe())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]

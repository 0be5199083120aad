"""`make screenshots`: pictures of every page of the dashboard at three widths, into docs/images/.

A server is started on the sample catalogue, with more testers, a change that settles and two days of
made-up access queries; nothing else is touched.
"""

import io
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from PIL import Image
from playwright.sync_api import Browser

from eligibility.cli.demo.activity import invent_activity
from eligibility.cli.demo.demo import load_sample
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.model import MembershipEdit
from tests.helpers.browser import Scheme, Visit, launched, visiting
from tests.helpers.servers.process import Server, running

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTHS = (360, 768, 1440)
_TALLEST = 1_800
"""Of a longer page its beginning is shown, in pixels."""
_COLORS = 192
_HOME = "/dashboard/contoso"
_READER = f"{_HOME}/products/9NCONTOSORDR"
PAGES: Mapping[str, str] = {
    "sign-in": "/dashboard/sign-in",
    "overview": _HOME,
    "product": _READER,
    "readiness": f"{_READER}/readiness?for=flight:insiders",
    "groups": f"{_HOME}/groups",
    "group": f"{_HOME}/groups/insiders",
    "ask": f"{_HOME}/ask?product=9NCONTOSORDR",
    "live": f"{_HOME}/live",
}
"""The pages by the names of their pictures."""


def main() -> None:
    """Make the pictures anew."""
    with busy_server() as server, launched() as browser:
        for width in WIDTHS:
            with visiting(browser, server.url, width=width) as visit:
                for name in PAGES:
                    _open(visit, server, name)
                    _keep(visit, f"{name}-{width}")
        for scheme in get_args(Scheme):
            _heat_map(browser, server, scheme)


@contextmanager
def busy_server() -> Iterator[Server]:
    """A server of the sample catalogue, with testers, activity, and a change that settles."""
    with TemporaryDirectory(prefix="eligibility-pictures-") as directory:
        url = f"sqlite:///{Path(directory) / 'store.db'}"
        with Service(Settings(store=url), lambda: time.time() - 86_400) as before:
            load_sample(before)
            _add(before, "insiders", [f"{name}@contoso.example" for name in _testers(60)])
            _add(before, "canary-testers", [f"{name}@contoso.example" for name in _testers(12)])
            _add(before, "sketch-beta", [f"{name}@contoso.example" for name in _testers(25)])
        with Service(Settings(store=url)) as now:
            invent_activity(now, "contoso")
            _add(now, "insiders", ["katherine@contoso.example"])  # settles
        with running(url) as server:
            yield server


def _add(service: Service, group: str, emails: list[str]) -> None:
    service.groups.edit("contoso", group, MembershipEdit(add=tuple(emails)), actor="demo")


def _testers(number: int) -> Iterator[str]:
    first = (
        "amara",
        "bjorn",
        "chiara",
        "dmitri",
        "elena",
        "farid",
        "gita",
        "hiro",
        "ines",
        "jonas",
    )
    last = ("abe", "berg", "costa", "diaz", "eze", "fuchs")
    for index in range(number):
        yield f"{first[index % len(first)]}.{last[index // len(first) % len(last)]}"


def _open(visit: Visit, server: Server, name: str) -> None:
    """Open a page with what a person has done there."""
    if name == "overview":  # the first page after signing in
        visit.sign_in(server.key)
    visit.go(PAGES[name])
    page = visit.page
    if name == "group":
        page.fill("#emails", "newcomer@contoso.example, katherine@contoso.example")
        page.click("text=Show what would change")
        page.wait_for_selector("#preview button")
    if name == "ask":
        page.fill("#account", "grace@contoso.example")
        page.select_option("#family", "Windows.Xbox")
        page.fill("#os", "10.0.22621.3446")
        page.click("button.primary")
        page.wait_for_load_state("networkidle")


def _heat_map(browser: Browser, server: Server, scheme: Scheme) -> None:
    """The README's picture, sharp on dense screens."""
    with visiting(browser, server.url, width=1_180, scheme=scheme, device_scale_factor=2) as visit:
        visit.sign_in(server.key)
        visit.go(_READER)
        picture = visit.page.locator("section[aria-labelledby=heat]").screenshot()
        _save(picture, f"heat-map-{scheme}")


def _keep(visit: Visit, name: str) -> None:
    height = min(_TALLEST, visit.page.evaluate("document.documentElement.scrollHeight"))
    width = visit.page.evaluate("innerWidth")
    clip = {"x": 0, "y": 0, "width": width, "height": height}
    _save(visit.page.screenshot(full_page=True, clip=clip), name)  # type: ignore[arg-type]


def _save(picture: bytes, name: str) -> None:
    """As a PNG with a palette, a third of the size."""
    with Image.open(io.BytesIO(picture)) as image:
        small = image.convert("RGB").quantize(_COLORS, kmeans=1, dither=Image.Dither.NONE)
        small.save(IMAGES / f"dashboard-{name}.png", optimize=True)


if __name__ == "__main__":
    main()

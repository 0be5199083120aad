"""What pages read without a browser: moments as people type them, and stores while a page polls."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request

from eligibility.callers.model import Caller, Scope
from eligibility.cli.demo.activity import invent_activity
from eligibility.cli.demo.demo import load_sample
from eligibility.dashboard.pages.ask import Ask
from eligibility.dashboard.pages.live import Live
from eligibility.dashboard.pages.products import ProductPages
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import Site
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.model import MembershipEdit

READER = "9NCONTOSORDR"
CALLER = Caller(kind="key", name="key tests", scopes=frozenset(Scope), publishers=None)
VIEWER = Viewer(CALLER, "tests", "csrf")
NINE_IN_NEW_YORK = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(Settings(store=f"sqlite:///{tmp_path / 'store.db'}")) as service:
        load_sample(service)
        yield service


def site_of(service: Service) -> Site:
    """Takes pages, which the tests call themselves."""
    nothing = lambda *_: None  # noqa: E731
    return cast("Site", SimpleNamespace(service=service, page=nothing, change=nothing))


def request(**query: str) -> Request:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return Request(
        {
            "type": "http",
            "method": "GET",
            "headers": [],
            "query_string": text.encode(),
            "path_params": {"publisher": "contoso", "product_id": READER},
        }
    )


@pytest.mark.parametrize(
    "typed",
    [
        "2026-12-01T09:00-05:00",
        "2026-12-01T14:00",
        "2026-12-01T14:00:00Z",
        "2026-12-01T15:00%2B01:00",
    ],
)
def test_every_page_reads_a_moment_alike(service: Service, typed: str) -> None:
    product = ProductPages(site_of(service)).shown(request(at=typed), VIEWER)
    assert product.values["state"].moment == NINE_IN_NEW_YORK
    query = request(product=READER, family="Windows.Desktop", os="22631", at=typed)
    asked = Ask(site_of(service)).form(query, VIEWER)
    assert asked.values["faults"] == ()
    assert asked.values["state"].moment == NINE_IN_NEW_YORK


def test_a_page_names_what_is_no_moment(service: Service) -> None:
    query = request(product=READER, family="Windows.Desktop", os="22631", at="noon")
    asked = Ask(site_of(service)).form(query, VIEWER)
    (fault,) = asked.values["faults"]
    assert (fault.loc, fault.code) == ("at", "UNREADABLE_MOMENT")
    assert "`noon`" in fault.detail


def test_the_live_page_reads_a_group_once_and_again_when_it_changed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    invent_activity(service, "contoso", queries=40)
    page = Live(site_of(service))
    reads: list[str] = []
    members = service.groups.members

    def counted(publisher: str, group_id: str, **more: Any) -> Any:
        reads.append(group_id)
        return members(publisher, group_id, **more)

    monkeypatch.setattr(service.groups, "members", counted)

    def accounts() -> list[str]:
        return [line.account for line in page.lines(request(), VIEWER).values["lines"]]

    first = accounts()
    assert any("@" in account for account in first)
    assert len(reads) == len(set(reads))
    once = len(reads)
    for _ in range(5):
        assert accounts() == first
    assert len(reads) == once

    ada = "ada@contoso.example"
    assert ada in first
    groups = [group for group in set(reads) if ada in members("contoso", group, limit=10_000).items]
    for group in groups:
        edit = MembershipEdit(add=("new@contoso.example",), remove=(ada,))
        service.groups.edit("contoso", group, edit, actor="tests")
    service.evaluator.current(READER)
    reads.clear()
    assert ada not in accounts()
    assert sorted(reads) == sorted(groups)

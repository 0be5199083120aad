"""A server of the sample catalogue for tests of the dashboard, a browser, and somebody who is signed in.

Of one module each: a browser's loop must not run on while tests of other modules want one.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from eligibility.cli.demo.demo import load_sample
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.servers.process import Server, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.helpers.browser import Visit

HOME = "/dashboard/contoso"
READER, SKETCH, MAPS = (f"{HOME}/products/9NCONTOSO{one}" for one in ("RDR", "SKT", "MAP"))
VIEWER = ("catalog:read",)
COLLEAGUE = ("catalog:read", "groups:read", "simulate")


@pytest.fixture(scope="module")
def sample_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"sqlite:///{tmp_path_factory.mktemp('dashboard') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        load_sample(service)
    with running(url) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from tests.helpers.browser import launched  # playwright is not loaded where no test asks for it

    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def signed_in(browser: "Browser", sample_server: Server) -> Any:
    """The cookie of somebody who may do everything, as a browser has it."""
    from tests.helpers.browser import visiting

    with visiting(browser, sample_server.url) as visit:
        visit.sign_in(sample_server.key)
        return visit.page.context.storage_state()


@pytest.fixture
def visit(browser: "Browser", sample_server: Server, signed_in: Any) -> "Iterator[Visit]":
    """Somebody who may do everything, in a window of its own."""
    from tests.helpers.browser import visiting

    with visiting(browser, sample_server.url, storage_state=signed_in) as visit:
        yield visit


def asked(product: str, account: str | None, family: str, os_version: str) -> dict[str, Any]:
    """An access query, from a 64-bit device."""
    device = {"family": family, "os_version": os_version, "architecture": "x64"}
    query: dict[str, Any] = {"product_id": f"9NCONTOSO{product}", "device": device}
    return query | ({"account": {"id": f"{account}@contoso.example"}} if account else {})

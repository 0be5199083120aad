"""The files below eligibility/ and groups/ in which code runs while a warm access query is answered."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.clock import Clock
from tests.helpers.repository import ROOT
from tests.helpers.servers.application import asking

_ADA = "ada@example.com"
_QUERY = {"product_id": "APP", "account": {"id": _ADA}, "device": DESKTOP}


def warm_files() -> list[str]:
    """Measure the files, as paths below the root of the repository, in order of first use."""
    with TemporaryDirectory() as directory:
        clock = Clock()
        settings = Settings(store=f"sqlite:///{Path(directory, 'store.db')}")
        with Service(settings, clock=clock) as service:
            group(service, "beta", _ADA)
            put(service, "APP", product(flight("f1", ["beta"], "2.0.0.0")))
            clock.advance(3_600)  # until no membership is settling any more
            names = _called_by_query(service)
    below = (Path(name).relative_to(ROOT) for name in names if name.startswith(f"{ROOT}/"))
    return [str(path) for path in below if path.parts[0] in ("eligibility", "groups")]


def room_at_first_sight(path: str) -> str:
    """Give the room of a file as `groups` or `eligibility/server`."""
    first, second, *_ = path.split("/")
    return first if first == "groups" else f"{first}/{second}"


def _called_by_query(service: Service) -> list[str]:
    """Ask the same query several times; list each file that is called the last time, once."""
    names: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            names[frame.f_code.co_filename] = None

    with asking(service) as app:
        key = app.key("access:query", "access:assert", "groups:read")
        for _ in range(3):
            assert app.ask("POST", "/v1/access", key, json=_QUERY).json()["granted"]
        sys.setprofile(note)
        try:
            app.ask("POST", "/v1/access", key, json=_QUERY)
        finally:
            sys.setprofile(None)
    return list(names)

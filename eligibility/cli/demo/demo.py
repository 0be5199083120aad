"""The sample catalogue, and three access queries that show what the evaluator does."""

import json
from contextlib import suppress
from typing import Any
from urllib.request import Request, urlopen

import msgspec
from rich.console import Console

from eligibility.access.model import Decision
from eligibility.catalog import files
from eligibility.catalog.plan import apply_plan, make_plan
from eligibility.cli.show.base import decision_panel
from eligibility.resources import config_dir
from eligibility.service.service import Service

SAMPLE_PUBLISHER = "contoso"
_DESKTOP = {"family": "Windows.Desktop", "os_version": "Windows 11 23H2", "architecture": "x64"}
QUERIES: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "Ada is in two flights of Contoso Reader: the higher rank wins",
        {
            "product_id": "9NCONTOSORDR",
            "account": {"id": "ada@contoso.example"},
            "device": _DESKTOP,
            "installed_version": "1.4.0.0",
        },
    ),
    (
        "Grace's flight has nothing for Xbox: nothing falls through it",
        {
            "product_id": "9NCONTOSORDR",
            "account": {"id": "grace@contoso.example"},
            "device": {
                "family": "Xbox One",
                "os_version": "10.0.22621.3446",
                "architecture": "x64",
            },
        },
    ),
    (
        "Contoso Sketch is private, and nobody is signed in",
        {"product_id": "9NCONTOSOSKT", "device": _DESKTOP},
    ),
)


def load_sample(service: Service) -> None:
    """Apply the sample catalogue to a store. A second call changes nothing."""
    for declaration in files.read_directory(config_dir() / "sample"):
        plan = make_plan(declaration, service.groups, service.catalog)
        apply_plan(plan, declaration, service.groups, service.catalog, actor="demo")


def ask_demo_queries(url: str, key: str) -> None:
    """Ask the three queries over HTTP and print the answers. Ignore errors of the connection."""
    with suppress(OSError):
        _ask_and_print(url, key)


def _ask_and_print(url: str, key: str) -> None:
    console = Console(highlight=False)
    console.print()
    for title, query in QUERIES:
        console.print(decision_panel(ask(url, query, key), title, in_words(query)))
        console.print()
    body = json.dumps(QUERIES[0][1])
    console.print("Send a query yourself, in another terminal:", style="bold")
    print(f"  curl -s {url}/v1/access -H 'authorization: Bearer {key}' \\")  # noqa: T201
    print(f"    -H 'content-type: application/json' -d '{body}'")  # noqa: T201
    console.print("\nSee who gets what, who cannot and why, in a browser:", style="bold")
    print(f"  {url}/dashboard/sign-in#key={key}")  # noqa: T201
    console.print("  (the activity of the last two days is invented)", style="dim")
    console.print("\nStill serving. Ctrl-C stops it.", style="dim")


def in_words(query: dict[str, Any]) -> str:
    """Describe a query in words."""
    device, account = query["device"], query.get("account")
    who = account["id"] if account else "nobody signed in"
    installed = query.get("installed_version")
    has = f", has {installed}" if installed else ""
    return f"{who}, on {device['family']}, {device['os_version']}, {device['architecture']}{has}"


def ask(url: str, query: dict[str, Any], key: str) -> Decision:
    """Send one access query to a server, and return the decision."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    request = Request(f"{url}/v1/access", json.dumps(query).encode(), headers)  # noqa: S310
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
        return msgspec.json.decode(answer.read(), type=Decision)

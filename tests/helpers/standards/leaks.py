"""What tests/system/test_leak.py sends over AuthZEN and OFREP."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx2

Ask = Callable[..., httpx2.Response]
"""Sends a request: method, path, body; and notes which addresses were in it."""
WRONG = ("{}@", "x {}", "{}\u00e5")


def ask_over_the_standards(ask: Ask, addresses: Sequence[str]) -> None:
    """AuthZEN and OFREP: answered, denied, unreadable; addresses where they belong and elsewhere."""
    context = {"device_family": "desktop", "os_version": "10.0.22631.0"}
    for address in (*addresses, *(wrong.format(addresses[0]) for wrong in WRONG)):
        asked = {
            "subject": {"type": "account", "id": address},
            "action": {"name": "install"},
            "resource": {"type": "product", "id": "9NCONTOSORDR"},
            "context": context,
        }
        other = {"type": "account", "id": "x@contoso.example"}
        variants: list[dict[str, Any]] = [
            {},
            {"subject": {"type": address, "id": address}},
            {"subject": {**other, "properties": {"aliases": [address]}}},
            {"subject": {**other, "properties": {"token": address, "kind": address}}},
            {"subject": {**asked["subject"], "properties": {"token": f"eyJ.{address}.x"}}},
            {"action": {"name": address}},
            {"resource": {"type": address, "id": "x"}},
            {"resource": {"type": "product", "id": address}},
            {"resource": {"type": "flight", "id": f"9NCONTOSORDR:{address}"}},
            {"resource": {"type": "product", "id": "BROKEN"}},
            {"context": {**context, "market": address}},
            {"context": {**context, "time": "2026-01-01T00:00:00Z"}},
            {"context": address},
            {"page": {"limit": 1, "token": address}},
            {"options": {"evaluations_semantic": address}},
            {address: address},
        ]
        for base in ("/access/v1", "/contoso/access/v1"):
            for changed in variants:
                sent = {**asked, **changed}
                ask("POST", f"{base}/evaluation", sent)
                ask("POST", f"{base}/evaluations", {**sent, "evaluations": [{}, sent, address]})
                ask("POST", f"{base}/search/action", sent)
        for what in ("subject", "resource"):
            ask("POST", f"/access/v1/search/{what}", {**asked, "page": {"limit": 1}})
        keys = ("product:9NCONTOSORDR", "flight:9NCONTOSORDR:canary", "product:BROKEN", "nope")
        for changed in (
            {},
            {"accountToken": address},
            {"publisher": address},
            {"market": address},
            {address: 1},
        ):
            flags = {"context": {"targetingKey": address, **context, **changed}}
            bulk = ask("POST", "/ofrep/v1/evaluate/flags", flags)
            tag = {"if-none-match": bulk.headers.get("etag", "none")}
            ask("POST", "/ofrep/v1/evaluate/flags", flags, headers=tag)
            for key in keys:
                ask("POST", f"/ofrep/v1/evaluate/flags/{key}", flags)
    search = {
        "subject": {"type": "account"},
        "action": {"name": "install"},
        "resource": {"type": "product", "id": "9NCONTOSORDR"},
        "context": context,
        "page": {"limit": 1},
    }
    found = ask("POST", "/access/v1/search/subject", search)  # whose token holds an address
    if found.status_code == 200:
        token = found.json()["page"]["next_token"]
        assert token
        ask("POST", "/access/v1/search/subject", {**search, "page": {"token": token}})


def put_into_paths(ask: Ask, at: str) -> None:
    """An address in the paths and query strings of the standards."""
    for path in (
        f"/ofrep/v1/evaluate/flags/{at}",
        f"/ofrep/{at}",
        f"/access/v1/{at}",
        f"/{at}/access/v1/evaluation",
        f"/{at}/access/v1/{at}",
        f"/.well-known/authzen-configuration/{at}",
        f"/access/v1/evaluation?{at}",
        f"/ofrep/v1/evaluate/flags?flagConfigEtag={at}",
    ):
        for method in ("GET", "POST"):
            ask(method, path, {"context": {"targetingKey": at}})

"""Simulations and coverage as requests; the answers are JSON objects as docs/http-api.md tells them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from eligibility.client.calls import get_request, path_of, reader_of
from eligibility.client.exchange import Call, Request
from eligibility.client.model import Account, Device

_read = reader_of(dict[str, Any])


def coverage(
    publisher: str, product_id: str, devices: str, at: datetime | None
) -> Call[dict[str, Any]]:
    """What the members of a product's groups reach."""
    moment = None if at is None else at.isoformat()
    path = path_of(publisher, "products", product_id, "coverage")
    return Call(get_request(path, devices=devices, at=moment), _read)


def simulate(
    product_id: str,
    devices: Iterable[Device | str],
    accounts: Iterable[Account | str | None] | None,
    groups: Iterable[str] | None,
    at: datetime | None,
    draft: Mapping[str, Any] | None,
) -> Call[dict[str, Any]]:
    """Accounts x devices. Tried once, with all the time there is: it is no short query."""
    asked: dict[str, Any] = {"product_id": product_id, "devices": list(devices)}
    if accounts is not None:
        asked["accounts"] = list(accounts)
    elif groups is not None:
        asked["accounts"] = {"groups": list(groups)}
    asked |= {name: one for name, one in (("at", at), ("draft", draft)) if one is not None}
    body = msgspec.json.encode(asked)
    return Call(Request(method="POST", path="/v1/simulations", body=body, repeatable=False), _read)

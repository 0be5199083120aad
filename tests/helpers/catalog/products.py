"""Small catalogues for tests, in few words."""

from collections.abc import Iterable
from typing import Any

from eligibility.access.model import AccessQuery
from eligibility.access.wire import query_of
from eligibility.catalog.model import Product
from eligibility.catalog.validation import read_product
from eligibility.service.service import Service

DESKTOP = {"family": "Windows.Desktop", "os_version": "10.0.22631.3007", "architecture": "x64"}


def package(version: str, **targets: str) -> dict[str, Any]:
    """A neutral package; targets as Desktop="10.0.17763.0", by default every Desktop and Xbox."""
    named = {f"Windows.{family}": least for family, least in targets.items()} or {
        "Windows.Desktop": "10.0.10240.0",
        "Windows.Xbox": "10.0.10240.0",
    }
    return {
        "file_name": f"{version}.msix",
        "version": version,
        "architectures": ["neutral"],
        "targets": named,
    }


def flight(flight_id: str, groups: Iterable[str], version: str, **more: Any) -> dict[str, Any]:
    """A flight with one package."""
    return {
        "flight_id": flight_id,
        "name": flight_id,
        "groups": list(groups),
        "packages": [package(version)],
        **more,
    }


def product(*flights: dict[str, Any], **submission: Any) -> Product:
    """A product whose submission has version 1.0.0.0."""
    body = {"packages": [package("1.0.0.0")], **submission}
    return read_product({"name": "Product", "submission": body, "flights": list(flights)})


def put(service: Service, product_id: str, declared: Product, publisher: str = "contoso") -> int:
    """Store a product."""
    return service.catalog.put(publisher, product_id, declared, actor="test")


def group(service: Service, group_id: str, *emails: str, publisher: str = "contoso") -> None:
    """Make a group."""
    service.groups.create(publisher, group_id, emails, group_id=group_id, actor="test")


def query(product_id: str, email: str | None = None, **more: Any) -> AccessQuery:
    """An access query from a Desktop."""
    account = None if email is None else {"id": email}
    return query_of(**{"product_id": product_id, "account": account, "device": DESKTOP, **more})

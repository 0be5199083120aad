"""The vectors: files of cases, one sentence a case, that say what a decision has to be.

A case names a product of its file, changes to it (`change`: dotted path -> value), the account with
the groups it is in, a device and a moment; what it leaves out comes from the file's `defaults`.
Unknown keys fail, so that a misspelt expectation cannot pass.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from eligibility.catalog.model import Product
from eligibility.catalog.validation import Surroundings, read_product, validate
from eligibility.catalog.yaml_file import load
from eligibility.decide import decide
from eligibility.model import AccessQuery, Account, AccountKind, Decision, Device
from eligibility.requirements import load_requirements

DIRECTORY = Path(__file__).parent / "vectors"
_FILE_KEYS = {"title", "rules", "about", "products", "defaults", "cases"}
_CASE_KEYS = {
    "case",
    "product",
    "change",
    "account",
    "kind",
    "in",
    "device",
    "now",
    "installed_version",
    "owned",
    "market",
    "promotional_code",
    "manual_check",
    "rollout_applies_to",
    "expect",
}
_QUERY_KEYS = {"installed_version", "owned", "market", "promotional_code", "manual_check"}


class Vector(NamedTuple):
    """One case of one file, defaults filled in."""

    file: str
    sentence: str
    case: dict[str, Any]
    product: Product

    def __str__(self) -> str:
        return f"{self.file}: {self.sentence}"


@dataclass(frozen=True)
class VectorFile:
    """One topic."""

    name: str
    title: str
    rules: str
    about: str
    vectors: tuple[Vector, ...]


def read_files() -> Iterator[VectorFile]:
    """Every file of the directory, in the order of their names."""
    for path in sorted(DIRECTORY.glob("*.yaml")):
        yield _read(path)


def _read(path: Path) -> VectorFile:
    body, _ = load(path.read_text("utf-8"), path.name)
    _refuse(body.keys() - _FILE_KEYS, path.name)
    vectors = []
    for written in body["cases"]:
        _refuse(written.keys() - _CASE_KEYS, f"{path.name}: {written.get('case')}")
        case = {**body["defaults"], **written}
        product = read_product(_changed(body["products"][case["product"]], case.get("change", {})))
        now = datetime.fromisoformat(case["now"])
        validate(case["product"], product, Surroundings(product.groups, now))
        vectors.append(Vector(path.stem, case["case"], case, product))
    return VectorFile(path.stem, body["title"], body["rules"], body["about"], tuple(vectors))


def _refuse(unknown: set[str], where: str) -> None:
    if unknown:
        raise ValueError(f"{where}: unknown {sorted(unknown)}")


def _changed(product: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(product)
    for dotted, value in changes.items():
        *path, last = [int(part) if part.isdigit() else part for part in dotted.split(".")]
        target: Any = changed
        for part in path:
            target = target[part]
        target[last] = value
    return changed


def query_of(case: dict[str, Any]) -> AccessQuery:
    """The access query of a case."""
    account = case["account"]
    return AccessQuery(
        product_id=case["product"],
        device=Device.parse(**case["device"]),
        account=account and Account.parse(account, AccountKind(case.get("kind", "microsoft"))),
        **{name: case[name] for name in _QUERY_KEYS & case.keys()},
    )


def run(vector: Vector) -> Decision:
    """The decision of a case."""
    case, requirements = vector.case, load_requirements()
    if "rollout_applies_to" in case:
        requirements = replace(requirements, rollout_applies_to=case["rollout_applies_to"])
    now = datetime.fromisoformat(case["now"])
    return decide(query_of(case), vector.product, frozenset(case["in"]), requirements, now)


def observed(decision: Decision) -> dict[str, Any]:
    """Everything of a decision that a case may expect, by the names used there."""
    submission, package = decision.submission, decision.package
    source, offered = package.source, package.package
    first = decision.remedies[0] if decision.remedies else None
    return {
        "granted": decision.granted,
        "audience": submission.audience,
        "listing": submission.listing,
        "submission": [str(reason) for reason in submission.reasons],
        "package": [str(reason) for reason in package.reasons],
        "source": (source.flight_id or source.kind) if source else None,
        "rank": source.rank if source else None,
        "file_name": offered.file_name if offered else None,
        "version": offered.version if offered else None,
        "architecture": offered.architecture if offered else None,
        "action": package.action,
        "delivery": package.delivery,
        "remedies": [str(remedy.action) for remedy in decision.remedies],
        "remedy": first,
    }

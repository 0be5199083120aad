"""The decision once more, slowly and from the design's words alone: an oracle for `decide`.

Works on plain JSON bodies, compares versions as tuples, knows which packages run where by a table
of its own, and imports nothing of `eligibility` (tests/test_layers.py sees to it). Written to be
checked against design section 3 line by line, not to be fast or short.
"""

from datetime import datetime
from fractions import Fraction
from hashlib import blake2b
from typing import Any

Body = dict[str, Any]
Version = tuple[int, ...]

KNOWN = ("Desktop", "Xbox", "Mobile", "Holographic", "Team", "IoT")
ORDER = ["arm64", "x64", "x86", "arm", "neutral"]


def version(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))


def reached(moment: str | None, now: datetime) -> bool:
    return moment is not None and now >= datetime.fromisoformat(moment)


# --- floors: flight and rollout are the same --------------------------------------------------


def flight_floor(family: str, os: Version) -> bool:
    if family == "Windows.Desktop":
        return os >= (10, 0, 10586, 0)
    return family == "Windows.Xbox"


def audience_floor(family: str, os: Version) -> str | None:
    if family.removeprefix("Windows.") not in KNOWN:
        return "DEVICE_FAMILY_UNSUPPORTED"
    if os < (10, 0, 14393, 0):
        return "OS_BELOW_AUDIENCE_MINIMUM"
    return None


# --- the decision ---------------------------------------------------------------------------------


def expected(query: Body, product: Body, groups: set[str], now: datetime) -> Body:
    """What a decision on a query has to be; groups = those that list the account's address."""
    submission = expect_submission(query, product, groups, now)
    if submission["granted"]:
        package = expect_package(query, product, groups, now)
    else:
        package = nothing(None, ["SUBMISSION_DENIED"])
    return {
        "granted": submission["granted"] and package["granted"],
        "submission": submission,
        "package": package,
    }


def is_private(product: Body, now: datetime) -> bool:
    declared = product["submission"]
    if declared["audience"] == "public":
        return False
    return not reached(declared["public_at"], now)


def expect_submission(query: Body, product: Body, groups: set[str], now: datetime) -> Body:
    declared, account, device = product["submission"], query["account"], query["device"]
    searchable = declared["discoverability"] == "searchable"
    listing = "searchable" if searchable and product["availability"] == "available" else "link_only"
    if not is_private(product, now):
        return verdict(True, "public", listing, ["PUBLIC_AUDIENCE"])
    blockers = []
    if account is None:
        blockers.append("NOT_SIGNED_IN")
    elif account["kind"] != "microsoft":
        blockers.append("WRONG_ACCOUNT_KIND")
    elif not any(group in groups for group in declared["audience_groups"]):
        blockers.append("NOT_IN_AUDIENCE")
    floor = audience_floor(device["family"], version(device["os_version"]))
    if floor is not None:
        blockers.append(floor)
    if blockers:
        return verdict(False, "private", "hidden", blockers)
    return verdict(True, "private", listing, ["AUDIENCE_MEMBER"])


def verdict(granted: bool, audience: str, listing: str, reasons: list[str]) -> Body:
    return {"granted": granted, "audience": audience, "listing": listing, "reasons": reasons}


def nothing(source: tuple[str, int] | None, reasons: list[str]) -> Body:
    return {
        "granted": False,
        "source": source,
        "package": None,
        "action": "none",
        "delivery": None,
        "reasons": reasons,
    }


def expect_package(query: Body, product: Body, groups: set[str], now: datetime) -> Body:
    family = query["device"]["family"]
    blockers = offer_blockers(query, product)
    flight, rank = flight_of(query, product, groups, now)
    if flight is None:
        declared, source, reasons = (
            product["submission"],
            ("submission", 1),
            ["NON_FLIGHTED_SUBMISSION"],
        )
    else:
        declared, source, reasons = flight, (flight["flight_id"], rank), ["FLIGHT_MEMBER"]
    packages, rollout_reason = rollout_side(query, declared)
    if rollout_reason is not None:
        reasons.append(rollout_reason)
    best, lacking = best_package(packages, query["device"])
    blockers += lacking
    if blockers:
        return nothing(source, blockers)
    assert best is not None
    number, architecture, file_name = best
    return {
        "granted": True,
        "source": source,
        "package": (file_name, number, architecture),
        "action": action(query["installed_version"], number),
        "delivery": "manual" if flight is not None and family == "Windows.Xbox" else "automatic",
        "reasons": reasons,
    }


def offer_blockers(query: Body, product: Body) -> list[str]:
    blockers = []
    declared, family = product["submission"], query["device"]["family"]
    owns = query["owned"]
    if owns is None:
        owns = query["installed_version"] is not None
    windows_10 = version(query["device"]["os_version"]) >= (10,)
    keeps = owns or (query["promotional_code"] and windows_10)
    if product["availability"] == "unavailable" and not keeps:
        blockers.append("PRODUCT_UNAVAILABLE")
    if declared["discoverability"] == "stop_acquisition" and not keeps:
        blockers.append("ACQUISITION_STOPPED")
    if product["markets"] is not None and query["market"] not in product["markets"]:
        blockers.append("MARKET_NOT_OFFERED")
    by_packages = any(
        target == family or (target == "Windows.Universal" and family != "Windows.Xbox")
        for package in declared["packages"]
        for target in package["targets"]
    )
    offered = by_packages
    if declared["device_families"] is not None:
        ticked = declared["device_families"]
        offered = family in ticked or ("Windows.Universal" in ticked and family != "Windows.Xbox")
        everywhere = any("Windows.Universal" in p["targets"] for p in declared["packages"])
        by_packages = by_packages or everywhere  # an Xbox whose box was unticked later
    if not offered and not (owns and by_packages):
        blockers.append("DEVICE_FAMILY_NOT_OFFERED")
    return blockers


def flight_of(
    query: Body, product: Body, groups: set[str], now: datetime
) -> tuple[Body | None, int]:
    account, device = query["account"], query["device"]
    if account is None or account["kind"] != "microsoft":
        return None, 1
    if not flight_floor(device["family"], version(device["os_version"])):
        return None, 1
    rank = len(product["flights"]) + 1
    for flight in product["flights"]:
        exists = flight["packages"] and (
            flight["publish_at"] is None or reached(flight["publish_at"], now)
        )
        if exists and set(flight["groups"]) & groups:
            return flight, rank
        rank -= 1
    return None, 1


def rollout_side(query: Body, declared: Body) -> tuple[list[Body], str | None]:
    rollout, device, account = declared["rollout"], query["device"], query["account"]
    newest = declared["packages"]
    if rollout is None or rollout["status"] == "finalized":
        return newest, None
    previous = rollout["previous_packages"]
    if rollout["status"] == "halted":
        return previous, "ROLLOUT_HALTED"
    if not flight_floor(device["family"], version(device["os_version"])):
        return previous, "ROLLOUT_OS_BELOW_MINIMUM"
    if query["manual_check"] and rollout["newest_on_manual_check"]:
        return newest, "ROLLOUT_MANUAL_CHECK"
    if query["installed_version"] is None:
        return newest, "ROLLOUT_NEW_INSTALL"
    if account is None:
        return previous, "ROLLOUT_NOT_SIGNED_IN"
    text = query["product_id"] + ":" + account["id"]
    place = int.from_bytes(blake2b(text.encode("utf-8"), digest_size=8).digest(), "big") % 10_000
    if place < Fraction(str(rollout["percentage"])) * 100:
        return newest, "ROLLOUT_INCLUDED"
    return previous, "ROLLOUT_EXCLUDED"


def runs(package: str, device: Body) -> bool:
    family, own, build = device["family"], device["architecture"], version(device["os_version"])
    if own is None and family == "Windows.Xbox":
        own = "x64"
    if own is None or package in ("neutral", own):
        return True
    if family == "Windows.Desktop" and own == "arm64":
        if package == "x86":
            return True
        if package == "x64":
            return build >= (10, 0, 22000, 0)
        return build < (10, 0, 26100, 0)
    if family == "Windows.Mobile" and own == "arm64":
        return package == "arm"
    if family == "Windows.Holographic" and own == "arm64":
        return package == "x86"
    if own == "x64" and family in ("Windows.Desktop", "Windows.Team"):
        return package == "x86"
    return False


def best_package(
    packages: list[Body], device: Body
) -> tuple[tuple[str, str, str] | None, list[str]]:
    candidates = []
    for package in packages:
        targets = package["targets"]
        minimum = targets.get(device["family"], targets.get("Windows.Universal"))
        if minimum is None:
            continue
        fits_os = version(device["os_version"]) >= version(minimum)
        fitting = [a for a in package["architectures"] if runs(a, device)]
        candidates.append((package, fits_os, sorted(fitting, key=ORDER.index)))
    if not candidates:
        return None, ["NO_PACKAGE_FOR_FAMILY"]
    fit = [(package, found[0]) for package, fits_os, found in candidates if fits_os and found]
    if fit:
        fit.sort(key=lambda pair: (version(pair[0]["version"]), -ORDER.index(pair[1])))
        package, architecture = fit[-1]
        return (package["version"], architecture, package["file_name"]), []
    # docs/decisions.md 0001: the blockers of the packages that lack one thing rather than two
    lacks_os = any(found for _, fits_os, found in candidates if not fits_os)
    lacks_architecture = any(fits_os for _, fits_os, found in candidates if not found)
    if not lacks_os and not lacks_architecture:
        return None, ["OS_BELOW_PACKAGE_MINIMUM", "ARCHITECTURE_MISMATCH"]
    blockers = ["OS_BELOW_PACKAGE_MINIMUM"] if lacks_os else []
    return None, blockers + (["ARCHITECTURE_MISMATCH"] if lacks_architecture else [])


def action(installed: str | None, offered: str) -> str:
    if installed is None:
        return "install"
    return "update" if version(installed) < version(offered) else "keep"

"""Convert what an app's submission says of its listing: visibility, markets, device families."""

from collections.abc import Iterable, Iterator
from typing import Any

from eligibility.catalog.model import Product, Submission
from eligibility.catalog.partner_center.report import ImportReport
from eligibility.catalog.partner_center.shapes import AppSubmission
from eligibility.errors import InvalidInput
from eligibility.windows.releases import facts
from eligibility.windows.versions import UNIVERSAL, parse_target_family

_XBOX = "Windows.Xbox"
_NOT_AVAILABLE = "notavailable"
_VISIBILITIES = ("Public", "Private", "Hidden", "NotSet")


def visibility(
    submission: AppSubmission,
    audience_groups: tuple[str, ...],
    stored: Submission | None,
    report: ImportReport,
) -> dict[str, Any]:
    """Convert `visibility`, the API's one field for both audience and discoverability (MAS).

    What it leaves open stays as it is in the store.
    """
    source, value = submission.title, submission.visibility
    known = {name.casefold(): name for name in _VISIBILITIES}.get(value.casefold())
    fields: dict[str, Any] = {}
    if value and known is None:
        detail = f"visibility must be one of {', '.join(_VISIBILITIES)}, not `{value}`"
        report.fault(source, "WRONG_VALUE", detail)
    elif known == "Hidden":
        stopped = stored is not None and stored.discoverability == "stop_acquisition"
        fields = {"discoverability": "stop_acquisition" if stopped else "link_only"}
        detail = f"imported as {fields['discoverability']}; the API does not return whether acquisition is stopped"
        if stored is not None and stored.audience == "private":
            fields["audience"] = "private"
            detail += ", or the audience public, so it stays private"
        report.note(source, "VISIBILITY", f"visibility is Hidden: {detail}")
    elif known == "Private":
        fields = {"audience": "private"}
        if stored is not None and stored.audience == "private":
            fields["discoverability"] = stored.discoverability
        detail = "the API does not return when the app becomes public"
        report.note(source, "VISIBILITY", f"visibility is Private: {detail}")
    elif known != "Public" and stored is not None:
        fields = {"audience": stored.audience, "discoverability": stored.discoverability}
        detail = f"the API returns no visibility, so it stays {stored.audience} and {stored.discoverability}"
        report.note(source, "VISIBILITY", detail)
    elif known == "NotSet":
        report.note(source, "VISIBILITY", "visibility is NotSet: imported as public")
    elif known is None:
        report.choice(source, "NO_VISIBILITY", "visibility is missing")
    return fields | _audience(submission, fields, audience_groups, stored, report)


def _audience(
    submission: AppSubmission,
    fields: dict[str, Any],
    named: tuple[str, ...],
    stored: Submission | None,
    report: ImportReport,
) -> dict[str, Any]:
    source = submission.title
    private = fields.get("audience") == "private"
    if named and not private:
        detail = (
            f"visibility is {submission.visibility or 'public'}, so do not name audience groups"
        )
        report.fault(source, "AUDIENCE_NOT_PRIVATE", detail)
    kept = stored.audience_groups if stored else ()
    if private and not named and kept:
        report.keep("", "audience_groups", ", ".join(kept))
    elif private and not named:
        detail = "visibility is Private, but the API does not return the audience: name its groups"
        report.fault(source, "AUDIENCE_WITHOUT_GROUP", detail)
    fields = {"audience_groups": list(named or kept)} if private else {}
    if stored is not None and stored.public_at is not None:
        report.keep("", "public_at", stored.public_at.isoformat())
        fields["public_at"] = stored.public_at
    return fields


def markets(
    submission: AppSubmission, stored: Product | None, report: ImportReport
) -> list[str] | None:
    """Return the markets of the product, None = all. The API returns only prices (MAS)."""
    source, pricing = submission.title, submission.pricing
    prices = {name.upper(): str(price).casefold() for name, price in pricing.by_market.items()}
    offered = [market for market, price in prices.items() if price != _NOT_AVAILABLE]
    left_out = sorted(prices.keys() - set(offered))
    if pricing.base.casefold() == _NOT_AVAILABLE:
        where = f"only in {', '.join(sorted(offered))}" if offered else "in no market"
        detail = f"priceId is NotAvailable, so the app is offered {where}"
        report.note(source, "MARKETS", detail)
        return sorted(offered)
    if stored is None or stored.markets is None:
        if left_out:
            names = ", ".join(left_out)
            detail = f"the app is not offered in {names}; here {names} get it until `markets` lists the others"
            report.note(source, "MARKETS", detail)
        return None
    kept = [market for market in stored.markets if market not in left_out]
    report.keep("", "markets", ", ".join(kept) or "none")
    if len(kept) < len(stored.markets):
        detail = f"the app is no longer offered in {', '.join(left_out)}"
        report.note(source, "MARKETS", detail)
    return kept


def device_families(
    submission: AppSubmission,
    targeted: Iterable[str],
    stored: Submission | None,
    report: ImportReport,
) -> list[str] | None:
    """Return the families of the boxes that are ticked; None = all that the packages target (UPL).

    Windows.Universal covers Xbox only if the box of Xbox is ticked. Without any box, the families
    stay as they are in the store.
    """
    named = set(targeted)
    boxes = dict(_boxes(submission, report))
    if not boxes:
        kept = stored.device_families if stored else None
        if kept is not None:
            report.keep("", "device_families", ", ".join(kept))
        return None if kept is None else list(kept)
    before = stored.device_families if stored else None
    known = dict.fromkeys(facts().families.values())
    covered = [
        family
        for family in (*known, *sorted(named - {*known, UNIVERSAL}))
        if _covers(named, family) or (UNIVERSAL in named and boxes.get(family))
    ]
    offered = [f for f in covered if boxes.get(f, before is None or _covers(before, f))]
    refused = [family for family in covered if family not in offered]
    if named and not offered:
        detail = f"the boxes of {', '.join(refused)} are not ticked, and its packages target no other family"
        report.choice(submission.title, "NO_FAMILY_OFFERED", detail)
        return []
    if before is not None and offered == [f for f in covered if _covers(before, f)]:
        return list(before)
    if not refused:
        offered = sorted({*named, *(family for family in offered if not _covers(named, family))})
        if set(offered) == named:
            return None
    detail = f"offered on {', '.join(offered)}, because allowTargetFutureDeviceFamilies says so"
    report.note(submission.title, "DEVICE_FAMILIES", detail)
    return offered


def _covers(families: Iterable[str], family: str) -> bool:
    names = set(families)
    return family in names or (UNIVERSAL in names and family != _XBOX)


def _boxes(submission: AppSubmission, report: ImportReport) -> Iterator[tuple[str, bool]]:
    for name, ticked in submission.family_boxes.items():
        try:
            yield parse_target_family(name), ticked
        except InvalidInput as error:
            detail = f"allowTargetFutureDeviceFamilies: {error.faults[0].detail}, so it is ignored"
            report.note(submission.title, "UNKNOWN_FAMILY", detail)

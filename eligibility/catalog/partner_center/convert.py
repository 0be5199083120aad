"""Convert the API's responses about one app to a product.

Imports the newest *Published* submission of the app and of each flight, with its rollout (no other
status delivers packages, MFS). A note names each fact that the API's responses do not contain.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from eligibility.catalog.errors import InvalidProduct
from eligibility.catalog.model import Product
from eligibility.catalog.partner_center import shapes
from eligibility.catalog.partner_center.packages import Targets, families_of, packages_and_rollout
from eligibility.catalog.partner_center.ranks import rank_order
from eligibility.catalog.partner_center.report import SUBJECT, ImportNote, ImportReport
from eligibility.catalog.validation import read_product
from eligibility.errors import InvalidFile
from eligibility.windows.versions import version_text

# Value of `visibility` -> fields of the submission, and a note on what the value leaves open.
_VISIBILITY: dict[str, tuple[dict[str, str], str]] = {
    "Public": ({}, ""),
    "Private": ({"audience": "private"}, "the API does not return when the app becomes public"),
    "Hidden": (
        {"discoverability": "link_only"},
        "imported as link_only; the API does not return whether acquisition is stopped",
    ),
    "NotSet": ({}, "imported as public"),
}

_Kind = TypeVar("_Kind", bound=shapes.PartnerCenterResource)
_Submission = TypeVar("_Submission", bound=shapes.SubmissionResource)


class Import(NamedTuple):
    """A product built from the API's responses. notes: facts that the responses do not contain."""

    product_id: str
    product: Product
    notes: tuple[ImportNote, ...]


def read_files(
    paths: list[Path],
    *,
    audience_groups: Iterable[str] = (),
    group_names: Mapping[str, str] | None = None,
) -> Import:
    """Read files about one app, in any order. Each file contains one API response.

    Args: audience_groups = groups of the private audience, which the responses do not contain;
        group_names = Partner Center's group ids -> our group ids, for those that differ.
    Raises: InvalidFile naming every fault.
    """
    resources = shapes.read_resources(paths)
    report = ImportReport()
    app = _app(resources, report)
    flights = rank_order(_flights(resources, report), report)
    submissions = _of_kind(resources, shapes.AppSubmission)
    where = f"applications/{app.id}"
    newest = _newest(submissions, app.published, f"app `{app.name}`", where, report)
    if newest is None:
        detail = f"app `{app.name}` has no published submission"
        report.fault(where, "NO_PUBLISHED_SUBMISSION", detail)
        raise InvalidFile(report.faults, SUBJECT)
    body = packages_and_rollout(newest, submissions, None, report)
    body |= _visibility(newest, tuple(audience_groups), report)
    families = families_of(body["packages"])
    names = group_names or {}
    flight_submissions = _of_kind(resources, shapes.FlightSubmission)
    product = {
        "name": app.name,
        "submission": body,
        "flights": [
            _flight(flight, flight_submissions, families, names, where, report)
            for flight in flights
        ],
    }
    report.stop_if_faulty()
    try:
        return Import(app.id, read_product(product), tuple(report.notes))
    except InvalidProduct as error:
        raise InvalidFile(error.faults, f"app `{app.name}`") from None


def _of_kind(resources: list[shapes.PartnerCenterResource], kind: type[_Kind]) -> list[_Kind]:
    """Return the resources of one class, without duplicates."""
    distinct: list[_Kind] = []
    for resource in resources:
        if isinstance(resource, kind) and resource not in distinct:
            distinct.append(resource)
    return distinct


def _app(resources: list[shapes.PartnerCenterResource], report: ImportReport) -> shapes.App:
    apps = _of_kind(resources, shapes.App)
    if not apps:
        report.fault(
            "", "NO_APP", "the files contain no app: add the response of `applications/{id}`"
        )
    elif len(apps) > 1:
        names = ", ".join(f"`{app.name}`" for app in apps)
        report.fault(
            "",
            "SEVERAL_APPS",
            f"the files contain several apps ({names}): import one app at a time",
        )
    report.stop_if_faulty()
    return apps[0]


def _flights(
    resources: list[shapes.PartnerCenterResource], report: ImportReport
) -> list[shapes.FlightResource]:
    """Return all flights of the app, listed or in separate files. Report missing ones as faults."""
    pages = _of_kind(resources, shapes.FlightPage)
    listed: list[shapes.PartnerCenterResource] = [
        flight for page in pages for flight in page.flights
    ]
    flights = _of_kind(listed + resources, shapes.FlightResource)
    ids = {flight.flight_id for flight in flights}
    if not flights and not pages:
        report.note(
            "flights",
            "NO_FLIGHT_LIST",
            "the files contain no list of flights, so no flight is imported",
        )
    if len(ids) < len(flights):
        report.fault(
            "flights", "DUPLICATE_FLIGHT", "two files describe the same flight differently"
        )
    # Compare counts: the API may omit the link to the next page although there is a page (GF).
    total = max((page.total or 0 for page in pages), default=0)
    if len(ids) < total:
        link = next((page.next_link for page in pages if page.next_link), "the next page")
        report.fault(
            "flights",
            "MISSING_PAGE",
            f"the files contain only {len(ids)} of {total} flights: add `{link}`",
        )
    for submission in _of_kind(resources, shapes.FlightSubmission):
        if submission.flight_id not in ids:
            detail = f"belongs to flight `{submission.flight_id}`, which the files do not contain"
            report.fault(f"flight submission {submission.id}", "UNKNOWN_FLIGHT", detail)
    return flights


def _newest(
    submissions: list[_Submission],
    last: shapes.SubmissionReference | None,
    what: str,
    where: str,
    report: ImportReport,
) -> _Submission | None:
    """Return the newest published submission. Report a fault if `last` names a later submission."""
    for submission in submissions:
        if not submission.published:
            detail = f"submission {submission.id} is ignored, because it is {submission.status}"
            report.note(what, "NOT_PUBLISHED", detail)
    newest = max((s for s in submissions if s.published), key=lambda s: s.number, default=None)
    if last is not None and (newest is None or newest.number < int(last.id)):
        detail = f"its last published submission is missing: add `{where}/submissions/{last.id}`"
        report.fault(what, "MISSING_SUBMISSION", detail)
    return newest


def _flight(
    flight: shapes.FlightResource,
    submissions: list[shapes.FlightSubmission],
    families: Targets,
    group_names: Mapping[str, str],
    where: str,
    report: ImportReport,
) -> dict[str, Any]:
    what = f"flight `{flight.name}`"
    own = [s for s in submissions if s.flight_id == flight.flight_id]
    newest = _newest(own, flight.published, what, f"{where}/flights/{flight.flight_id}", report)
    body: dict[str, Any] = {
        "flight_id": flight.flight_id,
        "name": flight.name,
        "groups": [group_names.get(group, group) for group in flight.group_ids],
    }
    if newest is None:
        report.note(
            what,
            "NO_PACKAGES",
            "nothing is published yet, so the flight is imported without packages",
        )
        return body
    taken = ", ".join(f"{family} {version_text(least)}" for family, least in families.items())
    report.note(
        what,
        "FAMILIES_FROM_APP",
        f"its packages name no device families, so those of the app apply: {taken}",
    )
    return body | packages_and_rollout(newest, own, families, report)


def _visibility(
    submission: shapes.AppSubmission, audience_groups: tuple[str, ...], report: ImportReport
) -> dict[str, Any]:
    """Convert `visibility`, the API's one field for both audience and discoverability (MAS)."""
    source, visibility = submission.title, submission.visibility
    left_out = submission.markets_left_out
    if left_out:
        detail = (
            f"the app is not offered in {', '.join(left_out)}: list the other markets in `markets`"
        )
        report.note(source, "MARKETS", detail)
    if visibility not in _VISIBILITY:
        detail = f"visibility must be one of {', '.join(_VISIBILITY)}, not `{visibility}`"
        report.fault(source, "WRONG_VALUE", detail)
        return {}
    meaning, note = _VISIBILITY[visibility]
    if note:
        report.note(source, "VISIBILITY", f"visibility is {visibility}: {note}")
    if visibility != "Private":
        if audience_groups:
            detail = f"visibility is {visibility}, so do not name audience groups"
            report.fault(source, "AUDIENCE_NOT_PRIVATE", detail)
        return dict(meaning)
    if not audience_groups:
        detail = "visibility is Private, but the API does not return the audience: name its groups"
        report.fault(source, "AUDIENCE_WITHOUT_GROUP", detail)
    return {**meaning, "audience_groups": list(audience_groups)}

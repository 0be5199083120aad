"""Convert the API's responses about one app to a product.

Imports the last *Published* submission of the app and of each flight, with its rollout (no other
status delivers packages, MFS). What the responses do not contain stays as it is in the store. A note
names each such fact and each choice; a choice that widens or takes away access has to be accepted.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from eligibility.catalog.acceptance import ZERO_VERSION, read_acceptances
from eligibility.catalog.errors import InvalidProduct
from eligibility.catalog.model import Flight, Product, Submission
from eligibility.catalog.partner_center import listing, shapes
from eligibility.catalog.partner_center.packages import PackageReader, Targets
from eligibility.catalog.partner_center.ranks import rank_order
from eligibility.catalog.partner_center.reading import read_accepted, read_resources
from eligibility.catalog.partner_center.report import SUBJECT, ImportNote, ImportReport
from eligibility.catalog.partner_center.selection import Candidates, all_flights, distinct
from eligibility.catalog.validation import read_product, zero_versions
from eligibility.errors import Fault, InvalidFile, InvalidInput
from eligibility.formats.moments import parse_moment
from eligibility.windows.versions import version_text

_NO_DATE = "1601-01-01"  # the API returns it where there is no date


class Import(NamedTuple):
    """A product built from the API's responses.

    notes: facts that the responses do not contain, and choices. accepted: choices as CODE:PRODUCT.
    """

    product_id: str
    product: Product
    notes: tuple[ImportNote, ...]
    accepted: tuple[str, ...] = ()


def read_files(
    paths: list[Path],
    *,
    audience_groups: Iterable[str] = (),
    group_names: Mapping[str, str] | None = None,
    accepted: Iterable[str] = (),
    stored: Callable[[str], Product | None] = lambda _: None,
) -> Import:
    """Read files about one app, in any order. Each file contains one API response.

    Args: audience_groups = groups of the private audience, which the responses do not contain;
        group_names = Partner Center's group ids -> our group ids, for those that differ;
        accepted = choices as CODE:PRODUCT; stored = the product as it is in the store, by its id.
    Raises: InvalidFile naming every fault.
    """
    resources = read_resources(paths)
    app = _app(resources)
    report = ImportReport(app.id, read_acceptances(accepted, "--accept") | read_accepted(paths))
    conversion = _Conversion(app, resources, stored(app.id), group_names or {}, report)
    product = conversion.product(tuple(audience_groups))
    report.stop_if_faulty()
    try:
        read = read_product(product)
    except InvalidProduct as error:
        raise InvalidFile(error.faults, f"app `{app.name}`") from None
    if versions := zero_versions(read):
        detail = f"version {', '.join(versions)} starts with 0, which is accepted because the Store delivers it"
        report.accept(f"app `{app.name}`", ZERO_VERSION, detail)
    if report.kept:
        detail = f"the API does not return these, so they stay: {'; '.join(report.kept)}"
        report.note("the store", "KEPT", detail)
    return Import(app.id, read, tuple(report.notes), tuple(sorted(report.used)))


def _app(resources: list[shapes.PartnerCenterResource]) -> shapes.App:
    apps = distinct(resources, shapes.App)
    if len(apps) == 1:
        return apps[0]
    fault = Fault("", "NO_APP", "the files contain no app: add the response of `applications/{id}`")
    if apps:
        names = ", ".join(f"`{app.name}`" for app in apps)
        detail = f"the files contain several apps ({names}): import one app at a time"
        fault = Fault("", "SEVERAL_APPS", detail)
    raise InvalidFile([fault], SUBJECT)


@dataclass(frozen=True, slots=True)
class _Conversion:
    """Builds the product of an app. stored: the product as it is in the store; None if it is new."""

    app: shapes.App
    resources: list[shapes.PartnerCenterResource]
    stored: Product | None
    group_names: Mapping[str, str]
    report: ImportReport

    def product(self, audience_groups: tuple[str, ...]) -> dict[str, Any]:
        """Return the fields of the product, or raise InvalidFile without a published submission."""
        app, stored, report = self.app, self.stored, self.report
        where = f"applications/{app.id}"
        before = stored.submission if stored else None
        flights = rank_order(all_flights(self.resources, report), report)
        submissions = distinct(self.resources, shapes.AppSubmission)
        drafts = self._drafts("")
        candidates = Candidates(submissions, drafts, f"app `{app.name}`", where)
        newest = candidates.newest(app.published, report)
        if newest is None:
            detail = f"app `{app.name}` has no published submission"
            report.fault(where, "NO_PUBLISHED_SUBMISSION", detail)
            raise InvalidFile(report.faults, SUBJECT)
        delivery = PackageReader(report, list(submissions), drafts, None, before).read(newest)
        families = listing.device_families(newest, delivery.families, before, report)
        if delivery.halted and families is None:
            families = list(delivery.families)
        elif not delivery.packages and not delivery.halted:
            self._report_nothing(f"app `{app.name}`", "it offers no packages", before)
        if stored is not None and stored.availability != "available":
            report.keep("", "availability", stored.availability)
        return {
            "name": app.name,
            "availability": stored.availability if stored else "available",
            "markets": listing.markets(newest, stored, report),
            "submission": {
                "packages": delivery.packages,
                "rollout": delivery.rollout,
                "device_families": families,
                **listing.visibility(newest, audience_groups, before, report),
            },
            "flights": [*self._kept_flights(flights), *self._flights(flights, delivery.families)],
        }

    def _kept_flights(self, flights: list[shapes.FlightResource]) -> list[dict[str, Any]]:
        """Return the stored flights if the files contain nothing about flights."""
        stored = self.stored.flights if self.stored else ()
        if any(isinstance(resource, shapes.FlightPage) for resource in self.resources):
            return []
        missing = [f for f in stored if f.flight_id not in {flight.flight_id for flight in flights}]
        names = ", ".join(f"`{flight.name}`" for flight in missing)
        detail = "the files contain no list of flights"
        if not flights:
            stay = f"so {names} stay as they are" if missing else "so no flight is imported"
            self.report.note("flights", "NO_FLIGHT_LIST", f"{detail}, {stay}")
            return [flight.model_dump(mode="json") for flight in missing]
        if missing:
            detail = f"{detail}, so {names} would be removed"
            self.report.choice("flights", "FLIGHTS_NOT_LISTED", detail)
        return []

    def _flights(
        self, flights: list[shapes.FlightResource], families: Targets
    ) -> list[dict[str, Any]]:
        stored = {f.flight_id: f for f in self.stored.flights} if self.stored else {}
        submissions = distinct(self.resources, shapes.FlightSubmission)
        return [
            self._flight(
                flight,
                [s for s in submissions if s.flight_id == flight.flight_id],
                families,
                stored.get(flight.flight_id),
            )
            for flight in flights
        ]

    def _flight(
        self,
        flight: shapes.FlightResource,
        submissions: list[shapes.FlightSubmission],
        families: Targets,
        stored: Flight | None,
    ) -> dict[str, Any]:
        what, report = f"flight `{flight.name}`", self.report
        drafts = self._drafts(flight.flight_id)
        where = f"applications/{self.app.id}/flights/{flight.flight_id}"
        candidates = Candidates(submissions, drafts, what, where)
        newest = candidates.newest(flight.published, report)
        groups = [self.group_names.get(group, group) for group in flight.group_ids or ()]
        if flight.group_ids is None and stored is not None:
            groups = list(stored.groups)
            report.keep(what, "groups", ", ".join(groups))
        body: dict[str, Any] = {
            "flight_id": flight.flight_id,
            "name": flight.name,
            "groups": groups,
        }
        if stored is not None and stored.publish_at is not None:
            report.keep(what, "publish_at", stored.publish_at.isoformat())
            body["publish_at"] = stored.publish_at
        if newest is None:
            self._report_nothing(what, "nothing is published", stored)
            return body
        _note_publish_date(newest, report)
        reader = PackageReader(report, list(submissions), drafts, families, stored)
        delivery = reader.read(newest)
        if not delivery.packages and not delivery.halted:
            self._report_nothing(what, "it offers no packages", stored)
        if reader.without_families:
            taken = ", ".join(f"{family} {version_text(low)}" for family, low in families.items())
            names = ", ".join(dict.fromkeys(reader.without_families))
            detail = (
                f"its packages {names} name no device families, so those of the app apply: {taken}"
            )
            report.note(what, "FAMILIES_FROM_APP", detail)
        return body | {"packages": delivery.packages, "rollout": delivery.rollout}

    def _report_nothing(self, what: str, why: str, stored: Submission | Flight | None) -> None:
        """Report an app or flight without packages; it is a choice if the store has some."""
        if stored is not None and stored.packages:
            self.report.choice(what, "NOTHING_PUBLISHED", f"{why} any more")
        else:
            self.report.note(what, "NO_PACKAGES", f"{why}, so it is imported without packages")

    def _drafts(self, flight_id: str) -> list[shapes.DraftSubmission]:
        """Return the submissions of a flight, or of the app (""), that are not published."""
        drafts = distinct(self.resources, shapes.DraftSubmission)
        return [draft for draft in drafts if draft.flight_id == flight_id]


def _note_publish_date(submission: shapes.SubmissionResource, report: ImportReport) -> None:
    """Add a note if a published submission has a publish date that is to come or unreadable."""
    date = submission.publish_date
    if submission.publish_mode.casefold() != "specificdate" or date[:10] in ("", _NO_DATE):
        return
    try:
        if parse_moment(date, "targetPublishDate") <= datetime.now(UTC):
            return
        detail = f"targetPublishDate {date} is ignored, because the submission is published already"
    except InvalidInput as error:
        detail = f"{error.faults[0]}; it is ignored"
    report.note(submission.title, "PUBLISH_DATE", detail)

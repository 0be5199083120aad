"""Choose among the responses: all flights of an app, and the submission that is delivered."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Generic, TypeVar

from eligibility.catalog.partner_center import shapes
from eligibility.catalog.partner_center.report import ImportReport

_SKIP = re.compile(r"skip=([0-9]{1,9})", re.IGNORECASE)

_Resource = TypeVar("_Resource", bound=shapes.PartnerCenterResource)
_Submission = TypeVar("_Submission", bound=shapes.SubmissionResource)


def distinct(
    resources: list[shapes.PartnerCenterResource], kind: type[_Resource]
) -> list[_Resource]:
    """Return the resources of one class, without duplicates."""
    different: list[_Resource] = []
    for resource in resources:
        if isinstance(resource, kind) and resource not in different:
            different.append(resource)
    return different


def all_flights(
    resources: list[shapes.PartnerCenterResource], report: ImportReport
) -> list[shapes.FlightResource]:
    """Return all flights of the app, listed or in separate files. Report missing ones as faults."""
    pages = distinct(resources, shapes.FlightPage)
    listed: list[shapes.PartnerCenterResource] = [
        flight for page in pages for flight in page.flights
    ]
    flights = distinct(listed + resources, shapes.FlightResource)
    ids = {flight.flight_id for flight in flights}
    if len(ids) < len(flights):
        detail = "two files describe the same flight differently"
        report.fault("flights", "DUPLICATE_FLIGHT", detail)
    _check_pages(pages, len(ids), report)
    submissions = distinct(resources, shapes.FlightSubmission)
    named = [(s.id, s.flight_id) for s in submissions]
    named += [
        (d.id, d.flight_id) for d in distinct(resources, shapes.DraftSubmission) if d.flight_id
    ]
    for submission_id, flight_id in named:
        if flight_id not in ids:
            detail = f"belongs to flight `{flight_id}`, which the files do not contain"
            report.fault(f"flight submission {submission_id}", "UNKNOWN_FLIGHT", detail)
    return flights


def _check_pages(pages: list[shapes.FlightPage], flights: int, report: ImportReport) -> None:
    """Report a page that a link names, or flights that only the count names, but no file has (GF)."""
    links = sorted({page.next_link for page in pages if page.next_link}, key=_skip)
    total = max((page.total for page in pages), default=0)
    if not pages or (len(pages) > len(links) and flights >= total):
        return
    counted = f"only {flights} of {total} flights" if flights < total else f"{flights} flights"
    link = f"`{links[-1]}`" if links else "the next page"
    report.fault("flights", "MISSING_PAGE", f"the files contain {counted}: add {link}")


def _skip(link: str) -> int:
    match = _SKIP.search(link)
    return int(match[1]) if match else 0


@dataclass(frozen=True, slots=True)
class Candidates(Generic[_Submission]):
    """The submissions of an app or of a flight. what: its name in faults; where: its path."""

    submissions: list[_Submission]
    drafts: list[shapes.DraftSubmission]
    what: str
    where: str

    def newest(self, last: shapes.SubmissionReference, report: ImportReport) -> _Submission | None:
        """Return the submission that `last` names, or else the newest that is published."""
        for draft in self.drafts:
            detail = f"submission {draft.id} is ignored, because it is {draft.status}"
            report.note(self.what, "NOT_PUBLISHED", detail)
        for number, count in Counter(s.number for s in self.submissions).items():
            if count > 1:
                detail = f"two files describe submission {number} differently"
                report.fault(self.what, "DUPLICATE_SUBMISSION", detail)
        newest = max(self.submissions, key=lambda s: s.number, default=None)
        named = next((s for s in self.submissions if s.number == int(last.id)), None)
        if int(last.id) and named is None:
            self._report_missing(last.id, newest, report)
        if int(last.id) and newest is not None and newest.number > int(last.id):
            detail = f"submission {newest.id} is later than the last published one, {last.id}; "
            detail += "that is imported" if named else "it is imported, as that one has no file"
            report.note(self.what, "LATER_SUBMISSION", detail)
        return named or newest

    def _report_missing(
        self, wanted: str, newest: _Submission | None, report: ImportReport
    ) -> None:
        again = f"`{self.where}/submissions/{wanted}`"
        status = next((draft.status for draft in self.drafts if draft.id == wanted), None)
        if status is not None:
            detail = f"its last published submission is {wanted}, but the file of it says {status}: get {again} again"
            report.fault(self.what, "NOT_PUBLISHED", detail)
        elif newest is None or newest.number < int(wanted):
            detail = f"its last published submission is missing: add {again}"
            report.fault(self.what, "MISSING_SUBMISSION", detail)

"""Convert packages and rollouts of the API's submissions to fields of a product."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from packaging.version import Version

from eligibility.catalog.model import DeclaredSource, Flight, Package, Submission
from eligibility.catalog.partner_center.report import ImportReport
from eligibility.catalog.partner_center.shapes import (
    NO_SUBMISSION,
    DraftSubmission,
    SubmissionResource,
    UploadedPackage,
)
from eligibility.errors import InvalidInput
from eligibility.windows.versions import UNIVERSAL, is_known_family, version_of, version_text

_OFFERED = {"none", "uploaded"}
_NOT_OFFERED = {"pendingdelete": "is to be deleted", "pendingupload": "is not uploaded"}
_NOT_STARTED = "PackageRolloutNotStarted"
_ROLLOUT_STATUS = {
    _NOT_STARTED: "in_progress",  # a published submission delivers, so its rollout has begun
    "PackageRolloutInProgress": "in_progress",
    "PackageRolloutStopped": "halted",
    "PackageRolloutComplete": "finalized",
}

Targets = dict[str, Version]
"""Device family -> MinVersion."""


class DeliveredPackages(NamedTuple):
    """What a submission delivers, as fields of a product. families: what its packages target.

    halted: nobody gets the packages, because a halted rollout has no previous ones.
    """

    packages: list[dict[str, Any]]
    rollout: dict[str, Any] | None
    families: Targets
    halted: bool = False


@dataclass(frozen=True, slots=True)
class PackageReader:
    """Converts the packages and the rollout of the submissions of an app or of a flight.

    app_families: for packages of flights that name no families; None for those of the app.
    stored: the submission or flight as it is in the store; None if it is new.
    submissions: all published ones, one of which may contain the previous packages.
    drafts: submissions that are not published. without_families: packages that took app_families.
    """

    report: ImportReport
    submissions: list[SubmissionResource]
    drafts: list[DraftSubmission]
    app_families: Targets | None = None
    stored: Submission | Flight | None = None
    without_families: list[str] = field(default_factory=list)

    def read(self, newest: SubmissionResource) -> DeliveredPackages:
        """Convert the submission that the API names as the last published one."""
        if newest.delivery.mandatory:
            detail = "its update is mandatory; this is ignored, because eligibility does not depend on it"
            self.report.note(newest.title, "MANDATORY_UPDATE", detail)
        packages = list(self._offered(newest))
        families = _families_of(packages)
        rollout = newest.delivery.rollout
        if rollout.used and _status(rollout.status) == "halted" and not _has_fallback(newest):
            return DeliveredPackages(
                self._left_after_halt(newest, packages), None, families, halted=True
            )
        return DeliveredPackages(packages, self._rollout(newest), families)

    def _left_after_halt(
        self, newest: SubmissionResource, halted: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        gone = {(package["file_name"], package["version"]) for package in halted}
        left = [p for p in self._stored_packages() if (p.file_name, p.version) not in gone]
        detail = "its rollout was stopped and names no fallback submission, so nobody gets its packages any more"
        if left:
            detail += f"; those of before stay: {', '.join(p.file_name for p in left)}"
        self.report.note(newest.title, "STOPPED_WITHOUT_FALLBACK", detail)
        return [package.model_dump(mode="json") for package in left]

    def _rollout(self, newest: SubmissionResource) -> dict[str, Any] | None:
        rollout, title = newest.delivery.rollout, newest.title
        status = _status(rollout.status)
        if status is None:
            known = ", ".join(_ROLLOUT_STATUS)
            detail = f"packageRolloutStatus must be one of {known}, not `{rollout.status}`"
            self.report.fault(title, "WRONG_VALUE", detail)
            return None
        started = rollout.status.casefold() not in (_NOT_STARTED.casefold(), "notstarted")
        if not rollout.used:
            if started and status != "finalized":
                detail = f"isPackageRollout is false, but packageRolloutStatus is {rollout.status}"
                self.report.choice(title, "ROLLOUT_UNCLEAR", detail)
            return None
        stored = self.stored.rollout if self.stored else None
        seek = newest.seek_enabled
        if seek is None:
            seek = stored is not None and stored.newest_on_manual_check
        body = {
            "percentage": rollout.percentage or 0.0,
            "status": status,
            "newest_on_manual_check": seek,
        }
        if status == "finalized":
            return body
        if not _has_fallback(newest):
            detail = "fallbackSubmissionId is missing, though its rollout is in progress"
            self.report.choice(title, "NO_FALLBACK", detail)
            return None
        if status == "in_progress" and rollout.percentage is None:
            self.report.fault(title, "MISSING_FIELD", "packageRolloutPercentage: is required")
        if not started:
            detail = f"its rollout has not started; it is imported as in progress at {rollout.percentage} %"
            self.report.note(title, "ROLLOUT_NOT_STARTED", detail)
        return body | {"previous_packages": self._previous(newest)}

    def _previous(self, newest: SubmissionResource) -> list[dict[str, Any]]:
        wanted = newest.delivery.rollout.fallback_id
        fallback = next((s for s in self.submissions if s.number == int(wanted)), None)
        if fallback is not None:
            return list(self._offered(fallback))
        draft = next((draft for draft in self.drafts if draft.id == wanted), None)
        missing = f"its file says {draft.status}: get it again" if draft else "add its file"
        detail = f"accounts outside its rollout get submission {wanted}: {missing}"
        self.report.fault(newest.title, "MISSING_SUBMISSION", detail)
        return []

    def _offered(self, submission: SubmissionResource) -> Iterator[dict[str, Any]]:
        """Convert the packages that a submission offers; add a note for each package left out."""
        for package in submission.packages:
            source = f"{submission.title}, package `{package.file_name}`"
            status = package.status.casefold()
            reason = _NOT_OFFERED.get(status)
            if reason:
                self.report.note(source, "NOT_OFFERED", f"{reason}, so it is left out")
                continue
            if status not in _OFFERED:
                detail = f"its fileStatus `{package.status}` is unknown; it is imported as uploaded"
                self.report.note(source, "UNKNOWN_FILE_STATUS", detail)
            targets = self._targets(package, source)
            if not targets:
                continue
            yield {
                "file_name": package.file_name,
                "version": package.version,
                "architectures": self._architectures(package, source),
                "targets": targets,
            }

    def _targets(self, package: UploadedPackage, source: str) -> dict[str, str]:
        """Return the families of a package: its own, else those stored, else those of the app."""
        stored = self._stored_package(package)
        if package.target_families:
            try:
                targets = package.targets()
            except InvalidInput as error:
                fault = error.faults[0]
                self.report.fault(source, fault.code, f"targetDeviceFamilies: {fault.detail}")
                return {}
            unknown = [f for f in targets if not (f == UNIVERSAL or is_known_family(f))]
            if unknown:
                self.report.note(source, "UNKNOWN_FAMILY", f"nobody knows {', '.join(unknown)}")
        elif stored is not None:
            self.report.keep(source, "targets", ", ".join(stored.targets))
            return dict(stored.targets)
        elif self.app_families is None:
            detail = 'targetDeviceFamilies: is required; ["None"] would mean a package from before Windows 10'
            self.report.fault(source, "MISSING_FIELD", detail)
            return {}
        else:
            targets = self.app_families
            self.without_families.append(package.file_name)
        if not targets:
            self.report.note(
                source, "NO_FAMILIES", "is not for Windows 10 or 11, so it is left out"
            )
        return {family: version_text(least) for family, least in targets.items()}

    def _architectures(self, package: UploadedPackage, source: str) -> list[str]:
        stored = self._stored_package(package)
        if package.architectures:
            return list(package.architectures)
        if stored is not None:
            self.report.keep(source, "architectures", ", ".join(stored.architectures))
            return list(stored.architectures)
        detail = "names no architecture, so it is imported as neutral"
        self.report.note(source, "NO_ARCHITECTURE", detail)
        return ["neutral"]

    def _stored_packages(self) -> tuple[Package, ...]:
        lists = DeclaredSource(self.stored).package_lists() if self.stored else ()
        return tuple(package for _, packages in lists for package in packages)

    def _stored_package(self, package: UploadedPackage) -> Package | None:
        same = (
            stored
            for stored in self._stored_packages()
            if (stored.file_name, stored.version) == (package.file_name, package.version)
        )
        return next(same, None)


def _status(text: str) -> str | None:
    """Return the status of a rollout in our words; None if it is unknown."""
    known = {name.casefold(): ours for name, ours in _ROLLOUT_STATUS.items()}
    return known.get(text.casefold()) or known.get(f"packagerollout{text.casefold()}")


def _has_fallback(newest: SubmissionResource) -> bool:
    return newest.delivery.rollout.fallback_id not in (NO_SUBMISSION, newest.id)


def _families_of(packages: Iterable[Mapping[str, Any]]) -> Targets:
    """Map the device families of converted packages to their lowest MinVersion."""
    lowest: Targets = {}
    for package in packages:
        for family, text in package["targets"].items():
            least = version_of(text)
            lowest[family] = min(least, lowest.get(family, least))
    return dict(sorted(lowest.items()))

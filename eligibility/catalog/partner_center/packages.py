"""Convert packages and rollouts of the API's submissions to fields of a product."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from packaging.version import Version

from eligibility.catalog.partner_center.report import ImportReport
from eligibility.catalog.partner_center.shapes import SubmissionResource
from eligibility.errors import InvalidInput
from eligibility.windows.versions import version_of, version_text

_NOT_OFFERED = {"PendingDelete": "is to be deleted", "PendingUpload": "is not uploaded"}
_ROLLOUT_STATUS = {
    # For us, a rollout of a published submission that has not started is in progress at 0 %.
    "PackageRolloutNotStarted": "in_progress",
    "PackageRolloutInProgress": "in_progress",
    "PackageRolloutStopped": "halted",
    "PackageRolloutComplete": "finalized",
}
_NO_SUBMISSION = "0"

Targets = dict[str, Version]
"""Device family -> MinVersion."""


def packages_and_rollout(
    newest: SubmissionResource,
    others: Sequence[SubmissionResource],
    families: Targets | None,
    report: ImportReport,
) -> dict[str, Any]:
    """Convert the packages and the rollout of a submission.

    Args: others = submissions, one of which may contain the previous packages; families = the
        targets of all packages, None = those that each package names.
    """
    what = newest.title
    if newest.delivery.mandatory:
        detail = (
            "its update is mandatory; this is ignored, because eligibility does not depend on it"
        )
        report.note(what, "MANDATORY_UPDATE", detail)
    return {
        "packages": list(_offered(newest, families, report)),
        "rollout": _rollout(newest, others, families, report),
    }


def _rollout(
    newest: SubmissionResource,
    others: Sequence[SubmissionResource],
    families: Targets | None,
    report: ImportReport,
) -> dict[str, Any] | None:
    rollout = newest.delivery.rollout
    if not rollout.used:
        return None
    status = _ROLLOUT_STATUS.get(rollout.status)
    if status is None:
        known = ", ".join(_ROLLOUT_STATUS)
        detail = f"packageRolloutStatus must be one of {known}, not `{rollout.status}`"
        report.fault(newest.title, "WRONG_VALUE", detail)
        return None
    body = {
        "percentage": rollout.percentage,
        "status": status,
        "newest_on_manual_check": newest.seek_enabled,
    }
    if status == "finalized":
        return body
    if rollout.fallback_id == _NO_SUBMISSION:
        detail = "its rollout has no fallback submission, so it is imported without a rollout"
        report.note(newest.title, "NO_FALLBACK", detail)
        return None
    fallback = next((s for s in others if s.number == int(rollout.fallback_id)), None)
    if fallback is None:
        detail = f"accounts outside its rollout get submission {rollout.fallback_id}: add its file"
        report.fault(newest.title, "MISSING_SUBMISSION", detail)
        return None
    return body | {"previous_packages": list(_offered(fallback, families, report))}


def _offered(
    submission: SubmissionResource, families: Targets | None, report: ImportReport
) -> Iterator[dict[str, Any]]:
    """Convert the packages that a submission offers; add a note for each package left out."""
    for package in submission.packages:
        source = f"{submission.title}, package `{package.file_name}`"
        reason = _NOT_OFFERED.get(package.status)
        if reason:
            report.note(source, "NOT_OFFERED", f"{reason}, so it is left out")
            continue
        try:
            targets = package.targets() if families is None else families
        except InvalidInput as error:
            fault = error.faults[0]
            report.fault(source, fault.code, f"targetDeviceFamilies: {fault.detail}")
            continue
        if not targets:
            report.note(source, "NO_FAMILIES", "is not for Windows 10 or 11, so it is left out")
            continue
        if not package.architectures:
            report.note(
                source, "NO_ARCHITECTURE", "names no architecture, so it is imported as neutral"
            )
        yield {
            "file_name": package.file_name,
            "version": package.version,
            "architectures": list(package.architectures or ("neutral",)),
            "targets": {family: version_text(least) for family, least in targets.items()},
        }


def families_of(packages: Iterable[Mapping[str, Any]]) -> Targets:
    """Map the device families of converted packages to their lowest MinVersion."""
    lowest: Targets = {}
    for package in packages:
        for family, text in package["targets"].items():
            least = version_of(text)
            lowest[family] = min(least, lowest.get(family, least))
    return dict(sorted(lowest.items()))

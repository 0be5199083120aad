"""Models of the Store submission API's responses, with the fields that an import needs.

Source of the fields: domain.md section 5 (codes GA, APP, GF, MFS, MAS, RO). Other fields are
ignored; a field of the wrong type is a fault. Ids have 19 digits, so they are texts: floating-point
numbers would lose the last digits.
"""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

from packaging.version import Version
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError
from pydantic_core import PydanticCustomError

from eligibility.catalog.files import read_text
from eligibility.catalog.partner_center.report import SUBJECT
from eligibility.catalog.validation import pydantic_faults
from eligibility.errors import Fault, Faults, InvalidFile
from eligibility.formats import strict_json
from eligibility.windows import versions

NON_FLIGHTED = "Non-flighted submission"
_ARCHITECTURE = re.compile(r"\w+")
_TARGET = re.compile(r"\s*(\S+)\s+min\s+version\s+(\S+)\s*", re.IGNORECASE)


def _id(value: Any) -> Any:
    """Convert an id that is a whole number to text. Some samples of the API contain such ids."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _number_id(value: Any) -> Any:
    value = _id(value)
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise PydanticCustomError(
            "WRONG_VALUE", "is not the id of a submission: an id has only digits"
        )
    return value


Id = Annotated[str, BeforeValidator(_id)]
SubmissionId = Annotated[str, BeforeValidator(_number_id)]


class _Resource(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class SubmissionReference(_Resource):
    """The field of an app or a flight that refers to its last published submission."""

    id: SubmissionId


class App(_Resource):
    """An app (APP). The API has no fields for audience groups, public date and markets (MAS)."""

    id: Id
    name: str = Field(alias="primaryName")
    published: SubmissionReference | None = Field(None, alias="lastPublishedApplicationSubmission")


class FlightResource(_Resource):
    """A flight, from a list of flights or from a response about this flight only (GF)."""

    flight_id: Id = Field(alias="flightId")
    name: str = Field(alias="friendlyName")
    group_ids: tuple[Id, ...] = Field((), alias="groupIds")
    above: str | None = Field(None, alias="rankHigherThan")
    published: SubmissionReference | None = Field(None, alias="lastPublishedFlightSubmission")


class FlightPage(_Resource):
    """One page of an app's list of flights. total: the number of flights on all pages."""

    flights: tuple[FlightResource, ...] = Field(alias="value")
    total: int | None = Field(None, alias="totalCount")
    next_link: str | None = Field(None, alias="@nextLink")


class UploadedPackage(_Resource):
    """A package of a submission. Packages of flights have no `target_families` (MFS)."""

    file_name: str = Field(alias="fileName")
    status: str = Field("None", alias="fileStatus")
    version: str = ""
    architecture: str | None = None
    target_families: tuple[str, ...] = Field((), alias="targetDeviceFamilies")

    @property
    def architectures(self) -> tuple[str, ...]:
        """Return the architectures, several for a bundle; empty if the API names none."""
        return tuple(_ARCHITECTURE.findall(self.architecture or ""))

    def targets(self) -> dict[str, Version]:
        """Map families to their MinVersion; empty before Windows 10. Raises: InvalidInput."""
        return dict(
            _target(text) for text in self.target_families if text.strip().casefold() != "none"
        )


def _target(text: str) -> tuple[str, Version]:
    match = _TARGET.fullmatch(text)
    family, minimum = match.groups() if match else (text, "")
    return versions.parse_target_family(family), versions.parse_target_version(minimum)


class PackageRollout(_Resource):
    """A rollout (RO). fallback_id: submission for accounts outside the rollout, "0" = none."""

    used: StrictBool = Field(False, alias="isPackageRollout")
    percentage: float = Field(0.0, alias="packageRolloutPercentage")
    status: str = Field("PackageRolloutNotStarted", alias="packageRolloutStatus")
    fallback_id: SubmissionId = Field("0", alias="fallbackSubmissionId")
    seek: StrictBool = Field(False, alias="isSeekEnabled")


class DeliveryOptions(_Resource):
    """How a submission's packages are delivered: gradually or to all, mandatory or not."""

    rollout: PackageRollout = Field(PackageRollout(), alias="packageRollout")
    mandatory: StrictBool = Field(False, alias="isMandatoryUpdate")


class Pricing(_Resource):
    """The prices by market. The import uses them only to find markets without an offer."""

    by_market: dict[str, Any] = Field(default_factory=dict, alias="marketSpecificPricings")


class SubmissionResource(_Resource):
    """Fields that submissions of apps and of flights have in common."""

    kind: ClassVar[str] = "submission"
    id: SubmissionId
    status: str
    packages: tuple[UploadedPackage, ...]
    delivery: DeliveryOptions = Field(DeliveryOptions(), alias="packageDeliveryOptions")
    seek: StrictBool = Field(False, alias="isSeekEnabled")

    @property
    def title(self) -> str:
        """Return the name of this submission in faults and notes."""
        return f"{self.kind} {self.id}"

    @property
    def published(self) -> bool:
        """Return whether its packages are delivered, which only the status Published does (MFS)."""
        return self.status == "Published"

    @property
    def seek_enabled(self) -> bool:
        """Return whether a manual check finds the newest packages; two fields may say so (MAS)."""
        return self.seek or self.delivery.rollout.seek

    @property
    def number(self) -> int:
        """Return the id as a number. A later submission has a higher number."""
        return int(self.id)


class AppSubmission(SubmissionResource):
    """A submission of the app itself, outside all flights (MAS)."""

    kind: ClassVar[str] = "app submission"
    packages: tuple[UploadedPackage, ...] = Field(alias="applicationPackages")
    visibility: str = "Public"
    pricing: Pricing = Pricing()

    @property
    def markets_left_out(self) -> tuple[str, ...]:
        """List the markets in which the publisher does not offer the app."""
        prices = self.pricing.by_market.items()
        return tuple(market for market, price in prices if price == "NotAvailable")


class FlightSubmission(SubmissionResource):
    """A submission of the flight `flight_id` (MFS)."""

    flight_id: Id = Field(alias="flightId")
    packages: tuple[UploadedPackage, ...] = Field(alias="flightPackages")


PartnerCenterResource = App | FlightResource | FlightPage | AppSubmission | FlightSubmission

# A field that only one class has -> that class. `_kind` finds the class of a response with it.
_KINDS: tuple[tuple[str, type[PartnerCenterResource]], ...] = (
    ("applicationPackages", AppSubmission),
    ("flightPackages", FlightSubmission),
    ("value", FlightPage),
    ("friendlyName", FlightResource),
    ("primaryName", App),
)


def read_resources(paths: list[Path]) -> list[PartnerCenterResource]:
    """Read files with one API response each. Raises: InvalidFile with every fault of every file."""
    resources: list[PartnerCenterResource] = []
    faults = Faults()
    for path in paths:
        with faults.collect():
            resources.append(_read(path))
    if faults:
        raise InvalidFile(faults, SUBJECT)
    return resources


def _read(path: Path) -> PartnerCenterResource:
    try:
        body = strict_json.loads(read_text(path))
    except strict_json.InvalidJson as error:
        raise InvalidFile([Fault(str(path), f.code, f.detail) for f in error.faults]) from None
    kind = _kind(body)
    if kind is None:
        raise InvalidFile([Fault(str(path), "UNKNOWN_RESOURCE", _why_unknown(body))])
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        faults = [Fault(f"{path}", f.code, f"{f.loc}: {f.detail}") for f in pydantic_faults(error)]
        raise InvalidFile(faults) from None


def _kind(body: Any) -> type[PartnerCenterResource] | None:
    if not isinstance(body, dict):
        return None
    kind = next((kind for field, kind in _KINDS if field in body), None)
    rows = body.get("value")
    if kind is FlightPage and isinstance(rows, list) and rows and "primaryName" in rows[0]:
        return None
    return kind


def _why_unknown(body: Any) -> str:
    needed = "an app, its list of flights, an app submission or a flight submission"
    if isinstance(body, dict) and "value" in body:
        return f"is a list of apps; expected {needed}"
    if isinstance(body, dict) and {"code", "message"} <= body.keys():
        return f"is an error response of the API (`{body['code']}`); expected {needed}"
    return f"is not a known response of the submission API; expected {needed}"

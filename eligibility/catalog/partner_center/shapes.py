"""Models of the Store submission API's responses, with the fields that an import needs.

Source of the fields: domain.md section 5 (codes GA, APP, GF, MFS, MAS, RO). Names may be in any case,
because the Store's command line writes them in another one than the API; null is as absent. Other
fields are ignored; a field of the wrong type is a fault. Ids have 19 digits, so they are texts:
floating-point numbers would lose the last digits.
"""

import re
from typing import Annotated, Any, ClassVar

from packaging.version import Version
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from eligibility.errors import Fault, InvalidInput
from eligibility.formats.strict_struct import shown
from eligibility.windows import versions

NON_FLIGHTED = "Non-flighted submission"
NO_SUBMISSION = "0"
_ARCHITECTURE = re.compile(r"\w+")
_TARGET = re.compile(r"\s*(\S+)\s+min\s+version\s+(\S+)\s*", re.IGNORECASE)
_SUBMISSION_ID = re.compile(r"[0-9]{1,20}")


def _wrong(code: str, value: Any, right: str) -> PydanticCustomError:
    # Replace braces, because pydantic would read `{...}` as a placeholder.
    detail = f"`{shown(value)}` is {right}".replace("{", "(").replace("}", ")")
    return PydanticCustomError(code, detail)


def _id(value: Any) -> Any:
    """Convert an id that is a whole number to text. Some samples of the API contain such ids."""
    if isinstance(value, float):
        raise _wrong("WRONG_TYPE", value, "a number without its last digits: write ids as texts")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _number_id(value: Any) -> Any:
    value = _id(value)
    if value == "":
        return NO_SUBMISSION
    if isinstance(value, str) and not _SUBMISSION_ID.fullmatch(value):
        raise _wrong("WRONG_VALUE", value, "not the id of a submission: an id has 1 to 20 digits")
    return value


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if item is not None}
    return value


Id = Annotated[str, BeforeValidator(_id)]
SubmissionId = Annotated[str, BeforeValidator(_number_id)]


class _Resource(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, body: Any) -> Any:
        """Match names in any case. Leave out null, so that it is as absent."""
        if not isinstance(body, dict):
            return body
        names = [field.alias or name for name, field in cls.model_fields.items()]
        known = {name.casefold(): name for name in names}
        spelled: dict[str, str] = {}
        for name in body:
            field = known.get(name.casefold())
            if field is not None and spelled.setdefault(field, name) != name:
                raise _wrong("DUPLICATE_NAME", name, f"the same field as `{spelled[field]}`")
        return {f: body[name] for f, name in spelled.items() if body[name] is not None}


class SubmissionReference(_Resource):
    """The field of an app or a flight that refers to its last published submission."""

    id: SubmissionId = NO_SUBMISSION


class App(_Resource):
    """An app (APP). The API has no fields for audience groups, public date and markets (MAS)."""

    id: Id
    name: str = Field(alias="primaryName")
    published: SubmissionReference = Field(
        SubmissionReference(), alias="lastPublishedApplicationSubmission"
    )


class FlightResource(_Resource):
    """A flight, from a list of flights or from a response about this flight only (GF)."""

    flight_id: Id = Field(alias="flightId")
    name: str = Field(alias="friendlyName")
    group_ids: tuple[Id, ...] | None = Field(None, alias="groupIds")
    above: Annotated[str | None, BeforeValidator(lambda link: None if link == "" else link)] = (
        Field(None, alias="rankHigherThan")
    )
    published: SubmissionReference = Field(
        SubmissionReference(), alias="lastPublishedFlightSubmission"
    )


class FlightPage(_Resource):
    """One page of an app's list of flights. total: the number of flights on all pages."""

    flights: tuple[FlightResource, ...] = Field((), alias="value")
    total: int = Field(0, alias="totalCount")
    next_link: str = Field("", alias="@nextLink")


class UploadedPackage(_Resource):
    """A package of a submission. target_families: packages of flights seldom have them (MFS)."""

    file_name: str = Field("", alias="fileName")
    status: str = Field("None", alias="fileStatus")
    version: str = ""
    architecture: str = ""
    target_families: tuple[str, ...] = Field((), alias="targetDeviceFamilies")

    @property
    def architectures(self) -> tuple[str, ...]:
        """Return the architectures, several for a bundle; empty if the API names none."""
        return tuple(_ARCHITECTURE.findall(self.architecture))

    def targets(self) -> dict[str, Version]:
        """Map families to their MinVersion; empty before Windows 10. Raises: InvalidInput."""
        targets: dict[str, Version] = {}
        for text in self.target_families:
            if text.strip().casefold() == "none":
                continue
            family, minimum = _target(text)
            if targets.setdefault(family, minimum) != minimum:
                detail = f"`{family}` is named twice, with different versions"
                raise InvalidInput([Fault("", "DUPLICATE_FAMILY", detail)])
        return targets


def _target(text: str) -> tuple[str, Version]:
    match = _TARGET.fullmatch(text)
    family, minimum = match.groups() if match else (text, "")
    return versions.parse_target_family(family), versions.parse_target_version(minimum)


class PackageRollout(_Resource):
    """A rollout (RO). fallback_id: submission for accounts outside the rollout, "0" = none."""

    used: StrictBool = Field(False, alias="isPackageRollout")
    percentage: float | None = Field(
        None, alias="packageRolloutPercentage", strict=True, ge=0, le=100, allow_inf_nan=False
    )
    status: str = Field("PackageRolloutNotStarted", alias="packageRolloutStatus")
    fallback_id: SubmissionId = Field(NO_SUBMISSION, alias="fallbackSubmissionId")
    seek: StrictBool | None = Field(None, alias="isSeekEnabled")


class DeliveryOptions(_Resource):
    """How a submission's packages are delivered: gradually or to all, mandatory or not."""

    rollout: PackageRollout = Field(PackageRollout(), alias="packageRollout")
    mandatory: StrictBool = Field(False, alias="isMandatoryUpdate")


class Pricing(_Resource):
    """The prices by market. The import uses them only to find markets without an offer."""

    base: str = Field("", alias="priceId")
    by_market: Annotated[dict[str, Any], BeforeValidator(_without_null)] = Field(
        default_factory=dict, alias="marketSpecificPricings"
    )


class DraftSubmission(_Resource):
    """A submission that is not published, so that no more of it is read than a note needs."""

    id: Annotated[str, BeforeValidator(str)] = ""
    status: str
    flight_id: Id = Field("", alias="flightId")


class SubmissionResource(_Resource):
    """Fields that submissions of apps and of flights have in common."""

    kind: ClassVar[str] = "submission"
    id: SubmissionId
    status: str
    packages: tuple[UploadedPackage, ...]
    delivery: DeliveryOptions = Field(DeliveryOptions(), alias="packageDeliveryOptions")
    seek: StrictBool | None = Field(None, alias="isSeekEnabled")
    publish_mode: str = Field("", alias="targetPublishMode")
    publish_date: str = Field("", alias="targetPublishDate")

    @property
    def title(self) -> str:
        """Return the name of this submission in faults and notes."""
        return f"{self.kind} {self.id}"

    @property
    def seek_enabled(self) -> bool | None:
        """Return whether a manual check finds the newest packages; two fields may say so (MAS)."""
        answers = [seek for seek in (self.seek, self.delivery.rollout.seek) if seek is not None]
        return any(answers) if answers else None

    @property
    def number(self) -> int:
        """Return the id as a number. A later submission has a higher number."""
        return int(self.id)


class AppSubmission(SubmissionResource):
    """A submission of the app itself, outside all flights (MAS).

    family_boxes: device family -> whether new customers may get the app there, whichever families
        its packages target; a family may be missing.
    """

    kind: ClassVar[str] = "app submission"
    packages: tuple[UploadedPackage, ...] = Field(alias="applicationPackages")
    visibility: str = ""
    pricing: Pricing = Pricing()
    family_boxes: Annotated[dict[str, StrictBool], BeforeValidator(_without_null)] = Field(
        default_factory=dict, alias="allowTargetFutureDeviceFamilies"
    )


class FlightSubmission(SubmissionResource):
    """A submission of the flight `flight_id` (MFS)."""

    kind: ClassVar[str] = "flight submission"
    flight_id: Id = Field(alias="flightId")
    packages: tuple[UploadedPackage, ...] = Field(alias="flightPackages")


PartnerCenterResource = (
    App | FlightResource | FlightPage | AppSubmission | FlightSubmission | DraftSubmission
)

"""Types for the fields of a product. Each type checks a text and converts it to canonical form."""

from collections.abc import Callable, Sized
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictStr,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from eligibility.access import wire
from eligibility.errors import InvalidInput
from eligibility.formats.moments import parse_moment
from eligibility.formats.strict_struct import shown
from eligibility.windows import versions
from eligibility.windows.package_versions import canonical_package_version

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$"
"""The pattern that ids of products and flights must match."""


STORED = {"stored": True}
"""Context of a validation whose values were checked when they were written."""


def _refusal(code: str, detail: str) -> PydanticCustomError:
    # Replace braces, because pydantic would read `{...}` as a placeholder.
    return PydanticCustomError(code, detail.replace("{", "(").replace("}", ")"))


def _reading(read: Callable[[str], str], *, stored_too: bool = True) -> AfterValidator:
    """Convert a function that raises InvalidInput to a pydantic validator; keep its error code.

    stored_too: False if values in stores stay as they are, because earlier releases accepted more.
    """

    def validate(text: str, info: ValidationInfo) -> str:
        if not stored_too and _is_stored(info):
            return text
        try:
            return read(text)
        except InvalidInput as error:
            raise _refusal(error.faults[0].code, error.faults[0].detail) from None

    return AfterValidator(validate)


def _moment_from_text(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, datetime) or value is None or _is_stored(info):
        return value
    try:
        return parse_moment(value if isinstance(value, str) else shown(value))
    except InvalidInput as error:
        raise _refusal(error.faults[0].code, error.faults[0].detail) from None


def _is_stored(info: ValidationInfo) -> bool:
    """Return whether a value comes from a store, which an earlier release with other rules may have written."""
    return info.mode == "json" or info.context is STORED


_Items = TypeVar("_Items", bound=Sized)


def _at_least_one(items: _Items) -> _Items:
    """Refuse an empty collection. pydantic's min_length would not count invalid items."""
    if not items:
        raise _refusal("WRONG_VALUE", "must have at least 1 item")
    return items


_NOT_EMPTY = AfterValidator(_at_least_one)
PackageVersion = Annotated[StrictStr, _reading(canonical_package_version)]
OsVersion = Annotated[StrictStr, _reading(versions.canonical_target_version, stored_too=False)]
Architecture = Annotated[StrictStr, _reading(versions.parse_architecture)]
TargetFamily = Annotated[StrictStr, _reading(versions.parse_target_family)]
Architectures = Annotated[
    tuple[Architecture, ...], _NOT_EMPTY, Field(json_schema_extra={"minItems": 1})
]
PackageTargets = Annotated[
    dict[TargetFamily, OsVersion], _NOT_EMPTY, Field(json_schema_extra={"minProperties": 1})
]
Market = Annotated[StrictStr, _reading(wire.market_of)]
CatalogMoment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment_from_text),
    AfterValidator(lambda moment: moment.astimezone(UTC)),
    PlainSerializer(
        lambda moment: moment.isoformat().replace("+00:00", "Z"), return_type=str, when_used="json"
    ),
]
GroupId = Annotated[StrictStr, Field(min_length=1, max_length=100)]
Name = Annotated[StrictStr, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
FlightId = Annotated[StrictStr, Field(pattern=ID_PATTERN)]

"""The format of a scenario file. file.py and state_sources.py check the contents of its texts."""

import json
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from eligibility.access.codes import AccountKind, Action, Reason
from eligibility.catalog.field_types import Architecture, CatalogMoment, GroupId, PackageVersion
from eligibility.catalog.files import GroupDeclaration
from eligibility.catalog.model import Product
from eligibility.formats.pydantic_faults import FIELDS, LIST, TEXT, kind_of
from eligibility.rules.requirements import AppliesTo

_Text = Annotated[StrictStr, Field(min_length=1, max_length=1_000)]
_Sentence = Annotated[
    StrictStr, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")
]
_Version = Annotated[  # YAML reads a build such as 22631 as a number
    _Text,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    WithJsonSchema({"type": ["string", "integer"]}),
]


def _at_least_one(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse an empty list. `min_length` would ignore invalid items, and report a second error."""
    if not items:
        raise PydanticCustomError("NOTHING_LISTED", "lists nothing")
    return items


_NOT_EMPTY = AfterValidator(_at_least_one)
_MIN_ITEMS = Field(json_schema_extra={"minItems": 1})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeviceDocument(_Strict):
    """A device, described by its fields."""

    family: _Text = Field(description="Windows.Desktop, Xbox, ...")
    os_version: _Version = Field(description="10.0.22631.3007, a build, a release, or decimal")
    architecture: _Text | None = Field(None, description="x64, arm64, x86, arm; null = unknown")


_Device = Annotated[
    Annotated[_Text, Tag(TEXT)] | Annotated[DeviceDocument, Tag(FIELDS)],
    Discriminator(kind_of),
]
_Devices = Annotated[
    Annotated[_Text, Tag(TEXT)]
    | Annotated[DeviceDocument, Tag(FIELDS)]
    | Annotated[tuple[_Device, ...], _NOT_EMPTY, _MIN_ITEMS, Tag(LIST)],
    Discriminator(kind_of),
]
_Accounts = Annotated[
    Annotated[_Text | None, Tag(TEXT)]
    | Annotated[tuple[_Text | None, ...], _NOT_EMPTY, _MIN_ITEMS, Tag(LIST)],
    Discriminator(kind_of),
]


class QueryDocument(_Strict):
    """The query of a case: account, product, device and time. `defaults` can have each field."""

    product: _Text | None = Field(None, description="Store id of the product")
    change: dict[str, Any] = Field(
        {}, description="Changes to the product: dotted path and new value"
    )
    account: _Accounts = Field(
        None,
        description="An address, null (nobody signed in), or a list: the case must hold for each",
    )
    kind: AccountKind = Field(AccountKind.MICROSOFT, description="Kind of the account")
    aliases: tuple[_Text, ...] = Field((), description="Further addresses of the account")
    in_: tuple[GroupId, ...] = Field(
        (),
        alias="in",
        description="The groups that the account is in; default: the groups that list it",
    )
    device: _Devices | None = Field(
        None,
        description="A device, its name in `devices`, family/os_version/architecture, a preset of"
        " config/releases.toml, or a list of these: the case must hold for each",
    )
    now: CatalogMoment | None = Field(None, description="The moment of the query; default: now")
    installed_version: PackageVersion | None = Field(None, description="null = not installed")
    owned: StrictBool | None = Field(
        None, description="The account acquired the product before; default: if it is installed"
    )
    market: _Text | None = Field(None, description="Two letters; null = not known")
    promotional_code: StrictBool = Field(False, description="The account holds a code")
    manual_check: StrictBool = Field(False, description='"Check for updates" was pressed')
    rollout_applies_to: AppliesTo | None = Field(
        None, description="Whom rollouts apply to, if different from requirements.toml"
    )


class RemedyFields(_Strict):
    """Expected fields of the first remedy. A missing field allows any value."""

    action: Action | None = None
    unlocks: Literal["submission", "package", "flight"] | None = None
    flights: tuple[_Text, ...] = ()
    groups: tuple[_Text, ...] = ()
    families: tuple[_Text, ...] = ()
    architectures: tuple[_Text, ...] = ()
    markets: tuple[_Text, ...] = ()
    os_version: _Text | None = None
    release: _Text | None = None
    at: CatalogMoment | None = None


class ExpectDocument(_Strict):
    """The expected decision. A missing field allows any value; null requires no value."""

    granted: StrictBool | None = Field(None, description="Listing and package, both")
    source: _Text | None = Field(None, description="Id of the flight, or `submission`")
    version: PackageVersion | None = Field(None, description="Version of the package")
    action: Literal["install", "update", "keep", "none"] | None = None
    reasons: tuple[Reason, ...] = Field(
        (), description="All reasons for a denial, in order; if granted, those of the package half"
    )
    submission: tuple[Reason, ...] = Field((), description="All reasons of the submission half")
    package: tuple[Reason, ...] = Field((), description="All reasons of the package half")
    audience: Literal["public", "private"] | None = None
    listing: Literal["searchable", "link_only", "hidden"] | None = None
    rank: StrictInt | None = Field(None, description="Rank of the source; 1 = non-flighted")
    file_name: _Text | None = None
    architecture: Architecture | None = Field(
        None, description="The architecture of the package that would run"
    )
    delivery: Literal["automatic", "manual"] | None = None
    remedies: tuple[Action, ...] = Field((), description="What helps, in order")
    remedy: RemedyFields = Field(RemedyFields(), description="Fields of the first remedy")
    settling: Literal["added", "removed"] | None = Field(
        None, description="The change of membership that the Store itself may not have applied yet"
    )


class CaseDocument(QueryDocument):
    """A case: a query and the expected decision."""

    case: _Sentence = Field(description="What the case shows, in one sentence; unique in the file")
    expect: ExpectDocument


class CatalogDocument(_Strict):
    """The catalogue of the cases: from files, from this file, or else from the live store."""

    store: Literal["live"] | None = Field(None, description="Query the store that --store names")
    catalog: _Text | None = Field(
        None, description="File or directory of a catalogue, relative to the directory of this file"
    )
    publisher: _Text | None = Field(None, description="Publisher of `groups` and `products`")
    groups: dict[GroupId, GroupDeclaration] = Field(
        {}, description="As in a catalogue file; replaces the catalogue's group of the same id"
    )
    products: dict[str, Product] = Field({}, description="As in a catalogue file")
    requirements: _Text | None = Field(
        None, description="File with other OS floors, in the format of requirements.toml"
    )


class ScenarioDocument(_Strict):
    """Test cases of what accounts get on devices. Run them with `eligibility test`."""

    title: _Sentence = Field(description="What the file is about")
    about: _Text = Field("", description="What a reader should know before the cases")
    rules: _Text = Field("", description="Where the rules are documented")
    given: CatalogDocument = CatalogDocument()
    devices: dict[str, DeviceDocument] = Field(
        {}, description="Devices, by the names that the cases use"
    )
    defaults: QueryDocument = Field(
        QueryDocument(), description="Values for the fields that a case does not set"
    )
    cases: Annotated[tuple[CaseDocument, ...], _NOT_EMPTY, _MIN_ITEMS]


SCHEMA = "scenario.schema.json"
"""File name of the JSON schema in config/."""


def schema() -> dict[str, Any]:
    """Build the JSON schema. It does not check which addresses, devices and groups exist."""
    schema = ScenarioDocument.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Return the JSON schema as the text of its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"

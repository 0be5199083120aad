"""Messages about wrong types are in plain English: no word of Python, pydantic or msgspec."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, StrictBool, StrictInt, StrictStr, ValidationError

from eligibility.access import wire
from eligibility.catalog.validation import read_product
from eligibility.errors import Fault, InvalidInput, InvalidSettings
from eligibility.formats.pydantic_faults import pydantic_faults
from eligibility.server.api import group_bodies
from eligibility.service.settings import PREFIX, Settings
from eligibility.service.settings_sources import load_settings
from eligibility.standards import ofrep

WRONG = [None, True, 7, 1.5, "x", "", "true", [], [None], [7, "x"], {}, {"a": 1}, -1, 2**60, 1e300]
OF_A_PROGRAM = re.compile(
    r"\b(bool|str|int|float|tuple|dict|None|NoneType|instance of|Input|Value error|String|List"
    r"|[Dd]ictionary|array|should|pydantic|msgspec|Expected|constrained|parse|validation)\b"
    r"|\[\w+\]|<\w+>"
)

PACKAGE = {
    "file_name": "a.msix",
    "version": "1.0.0.0",
    "architectures": ["x64"],
    "targets": {"Windows.Desktop": "10.0.17763.0"},
}
ROLLOUT = {
    "percentage": 5,
    "status": "halted",
    "previous_packages": [PACKAGE],
    "newest_on_manual_check": True,
}
SOURCE = {"packages": [PACKAGE], "rollout": ROLLOUT}
PRODUCT = {
    "name": "App",
    "availability": "available",
    "markets": ["US"],
    "submission": {
        "audience": "private",
        "audience_groups": ["beta"],
        "public_at": "2030-01-01T00:00:00Z",
        "discoverability": "searchable",
        "device_families": ["Windows.Desktop"],
        **SOURCE,
    },
    "flights": [
        {
            "flight_id": "f",
            "name": "F",
            "groups": ["beta"],
            "publish_at": "2030-01-01T00:00:00Z",
            **SOURCE,
        }
    ],
}
QUERY = {
    "product_id": "A",
    "device": {"family": "desktop", "os_version": "22631", "architecture": "x64"},
    "account": {"id": "a@b.example", "kind": "microsoft", "aliases": ["b@b.example"]},
    "installed_version": "1.0.0.0",
    "owned": True,
    "market": "US",
    "promotional_code": True,
    "manual_check": True,
    "at": "2030-01-01T00:00:00Z",
    "consistency": "strong",
    "at_least_revision": {"groups": 1, "catalog": 1},
}
BODIES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (
        group_bodies.GroupCreate,
        {"name": "a", "emails": ["a@b.example"], "group_id": "a"},
    ),
    (group_bodies.MembersPatch, {"add": ["a@b.example"], "remove": "a@b.example"}),
    (group_bodies.MembersPut, {"emails": ["a@b.example"]}),
    (group_bodies.MembersSearch, {"prefix": "a", "at": "2030-01-01T00:00:00Z", "limit": 1}),
    (group_bodies.HistorySearch, {"address": "a", "cursor": "1", "limit": 1}),
    (group_bodies.ConsentNote, {"confirmed_by": "a", "at": "2030-01-01T00:00:00Z", "text": ""}),
    (group_bodies.ForgetBody, {"address": "a", "replacement": "b", "dry_run": True}),
]


def with_wrong_values(value: Any) -> Iterator[tuple[str, Any]]:
    """Every field of a value in turn, with every wrong value in its place."""
    for path in paths(value):
        for wrong in WRONG:
            changed = json.loads(json.dumps({"": value}))
            *above, last = ("", *path)
            inner: Any = changed
            for part in above:
                inner = inner[part]
            inner[last] = wrong
            yield ".".join(map(str, path)), changed[""]


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    names = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for name in names:
        yield from paths(value[name], (*above, name))


def assert_plain(path: str, faults: list[Fault]) -> None:
    """The faults are of the field, or of what is above or below it, and say what would be right."""
    assert faults
    for fault in faults:
        said = re.sub("`[^`]*`", "", fault.detail)  # what the person sent, or may send
        assert not OF_A_PROGRAM.search(said), fault
        assert not re.search(r"[\[<]", fault.loc), fault
        assert fault.loc.startswith(path) or path.startswith(fault.loc), fault
        assert fault.detail


def test_of_a_product() -> None:
    for path, body in with_wrong_values(PRODUCT):
        try:
            read_product(body)
        except InvalidInput as error:
            assert_plain(path, error.faults)


@pytest.mark.parametrize(
    ("model", "right"), BODIES, ids=lambda value: getattr(value, "__name__", "")
)
def test_of_a_group_body(model: type[BaseModel], right: dict[str, Any]) -> None:
    for path, body in with_wrong_values(right):
        try:
            model.model_validate(body)
        except ValidationError as error:
            assert_plain(path, pydantic_faults(error))


def test_of_an_access_query() -> None:
    for path, body in with_wrong_values(QUERY):
        try:
            wire.to_query(wire.decode_query(json.dumps(body).encode()))
        except InvalidInput as error:
            assert_plain(path, error.faults)


def test_of_a_flag_request() -> None:
    context = dict.fromkeys(("targetingKey", "accountToken", "publisher", "owned", "market"), "x")
    for _, body in with_wrong_values({"context": context}):
        try:
            ofrep.read_request(json.dumps(body).encode())
        except ofrep.FlagError as error:
            assert_plain("", [Fault("", "", str(error))])


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "[]", "", "true", "{}", "null"])
def test_of_a_setting(value: str) -> None:
    for name in Settings.model_fields:
        try:
            load_settings({f"{PREFIX}{name.upper()}": value})
        except InvalidSettings as error:
            assert_plain("", error.faults)


class _Everything(BaseModel):
    text: StrictStr = ""
    short: Annotated[StrictStr, Field(min_length=1, max_length=2, pattern="^[a-z]+$")] = "a"
    flag: StrictBool = True
    number: Annotated[StrictInt, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0.0, lt=1.5, strict=True, allow_inf_nan=False)] = 1
    several: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("text", 5, "must be a text, not `5`"),
        ("flag", "true", 'must be true or false, not `"true"`'),
        ("number", "3", 'must be a whole number, not `"3"`'),
        ("number", 10, "must be at most 9, not `10`"),
        ("short", "", "must not be empty, not ``"),
        ("short", "abc", "must have at most 2 characters, not `abc`"),
        ("short", "1", "must match the pattern `^[a-z]+$`, not `1`"),
        ("share", 0, "must be more than 0, not `0`"),
        ("share", 1.5, "must be less than 1.5, not `1.5`"),
        ("several", None, "must be a list, not `null`"),
        ("several", [], "must not be empty, not `[]`"),
        ("several", [1, 2, 3], "must have at most 2 items, not `[1,2,3]`"),
    ],
)
def test_what_is_said(field: str, value: Any, detail: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Everything.model_validate({field: value})
    assert [fault.detail for fault in pydantic_faults(caught.value)] == [detail]


def test_addresses_are_a_text_or_a_list() -> None:
    with pytest.raises(ValidationError) as caught:
        group_bodies.GroupCreate.model_validate({"name": "a", "emails": ["a@b.example", 5]})
    assert [(f.loc, f.detail) for f in pydantic_faults(caught.value)] == [
        ("emails.1", "must be a text, not `5`")
    ]


@pytest.mark.parametrize(
    ("subject", "said"),
    [("the devices", "the devices are not"), ("the request", "the request is not")],
)
def test_subjects_are_one_or_several(subject: str, said: str) -> None:
    assert str(InvalidInput([Fault("a", "B", "c")], subject)) == f"{said} valid: a: c"

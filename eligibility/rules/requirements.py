"""Reader of config/requirements.toml: the OS floors of flights, private audiences and rollouts.

The file is read once, at start-up. If it is invalid, all its faults are reported and nothing starts.
Source of the rules: design section 3, "Floors"; comments in the file cite the pages.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from eligibility.errors import Fault, InvalidInput, InvalidSettings
from eligibility.resources import config_dir
from eligibility.windows.versions import (
    check_version_prefix,
    is_known_family,
    parse_family,
    parse_target_version,
    version_of,
    version_text,
)

ANY_FAMILY = "*"
ANY_VERSION = "any"
AppliesTo = Literal["existing_installs", "everyone"]

_RULES = ("flight", "private_audience", "rollout")
_APPLIES_TO = ("existing_installs", "everyone")


class Floor(StrEnum):
    """Result of comparing a device with a rule's floor."""

    MET = "met"
    BELOW = "below"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Rule:
    """One rule. floors: family (or `*`) -> versions that meet the floor, None = any version."""

    name: str
    floors: Mapping[str, SpecifierSet | None]

    def check(self, family: str, version: Version) -> Floor:
        """Compare a device with the floor. An unknown family is unsupported, even by `*`."""
        if not self._covers(family):
            return Floor.UNSUPPORTED
        floor = self._floor(family)
        return Floor.MET if floor is None or _meets(floor, version) else Floor.BELOW

    def minimum(self, family: str) -> Version | None:
        """The lowest version that meets the family's floor. None if the floor has no lower bound."""
        floor = self._floor(family) if self._covers(family) else None
        bounds = [s.version for s in floor or () if s.operator in (">=", "==", "~=")]
        return max((version_of(text.removesuffix(".*")) for text in bounds), default=None)

    def families(self) -> tuple[str, ...]:
        """Families that the rule names, in the order of the file, without `*`."""
        return tuple(family for family in self.floors if family != ANY_FAMILY)

    def _covers(self, family: str) -> bool:
        return family in self.floors or (ANY_FAMILY in self.floors and is_known_family(family))

    def _floor(self, family: str) -> SpecifierSet | None:
        return self.floors[family if family in self.floors else ANY_FAMILY]


@dataclass(frozen=True)
class Requirements:
    """All floors. rollout_applies_to: to whom a rollout's percentage applies (GPR)."""

    flight: Rule
    private_audience: Rule
    rollout: Rule
    rollout_applies_to: AppliesTo


def load_requirements(path: Path | None = None) -> Requirements:
    """Read the floors from a file, by default the packaged file. Raises InvalidSettings."""
    path = path or config_dir() / "requirements.toml"
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(str(path), [Fault("", "UNREADABLE", str(error))]) from None
    return parse_requirements(text, str(path))


def parse_requirements(text: str, source: str) -> Requirements:
    """Read the floors from TOML text. Raises InvalidSettings with `source` and every fault."""
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings(source, [Fault("", "NOT_TOML", str(error))]) from None
    return requirements_of(read, source)


def requirements_of(read: Mapping[str, Any], source: str) -> Requirements:
    """Read the floors from parsed TOML. Raises InvalidSettings with `source` and every fault."""
    faults = [
        Fault(name, "UNKNOWN_RULE", f"unknown rule; the rules are {', '.join(_RULES)}")
        for name in read
        if name not in _RULES
    ]
    rules = {name: _rule(name, read.get(name), faults) for name in _RULES}
    applies_to = _applies_to(read.get("rollout"), faults)
    if faults:
        raise InvalidSettings(source, faults)
    return Requirements(
        rules["flight"], rules["private_audience"], rules["rollout"], cast("AppliesTo", applies_to)
    )


@lru_cache(maxsize=65_536)
def _meets(floor: SpecifierSet, version: Version) -> bool:
    return floor.contains(version)


def _rule(name: str, table: Any, faults: list[Fault]) -> Rule:
    if not isinstance(table, dict):
        detail = "missing" if table is None else f"must be a table, not `{table}`"
        faults.append(Fault(name, "MISSING_RULE" if table is None else "WRONG_TYPE", detail))
        return Rule(name, {})
    floors: dict[str, SpecifierSet | None] = {}
    for key, value in table.items():
        if (name, key) == ("rollout", "applies_to"):
            continue
        loc = f"{name}.{key}"
        try:
            family = ANY_FAMILY if key == ANY_FAMILY else _known_family(key)
            if family in floors:
                raise _Wrong("DUPLICATE_FAMILY", f"{family} is named twice")
            floors[family] = _specifiers(value)
        except _Wrong as wrong:
            faults.append(Fault(loc, wrong.code, str(wrong)))
    if not floors and not faults:
        faults.append(Fault(name, "EMPTY_RULE", "names no device family"))
    return Rule(name, floors)


class _Wrong(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def _known_family(text: str) -> str:
    try:
        family = parse_family(text)
    except InvalidInput as error:
        raise _Wrong("UNKNOWN_FAMILY", error.faults[0].detail) from None
    if not is_known_family(family):
        raise _Wrong("UNKNOWN_FAMILY", f"`{text}` is not a known device family")
    return family


def _specifiers(value: Any) -> SpecifierSet | None:
    """Read a version specifier and extend its versions to four parts. None for "any"."""
    if value == ANY_VERSION:
        return None
    right = 'write a version specifier, as in ">=10.0.14393", or "any"'
    if not isinstance(value, str):
        raise _Wrong("WRONG_TYPE", f"`{value}` is not a text: {right}")
    try:
        parts = list(_four_parts(SpecifierSet(value)))
    except InvalidSpecifier:
        raise _Wrong("BAD_SPECIFIER", f"`{value}` cannot be read: {right}") from None
    except InvalidInput as error:
        detail = f"`{value}` cannot be read: {error.faults[0].detail}"
        raise _Wrong("BAD_SPECIFIER", detail) from None
    if not parts:
        raise _Wrong("BAD_SPECIFIER", f"`{value}` says nothing: {right}")
    return SpecifierSet(",".join(parts))


def _four_parts(specifiers: SpecifierSet) -> Iterator[str]:
    for specifier in specifiers:
        version = specifier.version
        if version.endswith(".*") or specifier.operator == "~=":
            check_version_prefix(version.removesuffix(".*"))
        else:
            version = version_text(parse_target_version(version))
        yield f"{specifier.operator}{version}"


def _applies_to(table: Any, faults: list[Fault]) -> str:
    value = table.get("applies_to", _APPLIES_TO[0]) if isinstance(table, dict) else _APPLIES_TO[0]
    if value not in _APPLIES_TO:
        detail = f"`{value}` is not one of {', '.join(_APPLIES_TO)}"
        faults.append(Fault("rollout.applies_to", "WRONG_VALUE", detail))
    return str(value)

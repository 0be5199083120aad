"""load_settings: read settings from the command line, the environment, a file and the defaults.

The first of these sources that has a value is used. One error lists all unknown names and invalid
values, so a program that starts has valid settings.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eligibility.errors import Fault, InvalidSettings
from eligibility.formats.pydantic_faults import expectation
from eligibility.resources import config_dir
from eligibility.service.settings import PREFIX, Settings

FILE_VARIABLE = f"{PREFIX}SETTINGS"


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings of a process. origins: the source of each value by name, such as `environment`."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    file: Path | None = None,
) -> LoadedSettings:
    """Read the settings of this process from all sources.

    Args: environ = environment variables; overrides = values from the command line, None if not given;
        file = settings file; by default the file that ELIGIBILITY_SETTINGS names, if any.
    Raises: InvalidSettings that lists every fault.
    """
    options = {name: value for name, value in (overrides or {}).items() if value is not None}
    path = file or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    layers: list[tuple[str, Mapping[str, Any]]] = [
        ("packaged default", _file(config_dir() / "settings.toml"))
    ]
    if path is not None:
        layers.append((f"file {path}", _file(path)))
    variables = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name != FILE_VARIABLE
    }
    layers += [("environment", variables), ("command line", options)]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for origin, layer in layers:
        values.update(layer)
        origins.update(dict.fromkeys(layer, origin))
    return LoadedSettings(_validated(values, origins), origins)


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:  # ValueError: bad TOML or bad UTF-8
        raise InvalidSettings(str(path), [Fault("", "UNREADABLE", str(error))]) from None


def _validated(values: dict[str, Any], origins: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise InvalidSettings("settings", [_fault(item, origins) for item in details]) from None


def _fault(details: Mapping[str, Any], origins: Mapping[str, str]) -> Fault:
    loc = [str(part) for part in details["loc"]]
    code = "UNKNOWN_SETTING" if details["type"] == "extra_forbidden" else "WRONG_VALUE"
    origin = origins.get(loc[0], "default")
    return Fault(".".join(loc), code, f"{expectation(details)} ({origin})")

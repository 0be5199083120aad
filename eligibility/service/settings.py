"""Every knob, read once at start-up: command line over environment over file over packaged default.

Unknown names are refused, and all faults named at once; a program that starts has good settings.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import Field, IPvAnyNetwork, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from eligibility.callers.issuers import (
    AccountIssuer,
    CallerIssuer,
    check_each_once,
    check_told_apart,
    is_loopback,
)
from eligibility.callers.provider import SignInProvider
from eligibility.errors import Fault, InvalidSettings
from eligibility.resources import config_dir
from groups.open import shown

PREFIX = "ELIGIBILITY_"
FILE_VARIABLE = f"{PREFIX}SETTINGS"
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(?::[0-9]{1,5})?|https://\[[0-9a-f:.]+\](?::[0-9]{1,5})?")


def default_store() -> str:
    """Where the embedded store is unless told otherwise: the platform's directory for user data."""
    return f"sqlite:///{user_data_path('eligibility', appauthor=False) / 'eligibility.db'}"


class Settings(BaseSettings):
    """The settings in force. Each field's description is its documentation (docs/settings.md)."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX)

    store: str = Field(
        default_factory=default_store,
        description="Store URL: sqlite:///path of the file that holds groups and catalogue, or"
        " redis://, redis+cluster://, redis+sentinel:// (with TLS rediss) of a server.",
    )
    store_password_file: Path | None = Field(
        None, description="File with the password of a store server, for a URL without one."
    )
    host: str = Field("127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(
        8080, ge=0, le=65_535, description="Port that `serve` listens on; 0 = any free one."
    )
    workers: int = Field(1, ge=1, le=256, description="Server processes; they share the port.")
    requirements: Path | None = Field(
        None, description="File with the OS floors, in place of the packaged requirements.toml."
    )
    max_staleness_seconds: int = Field(
        1_800,
        ge=0,
        description="How long answers go on from memory while the store is away, in seconds.",
    )
    max_body_bytes: int = Field(
        1_048_576,
        ge=1_024,
        description="Largest request body, in bytes, where no members are uploaded.",
    )
    max_upload_bytes: int = Field(
        4_194_304,
        ge=1_024,
        description="Largest request body, in bytes, where members are uploaded.",
    )
    max_upload_bytes_under_way: int = Field(
        67_108_864,
        ge=1_048_576,
        description="Bytes of large bodies that one server process receives at a time; beyond, 503.",
    )
    max_requests_under_way: int = Field(
        1_000,
        ge=1,
        description="Requests that one server process has under way at a time; beyond, 503.",
    )
    request_timeout_seconds: int = Field(
        30,
        ge=1,
        description="How long a request may take to arrive, and an answer to be taken, in seconds;"
        " slower clients are cut off.",
    )
    rate_limit: int = Field(
        0,
        ge=0,
        description="Queries and requests a second of one caller to one server process; 0 = any"
        " number. A key may have a limit of its own.",
    )
    account_rate_limit: int = Field(
        20,
        ge=0,
        description="The same for an account that asks for itself with its own token.",
    )
    ofrep_bulk_products: int = Field(
        200,
        ge=1,
        description="Products that a bulk answer of OFREP tells the flags of; of more it says that"
        " it is truncated.",
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file with the certificate chain, for TLS without a proxy."
    )
    tls_key: Path | None = Field(
        None,
        validate_default=True,
        description="PEM file with the private key of the certificate.",
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="Addresses or networks of proxies that terminate TLS and whose X-Forwarded-For"
        " and X-Forwarded-Proto are believed; from the environment separated by commas.",
    )
    public_url: str | None = Field(
        None,
        description="The https URL that clients reach this server at, without path: for documents that"
        " tell where its endpoints are. Without it there are none.",
    )
    authzen_subject_search: bool = Field(
        False,
        description="Offer AuthZEN's subject search, which lists addresses of members to callers with"
        " groups:read.",
    )
    activity_days: int = Field(
        30,
        ge=0,
        le=3_650,
        description="How many days it is kept what was asked and answered: counts, and the last answer"
        " of each member; 0 = nothing is kept.",
    )
    metrics_public: bool = Field(
        False,
        description="Whether anybody may read /metrics; else callers with the scope `metrics`.",
    )
    traces_to: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="URL that OpenTelemetry traces are sent to (OTLP over HTTP, as"
        " http://collector:4318/v1/traces); without it there are none. Needs the extra `tracing`.",
    )
    traces_share: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Of the requests that begin a trace, the share that is traced; others are as their"
        " sender says.",
    )
    log_access: bool = Field(
        False, description="Log access queries that were answered, too; each is a line."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="Form of the log: `auto` is text on a terminal, else JSON lines."
    )
    issuers: tuple[CallerIssuer, ...] = Field(
        (),
        description="Authorization servers whose access tokens name services, one TOML table each"
        " (from the environment as JSON text): docs/security.md.",
    )
    account_issuers: tuple[AccountIssuer, ...] = Field(
        (),
        description="OpenID providers whose ID tokens name accounts, one TOML table each"
        " (from the environment as JSON text): docs/security.md.",
    )

    dashboard_provider: SignInProvider | None = Field(
        None,
        description="OpenID provider that people sign in to the dashboard with, a TOML table"
        " (from the environment as JSON text): docs/security.md.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings passes them by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what load_settings found: a second look at the environment would read lists as JSON."""
        return (init_settings,)

    def store_password(self) -> str | None:
        """The password that `store_password_file` holds. Raises: InvalidSettings."""
        return _secret(self.store_password_file, "store_password_file")

    def provider_secret(self) -> str | None:
        """The secret that the provider knows this server by, if it has one. Raises: InvalidSettings."""
        declared = self.dashboard_provider
        file = declared.client_secret_file if declared else None
        return _secret(file, "dashboard_provider.client_secret_file")

    def provider_binding(self) -> str:
        """What sessions of the dashboard are bound to beside the store's own key; "" without a provider.

        So whoever reads the store, but not the provider's secret, cannot make one.
        """
        declared = self.dashboard_provider
        if declared is None:
            return ""
        return "\n".join((declared.issuer, declared.client_id, self.provider_secret() or ""))

    def shown(self) -> dict[str, Any]:
        """The settings as they may be printed: JSON values, without a password."""
        return {**self.model_dump(mode="json"), "store": shown(self.store)}

    @field_validator("issuers", "account_issuers", "dashboard_provider", mode="before")
    @classmethod
    def _from_json(cls, sent: Any) -> Any:
        try:
            return json.loads(sent) if isinstance(sent, str) else sent
        except ValueError as error:
            raise ValueError(f"no JSON: {error}") from None

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _from_commas(cls, sent: Any) -> Any:
        return [one.strip() for one in sent.split(",")] if isinstance(sent, str) else sent

    @field_validator("tls_key")
    @classmethod
    def _with_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if (key is None) != (info.data.get("tls_certificate") is None):
            raise ValueError("tls_certificate and tls_key go together")
        return key

    @field_validator("public_url")
    @classmethod
    def _is_an_https_origin(cls, url: str | None) -> str | None:
        if url is not None and not _ORIGIN.fullmatch(url):
            raise ValueError("write it as https://store.example.com, without path and last slash")
        return url

    @field_validator("issuers")
    @classmethod
    def _issuers_differ(cls, issuers: tuple[CallerIssuer, ...]) -> tuple[CallerIssuer, ...]:
        check_each_once(issuers)
        return issuers

    @field_validator("account_issuers")
    @classmethod
    def _account_issuers_differ(
        cls, issuers: tuple[AccountIssuer, ...], info: ValidationInfo
    ) -> tuple[AccountIssuer, ...]:
        check_each_once(issuers)
        check_told_apart(info.data.get("issuers", ()), issuers)
        return issuers

    @field_validator("dashboard_provider")
    @classmethod
    def _provider_can_be_used(
        cls, provider: SignInProvider | None, info: ValidationInfo
    ) -> SignInProvider | None:
        there = info.data.get("public_url") or is_loopback(info.data.get("host", ""))
        if provider is not None and not there:
            raise ValueError("public_url is needed: the provider sends people back to it")
        if provider is not None and find_spec("authlib") is None:
            raise ValueError("needs the extra: pip install flight-eligibility[oidc]")
        return provider

    @field_validator("store")
    @classmethod
    def _store_is_a_url(cls, store: str) -> str:
        if "://" not in store:
            raise ValueError("a store URL is needed, as in sqlite:///eligibility.db")
        return store


def _secret(file: Path | None, name: str) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings("settings", [Fault(name, "UNREADABLE", str(error))]) from None


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings in force, and for each field where its value comes from."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    file: Path | None = None,
) -> LoadedSettings:
    """Read the settings.

    Args: environ = the process environment; overrides = command-line values, None = not given;
    file = settings file, by default the one that ELIGIBILITY_SETTINGS names.
    Raises: InvalidSettings naming every fault.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    named = file or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    layers: list[tuple[str, Mapping[str, Any]]] = [
        ("packaged default", _file(config_dir() / "settings.toml"))
    ]
    if named is not None:
        layers.append((f"file {named}", _file(named)))
    layers += [("environment", _environment(environ)), ("command line", given)]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for origin, layer in layers:
        values.update(layer)
        origins.update(dict.fromkeys(layer, origin))
    return LoadedSettings(_validated(values, origins), origins)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name != FILE_VARIABLE
    }


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:  # ValueError: bad TOML or bad UTF-8
        raise InvalidSettings(str(path), [Fault("", "UNREADABLE", str(error))]) from None


def _validated(values: dict[str, Any], origins: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        faults = [
            Fault(
                ".".join(map(str, details["loc"])),
                "UNKNOWN_SETTING" if details["type"] == "extra_forbidden" else "WRONG_VALUE",
                f"{details['msg']} ({origins.get(str(details['loc'][0]), 'default')})",
            )
            for details in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidSettings("settings", faults) from None

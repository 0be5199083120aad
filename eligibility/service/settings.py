"""Settings: every option of the service, with checks. settings_sources.py reads the values."""

import ast
import inspect
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from eligibility.callers.issuers import check_audiences_differ, is_loopback
from eligibility.errors import Fault, InvalidSettings
from eligibility.service import setting_types as types
from groups.list_headers import HeaderRanks, header_ranks
from groups.open import shown

PREFIX = "ELIGIBILITY_"


def default_store() -> str:
    """Return the URL of the default SQLite store, in the platform's directory for user data."""
    return f"sqlite:///{user_data_path('eligibility', appauthor=False) / 'eligibility.db'}"


class Settings(BaseModel):
    """All settings of a process. docs/settings.md is generated from the docstrings below the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: types.StoreUrl = Field(default_factory=default_store)
    """Store URL: sqlite:///path of a file, or redis://, redis+cluster:// or redis+sentinel:// for a
    server (rediss with TLS)."""
    store_password_file: Path | None = None
    """File with the password of the store server, used if the URL has none."""
    host: str = "127.0.0.1"
    """Address that `serve` listens on."""
    port: int = Field(8080, ge=0, le=65_535)
    """Port that `serve` listens on; 0 = any free port."""
    workers: int = Field(1, ge=1, le=256)
    """Number of server processes, which share the port."""
    requirements: Path | None = None
    """File with the OS floors (minimum OS versions), instead of the packaged requirements.toml."""
    list_headers: Path | None = None
    """File with further names of columns with addresses, in the form of the packaged
    list_headers.toml, for files of members in other languages."""
    max_staleness_seconds: int = Field(1_800, ge=0)
    """How long the server answers from memory while the store is unavailable, in seconds."""
    max_body_bytes: int = Field(1_048_576, ge=1_024)
    """Largest request body, in bytes, except where members are uploaded."""
    max_upload_bytes: int = Field(4_194_304, ge=1_024)
    """Largest request body, in bytes, where members are uploaded."""
    max_upload_bytes_under_way: int = Field(67_108_864, ge=1_048_576)
    """Total bytes of large bodies that one server process receives at the same time; requests above
    the limit get 503."""
    max_requests_under_way: int = Field(1_000, ge=1)
    """Requests that one server process handles at the same time; requests above the limit get 503."""
    request_timeout_seconds: int = Field(30, ge=1)
    """How long a client may take to send a request or to receive a response, in seconds; slower
    clients are disconnected."""
    rate_limit: int = Field(0, ge=0)
    """Queries and other requests per second that one caller may send to one server process; 0 = no
    limit. An API key may have its own limit."""
    account_rate_limit: int = Field(20, ge=0)
    """The same limit for an account that queries about itself with its own token."""
    ofrep_bulk_products: int = Field(200, ge=1)
    """Largest number of products in one bulk response of OFREP; if there are more, the response is
    marked as truncated."""
    tls_certificate: Path | None = None
    """PEM file with the certificate chain, for TLS without a proxy."""
    tls_key: Path | None = Field(None, validate_default=True)
    """PEM file with the private key of the certificate."""
    trusted_proxies: types.Networks = ()
    """Addresses or networks of proxies that terminate TLS and whose X-Forwarded-For and
    X-Forwarded-Proto are trusted; in the environment separated by commas."""
    public_url: types.HttpsOrigin | None = None
    """The https URL at which clients reach this server, without a path. Without it, the server does not
    offer the metadata documents that contain URLs of its endpoints."""
    authzen_subject_search: bool = False
    """Offer AuthZEN's subject search, which lists members' addresses to callers with groups:read."""
    activity_days: int = Field(30, ge=0, le=3_650)
    """How many days activity is kept: counts of answers, and the last answer to each member; 0 =
    nothing is kept."""
    metrics_public: bool = False
    """Allow anybody to read /metrics; otherwise the caller needs the scope `metrics`."""
    traces_to: str | None = Field(None, pattern=r"^https?://\S+$")
    """URL that receives OpenTelemetry traces (OTLP over HTTP, as in
    http://collector:4318/v1/traces); without it nothing is traced. Needs the extra `tracing`."""
    traces_share: float = Field(0.01, ge=0, le=1)
    """Fraction (0 to 1) of requests without trace headers that are traced; for a request with trace
    headers, the sender decides."""
    log_access: bool = False
    """Also log every answered access query, one line each."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """Format of the log: `auto` writes text on a terminal and JSON lines elsewhere."""
    issuers: types.CallerIssuers = ()
    """Authorization servers whose access tokens identify services, one TOML table each (in the
    environment as JSON text); see docs/security.md."""
    account_issuers: types.AccountIssuers = ()
    """OpenID providers whose ID tokens identify accounts, one TOML table each (in the environment as
    JSON text); see docs/security.md."""
    dashboard_provider: types.DashboardProvider = None
    """OpenID provider with which people sign in to the dashboard, a TOML table (in the environment as
    JSON text); see docs/security.md."""

    def store_password(self) -> str | None:
        """Read the password of the store server; None without a file. Raises: InvalidSettings."""
        return _secret(self.store_password_file, "store_password_file")

    def header_ranks(self) -> HeaderRanks:
        """Read the names of columns with addresses. Raises: InvalidSettings."""
        try:
            return header_ranks(self.list_headers)
        except (OSError, ValueError) as error:
            fault = Fault("list_headers", "UNREADABLE", f"`{self.list_headers}`: {error}")
            raise InvalidSettings("settings", [fault]) from None

    def provider_secret(self) -> str | None:
        """Read the client secret of the dashboard's provider, or None. Raises: InvalidSettings."""
        declared = self.dashboard_provider
        file = declared.client_secret_file if declared else None
        return _secret(file, "dashboard_provider.client_secret_file")

    def provider_binding(self) -> str:
        """Return what binds dashboard sessions: the provider with its secret; "" without one."""
        declared = self.dashboard_provider
        if declared is None:
            return ""
        return "\n".join((declared.issuer, declared.client_id, self.provider_secret() or ""))

    def shown(self) -> dict[str, Any]:
        """Return the settings as JSON values without passwords, so that they can be printed."""
        return {**self.model_dump(mode="json"), "store": shown(self.store)}

    @classmethod
    def descriptions(cls) -> dict[str, str]:
        """Return a description of each setting, by name: one line from the docstring below its field.

        pydantic could read the docstrings, but would do so at every start, which takes 0.1 s.
        """
        statements = ast.walk(ast.parse(inspect.getsource(cls)))
        return {
            ast.unparse(field.target): " ".join(ast.literal_eval(text.value).split())
            for field, text in pairwise(statements)
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
        }

    @field_validator("tls_key")
    @classmethod
    def _with_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if (key is None) != (info.data.get("tls_certificate") is None):
            raise ValueError("set tls_certificate and tls_key together, or neither")
        return key

    @field_validator("account_issuers")
    @classmethod
    def _check_audiences(
        cls, issuers: types.AccountIssuers, info: ValidationInfo
    ) -> types.AccountIssuers:
        check_audiences_differ(info.data.get("issuers", ()), issuers)
        return issuers

    @field_validator("dashboard_provider")
    @classmethod
    def _provider_can_be_used(
        cls, provider: types.DashboardProvider, info: ValidationInfo
    ) -> types.DashboardProvider:
        reachable = info.data.get("public_url") or is_loopback(info.data.get("host", ""))
        if provider is not None and not reachable:
            raise ValueError("needs public_url, to which the provider sends people back")
        if provider is not None and find_spec("authlib") is None:
            raise ValueError("needs the extra: pip install flight-eligibility[oidc]")
        return provider


def _secret(file: Path | None, name: str) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings("settings", [Fault(name, "UNREADABLE", str(error))]) from None

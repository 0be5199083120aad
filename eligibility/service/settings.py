"""Settings: every option of the service, checked; settings_sources.py reads them."""

import ast
import inspect
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from eligibility.callers.issuers import check_told_apart, is_loopback
from eligibility.errors import Fault, InvalidSettings
from eligibility.service import setting_types as types
from groups.open import shown

PREFIX = "ELIGIBILITY_"


def default_store() -> str:
    """The URL of the embedded store in the platform's directory for user data."""
    return f"sqlite:///{user_data_path('eligibility', appauthor=False) / 'eligibility.db'}"


class Settings(BaseModel):
    """The settings in force. docs/settings.md is made of the docstrings below the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: types.StoreUrl = Field(default_factory=default_store)
    """Store URL: sqlite:///path of the file that holds groups and catalogue, or a server's redis://,
    redis+cluster:// or redis+sentinel:// (rediss with TLS)."""
    store_password_file: Path | None = None
    """File with the store server's password, for a URL without one."""
    host: str = "127.0.0.1"
    """Address that `serve` listens on."""
    port: int = Field(8080, ge=0, le=65_535)
    """Port that `serve` listens on; 0 = any free port."""
    workers: int = Field(1, ge=1, le=256)
    """Number of server processes, which share the port."""
    requirements: Path | None = None
    """File with the OS floors, instead of the packaged requirements.toml."""
    max_staleness_seconds: int = Field(1_800, ge=0)
    """How long the server answers from memory while the store is away, in seconds."""
    max_body_bytes: int = Field(1_048_576, ge=1_024)
    """Largest request body, in bytes, except where members are uploaded."""
    max_upload_bytes: int = Field(4_194_304, ge=1_024)
    """Largest request body, in bytes, where members are uploaded."""
    max_upload_bytes_under_way: int = Field(67_108_864, ge=1_048_576)
    """Bytes of large bodies that one server process receives at the same time; more get 503."""
    max_requests_under_way: int = Field(1_000, ge=1)
    """Requests that one server process handles at the same time; more get 503."""
    request_timeout_seconds: int = Field(30, ge=1)
    """How long a client may take to send a request or to receive a response, in seconds; slower
    clients are disconnected."""
    rate_limit: int = Field(0, ge=0)
    """Queries and requests a second that one caller may send to one server process; 0 = no limit. A
    key may have a limit of its own."""
    account_rate_limit: int = Field(20, ge=0)
    """The same for an account that queries about itself with its own token."""
    ofrep_bulk_products: int = Field(200, ge=1)
    """Products whose flags one bulk response of OFREP holds; with more products it is marked as truncated."""
    tls_certificate: Path | None = None
    """PEM file with the certificate chain, for TLS without a proxy."""
    tls_key: Path | None = Field(None, validate_default=True)
    """PEM file with the private key of the certificate."""
    trusted_proxies: types.Networks = ()
    """Addresses or networks of proxies that terminate TLS and whose X-Forwarded-For and
    X-Forwarded-Proto are believed; from the environment separated by commas."""
    public_url: types.HttpsOrigin | None = None
    """The https URL at which clients reach this server, without a path. Documents that name its
    endpoints need it; without it they are not offered."""
    authzen_subject_search: bool = False
    """Offer AuthZEN's subject search, which lists members' addresses to callers with groups:read."""
    activity_days: int = Field(30, ge=0, le=3_650)
    """How many days queries and answers are kept, as counts and as the last answer of each member;
    0 = nothing is kept."""
    metrics_public: bool = False
    """Whether anybody may read /metrics; otherwise it needs the scope `metrics`."""
    traces_to: str | None = Field(None, pattern=r"^https?://\S+$")
    """URL that OpenTelemetry traces are sent to (OTLP over HTTP, as in
    http://collector:4318/v1/traces); without it none are made. Needs the extra `tracing`."""
    traces_share: float = Field(0.01, ge=0, le=1)
    """The share of requests without a trace of their own that start one; a request that carries a
    trace is traced as its sender says."""
    log_access: bool = False
    """Log every answered access query too, one line each."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """Format of the log: `auto` writes text on a terminal and JSON lines elsewhere."""
    issuers: types.CallerIssuers = ()
    """Authorization servers whose access tokens identify services, one TOML table each (from the
    environment as JSON text): docs/security.md."""
    account_issuers: types.AccountIssuers = ()
    """OpenID providers whose ID tokens identify accounts, one TOML table each (from the environment as
    JSON text): docs/security.md."""
    dashboard_provider: types.DashboardProvider = None
    """OpenID provider with which people sign in to the dashboard, a TOML table (from the environment
    as JSON text): docs/security.md."""

    def store_password(self) -> str | None:
        """Read the password in `store_password_file`. Raises: InvalidSettings."""
        return _secret(self.store_password_file, "store_password_file")

    def provider_secret(self) -> str | None:
        """Read this server's secret with the provider, None for a public client. Raises: InvalidSettings."""
        declared = self.dashboard_provider
        file = declared.client_secret_file if declared else None
        return _secret(file, "dashboard_provider.client_secret_file")

    def provider_binding(self) -> str:
        """What dashboard sessions are bound to besides the store's key; "" without a provider.

        Whoever can read the store, but not the provider's secret, cannot forge a session.
        """
        declared = self.dashboard_provider
        if declared is None:
            return ""
        return "\n".join((declared.issuer, declared.client_id, self.provider_secret() or ""))

    def shown(self) -> dict[str, Any]:
        """The settings as JSON values, without a password, so that they can be printed."""
        return {**self.model_dump(mode="json"), "store": shown(self.store)}

    @classmethod
    def descriptions(cls) -> dict[str, str]:
        """Describe each setting in one line, by name, from the docstring below its field.

        pydantic would read the docstrings too, but at every start, which takes a tenth of a second.
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
    def _told_apart(
        cls, issuers: types.AccountIssuers, info: ValidationInfo
    ) -> types.AccountIssuers:
        check_told_apart(info.data.get("issuers", ()), issuers)
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

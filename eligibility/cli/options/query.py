"""Options that describe an access query. All commands that need a query share them."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from eligibility.access import wire
from eligibility.access.asker import Asker
from eligibility.access.codes import AccountKind
from eligibility.access.model import AccessQuery


def _option(*names: str, help: str) -> Any:  # noqa: A002 - typer uses this name
    return typer.Option(*names, help=help, rich_help_panel="Access query")


_PRODUCT = _option("--product", help="Store id of the product.")
_FAMILY = _option("--family", help="Device family: Windows.Desktop, Xbox, ...")
_OS = _option("--os", help="OS version: 10.0.22631.3007, a build, a release, or a decimal number.")

ProductOption = Annotated[str, _PRODUCT]
OptionalProductOption = Annotated[str | None, _PRODUCT]
ArchitectureOption = Annotated[
    str | None, _option("--arch", help="Architecture: x64, arm64, x86, arm.")
]


@dataclass(frozen=True)
class DeviceOptions:
    """The device of an access query."""

    family: Annotated[str, _FAMILY]
    os: Annotated[str, _OS]
    arch: ArchitectureOption = None

    def as_field(self) -> dict[str, object]:
        """Return the device as a field of an access query."""
        return {"family": self.family, "os_version": self.os, "architecture": self.arch}


@dataclass(frozen=True)
class OptionalDeviceOptions:
    """The device of an access query, for commands that can run without a device."""

    family: Annotated[str | None, _FAMILY] = None
    os: Annotated[str | None, _OS] = None
    arch: ArchitectureOption = None


@dataclass(frozen=True)
class AccountOptions:
    """The account of an access query."""

    account: Annotated[
        str | None,
        _option("--account", help="Address that is signed in; without it, nobody is signed in."),
    ] = None
    kind: Annotated[AccountKind, _option("--kind", help="Kind of the account.")] = (
        AccountKind.MICROSOFT
    )
    alias: Annotated[
        list[str] | None, _option("--alias", help="Another address of the account; repeat.")
    ] = None

    def as_field(self) -> dict[str, object] | None:
        """Return the account as a field of an access query; None = nobody is signed in."""
        if self.account is None:
            return None
        return {"id": self.account, "kind": self.kind, "aliases": self.alias or []}


@dataclass(frozen=True)
class ClaimOptions:
    """The claims of an access query other than account and device."""

    installed: Annotated[
        str | None, _option("--installed", help="Version of the package that is installed.")
    ] = None
    owned: Annotated[
        bool | None,
        _option("--owned/--not-owned", help="The account owns the product; default: if installed."),
    ] = None
    market: Annotated[str | None, _option("--market", help="Market, two letters.")] = None
    promotional_code: Annotated[
        bool, _option("--promotional-code", help="The account has a promotional code.")
    ] = False
    manual_check: Annotated[
        bool, _option("--manual-check", help='Somebody pressed "check for updates".')
    ] = False

    def as_fields(self) -> dict[str, object]:
        """Return the claims as fields of an access query."""
        fields = asdict(self)
        return {"installed_version": fields.pop("installed"), **fields}


def asker_of(claims: ClaimOptions, account: AccountOptions | None = None) -> Asker:
    """Build an asker; without account, its claims apply to all accounts. Raises: InvalidInput."""
    return Asker.parse(account=account.as_field() if account else None, **claims.as_fields())


def query_of(
    product: str,
    device: DeviceOptions,
    account: AccountOptions,
    claims: ClaimOptions,
    at: str | None = None,
) -> AccessQuery:
    """Build an access query from options. Raises: InvalidInput."""
    return wire.query_of(
        product_id=product,
        account=account.as_field(),
        device=device.as_field(),
        at=at,
        **claims.as_fields(),
    )

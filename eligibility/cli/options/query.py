"""The options that describe an access query: one set for every command that asks or supposes one."""

from typing import Annotated, Any

import typer

from eligibility.access import wire
from eligibility.access.model import AccessQuery, AccountKind


def _option(*names: str, help: str) -> Any:  # noqa: A002 - typer's own name for it
    return typer.Option(*names, help=help, rich_help_panel="Access query")


_PRODUCT = _option("--product", help="Store id of the product.")
_FAMILY = _option("--family", help="Device family: Windows.Desktop, Xbox, ...")
_OS_VERSION = _option("--os", help="OS version: 10.0.22631.3007, a build, a release, decimal.")

ProductOption = Annotated[str, _PRODUCT]
FamilyOption = Annotated[str, _FAMILY]
OsVersionOption = Annotated[str, _OS_VERSION]
OptionalProductOption = Annotated[str | None, _PRODUCT]
OptionalFamilyOption = Annotated[str | None, _FAMILY]
OptionalOsVersionOption = Annotated[str | None, _OS_VERSION]
AccountOption = Annotated[
    str | None, _option("--account", help="Address that is signed in; leave out for nobody.")
]
AccountKindOption = Annotated[AccountKind, _option("--kind", help="Kind of the account.")]
AliasOption = Annotated[
    list[str] | None, _option("--alias", help="Further address of the account.")
]
ArchitectureOption = Annotated[
    str | None, _option("--arch", help="Architecture: x64, arm64, x86, arm.")
]
InstalledOption = Annotated[
    str | None, _option("--installed", help="Package version that is installed.")
]
OwnedOption = Annotated[bool, _option("--owned", help="The product is owned already.")]
MarketOption = Annotated[str | None, _option("--market", help="Market, two letters.")]
PromotionalCodeOption = Annotated[
    bool, _option("--promotional-code", help="There is a promotional code for the product.")
]
ManualCheckOption = Annotated[
    bool, _option("--manual-check", help='Somebody pressed "check for updates".')
]


def account_fields(
    address: str | None, kind: AccountKind, aliases: list[str] | None
) -> dict[str, object] | None:
    """The account of the options as a field of an access query; None = nobody is signed in."""
    return None if address is None else {"id": address, "kind": kind, "aliases": aliases or []}


def query_of(
    *,
    product: str,
    account: str | None,
    kind: AccountKind,
    alias: list[str] | None,
    family: str,
    os_version: str,
    arch: str | None,
    **terms: object,
) -> AccessQuery:
    """Read the access query of the options; terms = the rest of its fields. Raises: InvalidInput."""
    return wire.query_of(
        product_id=product,
        account=account_fields(account, kind, alias),
        device={"family": family, "os_version": os_version, "architecture": arch},
        **terms,
    )

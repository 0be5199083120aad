"""The options of commands that ask one access query, and the query they make."""

from typing import Annotated

import typer

from eligibility.access import wire
from eligibility.access.model import AccessQuery, AccountKind

ProductOption = Annotated[str, typer.Option(help="Store id of the product.")]
FamilyOption = Annotated[str, typer.Option(help="Device family: Windows.Desktop, Xbox, ...")]
OsVersionOption = Annotated[
    str, typer.Option("--os", help="OS version: 10.0.22631.3007, a build, a release, decimal.")
]
AccountOption = Annotated[
    str | None, typer.Option(help="Address that is signed in; leave out for nobody.")
]
AccountKindOption = Annotated[AccountKind, typer.Option(help="Kind of the account.")]
AliasOption = Annotated[list[str] | None, typer.Option(help="Further address of the account.")]
ArchitectureOption = Annotated[str | None, typer.Option(help="Architecture: x64, arm64, x86, arm.")]
InstalledOption = Annotated[str | None, typer.Option(help="Installed package version.")]
OwnedOption = Annotated[bool, typer.Option("--owned", help="The account owns the product.")]
MarketOption = Annotated[str | None, typer.Option(help="Market, two letters.")]
PromotionalCodeOption = Annotated[
    bool, typer.Option("--promotional-code", help="The account holds a promotional code.")
]
ManualCheckOption = Annotated[
    bool, typer.Option("--manual-check", help='The person pressed "check for updates".')
]


def query_of(
    *,
    product: str,
    account: str | None,
    kind: AccountKind,
    alias: list[str] | None,
    family: str,
    os_version: str,
    arch: str | None,
    **claims: object,
) -> AccessQuery:
    """The query that the options ask; claims = the rest of its fields. Raises: InvalidInput."""
    return wire.query_of(
        product_id=product,
        account=None if account is None else {"id": account, "kind": kind, "aliases": alias or []},
        device={"family": family, "os_version": os_version, "architecture": arch},
        **claims,
    )

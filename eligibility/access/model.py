"""Account, Device, AccessQuery, and Decision with its reasons. All are frozen.

`parse` validates input and makes it canonical, so that no rule has to check a value again.
`msgspec.Struct` is faster than a dataclass (docs/decisions.md 0003). gc=False: no instance can be
part of a reference cycle, so the garbage collector can skip them.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from packaging.version import Version

from eligibility.access.codes import AccountKind, Action, Reason
from eligibility.access.explanation import LeastChange, Sentence
from eligibility.errors import Fault, Faults, InvalidInput
from eligibility.windows import versions
from eligibility.windows.package_versions import parse_package_version
from groups import emails
from groups.errors import InvalidEmails


class Account(Struct, frozen=True, gc=False):
    """A signed-in account. id and aliases are canonical addresses (groups/emails.py)."""

    id: str
    kind: AccountKind = AccountKind.MICROSOFT
    aliases: tuple[str, ...] = ()

    @classmethod
    def parse(
        cls,
        id: str,  # noqa: A002 - the field's name on the wire
        kind: AccountKind = AccountKind.MICROSOFT,
        aliases: Iterable[str] = (),
    ) -> "Account":
        """Read the account of a query. Raises InvalidInput for `account.id` or `account.aliases`."""
        try:
            canonical_id = emails.canonical(id, strict=False)
        except InvalidEmails as error:
            raise _bad_address("account.id", error) from None
        if not aliases:
            return cls(canonical_id, kind)
        try:
            return cls(canonical_id, kind, emails.parse(list(aliases), strict=False))
        except InvalidEmails as error:
            raise _bad_address("account.aliases", error) from None

    @property
    def rollout_address(self) -> str:
        """The address that decides the side of rollouts: the same whichever alias signs in."""
        return min(self.addresses) if self.aliases else self.id

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of this account, the primary address first."""
        return (self.id, *self.aliases)


def _bad_address(loc: str, error: InvalidEmails) -> InvalidInput:
    return InvalidInput([Fault(loc, error.code, fault.detail) for fault in error.faults])


class Device(Struct, frozen=True, cache_hash=True, gc=False):
    """A device: canonical family, four-part OS version, architecture (None = unknown)."""

    family: str
    os_version: str
    architecture: str | None = None

    @staticmethod
    def parse(family: str, os_version: str, architecture: str | None = None) -> "Device":
        """Read a device. Raises InvalidInput with every field that is invalid."""
        return _parse_device(family, os_version, architecture)

    @property
    def version(self) -> Version:
        """The OS version as a Version, for comparisons."""
        return versions.version_of(self.os_version)


@lru_cache(maxsize=65_536)
def _parse_device(family: str, os_version: str, architecture: str | None) -> Device:
    faults = Faults()
    readings: list[str | None] = []
    for read, text in (
        (versions.parse_family, family),
        (versions.canonical_os_version, os_version),
        (versions.parse_device_architecture, architecture),
    ):
        with faults.collect("device"):
            readings.append(None if text is None else read(text))
    if faults:
        raise InvalidInput(faults)
    return Device(str(readings[0]), str(readings[1]), readings[2])


class Revision(Struct, frozen=True, gc=False):
    """The publisher's revisions of groups and catalogue that an answer is based on."""

    groups: int
    catalog: int

    def reaches(self, least: "Revision") -> bool:
        """Check that both revisions are at least those of `least`."""
        return self.groups >= least.groups and self.catalog >= least.catalog


class AccessQuery(Struct, frozen=True, gc=False):
    """May this account see the submission and download the package on this device?

    account: None = not signed in. installed_version: package version text, None = not installed.
    owned: acquired before, None = if it is installed. market: two capital letters, None = unknown.
    promotional_code: the account has a valid code. manual_check: the person pressed "check for updates".
    at: decide as of this past time. strong: the answer must include every write acknowledged before
    the query. at_least: the answer must be based on these revisions or later ones.
    """

    product_id: str
    device: Device
    account: Account | None = None
    installed_version: str | None = None
    owned: bool | None = None
    market: str | None = None
    promotional_code: bool = False
    manual_check: bool = False
    at: datetime | None = None
    strong: bool = False
    at_least: Revision | None = None

    @property
    def installed(self) -> Version | None:
        """The installed package's version as a Version, for comparisons."""
        return (
            None
            if self.installed_version is None
            else parse_package_version(self.installed_version)
        )

    @property
    def owns(self) -> bool:
        """Whether the account acquired the product. Who has it installed did, unless told otherwise."""
        return self.installed_version is not None if self.owned is None else self.owned


class Remedy(Struct, frozen=True, omit_defaults=True, gc=False):
    """One action that would change the answer, in words (`text`) and as data (all other fields).

    unlocks: the half that it would grant, or "flight" for a higher-ranked flight not granted now.
    """

    action: Action
    unlocks: Literal["submission", "package", "flight"]
    text: str
    flights: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    os_version: str | None = None
    release: str | None = None
    at: datetime | None = None


class TraceStep(Struct, frozen=True, gc=False):
    """One step of the trace. source: codes of its rule's pages. facts: compared values by name."""

    step: str
    outcome: str
    detail: str
    source: str
    facts: dict[str, str | tuple[str, ...]] = {}


class PackageSource(Struct, frozen=True, gc=False):
    """Source of packages: a flight, or the non-flighted submission (always rank 1)."""

    kind: Literal["flight", "submission"]
    flight_id: str | None
    name: str
    rank: int


class OfferedPackage(Struct, frozen=True, gc=False):
    """The package that a device would download, and the architecture that it would run."""

    file_name: str
    version: str
    architecture: str


class SubmissionVerdict(Struct, frozen=True, gc=False):
    """May this account see the listing?"""

    granted: bool
    audience: Literal["public", "private"]
    listing: Literal["searchable", "link_only", "hidden"]
    reasons: tuple[Reason, ...]


class PackageVerdict(Struct, frozen=True, gc=False):
    """May this device download a package, and which one? package is None if granted is False."""

    granted: bool
    source: PackageSource | None
    package: OfferedPackage | None
    action: Literal["install", "update", "keep", "none"]
    delivery: Literal["automatic", "manual"] | None
    reasons: tuple[Reason, ...]


class Settling(Struct, frozen=True, gc=False):
    """A recent change that the Store may not have applied yet (KUG). group_id: None if hidden."""

    group_id: str | None
    change: Literal["added", "removed"]
    changed_at: datetime
    settled_at: datetime


class Decision(Struct, frozen=True, gc=False):
    """The verdict with its reasons and remedies.

    trace, story and nearest are UNSET unless an explanation was requested. The evaluator sets
    settling, revision and stale_seconds; the rules leave their defaults.
    """

    product_id: str
    granted: bool
    submission: SubmissionVerdict
    package: PackageVerdict
    remedies: tuple[Remedy, ...] = ()
    settling: Settling | None = None
    revision: Revision = Revision(0, 0)
    stale_seconds: int = 0
    trace: tuple[TraceStep, ...] | UnsetType = UNSET
    story: tuple[Sentence, ...] | UnsetType = UNSET
    nearest: LeastChange | UnsetType = UNSET

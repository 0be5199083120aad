"""The question and the answer: Account, Device, AccessQuery, and the Decision with its reasons.

Everything here is frozen and canonical. Build an Account or a Device from what somebody sent with
`parse`, which refuses what cannot be read; after that no rule has to doubt a value.
`msgspec.Struct` rather than a dataclass: a query is built and a decision encoded thousands of
times a second (docs/decisions.md 0003). gc=False: none of them can be part of a cycle, and the
collector need not look at the many that are alive.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from packaging.version import Version

from eligibility.access.explanation import LeastChange, Sentence
from eligibility.errors import Fault, InvalidInput
from eligibility.windows import versions
from eligibility.windows.package_versions import parse_package_version
from groups import emails
from groups.errors import InvalidEmails


class Consistency(StrEnum):
    """How fresh an answer has to be: as fresh as memory is, or with every write acknowledged before."""

    EVENTUAL = "eventual"
    STRONG = "strong"


class AccountKind(StrEnum):
    """Who issued the account. Only a Microsoft account can be a member of a group (KUG)."""

    MICROSOFT = "microsoft"
    WORK_OR_SCHOOL = "work_or_school"


class Reason(StrEnum):
    """Why a half of a decision is as it is. Codes are never renamed."""

    # submission half
    PUBLIC_AUDIENCE = "PUBLIC_AUDIENCE"
    AUDIENCE_MEMBER = "AUDIENCE_MEMBER"
    NOT_SIGNED_IN = "NOT_SIGNED_IN"
    WRONG_ACCOUNT_KIND = "WRONG_ACCOUNT_KIND"
    NOT_IN_AUDIENCE = "NOT_IN_AUDIENCE"
    OS_BELOW_AUDIENCE_MINIMUM = "OS_BELOW_AUDIENCE_MINIMUM"
    DEVICE_FAMILY_UNSUPPORTED = "DEVICE_FAMILY_UNSUPPORTED"
    # package half: what stands in the way
    SUBMISSION_DENIED = "SUBMISSION_DENIED"
    PRODUCT_UNAVAILABLE = "PRODUCT_UNAVAILABLE"
    ACQUISITION_STOPPED = "ACQUISITION_STOPPED"
    MARKET_NOT_OFFERED = "MARKET_NOT_OFFERED"
    DEVICE_FAMILY_NOT_OFFERED = "DEVICE_FAMILY_NOT_OFFERED"
    NO_PACKAGE_FOR_FAMILY = "NO_PACKAGE_FOR_FAMILY"
    OS_BELOW_PACKAGE_MINIMUM = "OS_BELOW_PACKAGE_MINIMUM"
    ARCHITECTURE_MISMATCH = "ARCHITECTURE_MISMATCH"
    # package half: where a granted package comes from
    FLIGHT_MEMBER = "FLIGHT_MEMBER"
    NON_FLIGHTED_SUBMISSION = "NON_FLIGHTED_SUBMISSION"
    # package half: which side of a gradual rollout, beside the source of a granted package
    ROLLOUT_HALTED = "ROLLOUT_HALTED"
    ROLLOUT_OS_BELOW_MINIMUM = "ROLLOUT_OS_BELOW_MINIMUM"
    ROLLOUT_MANUAL_CHECK = "ROLLOUT_MANUAL_CHECK"
    ROLLOUT_NEW_INSTALL = "ROLLOUT_NEW_INSTALL"
    ROLLOUT_NOT_SIGNED_IN = "ROLLOUT_NOT_SIGNED_IN"
    ROLLOUT_INCLUDED = "ROLLOUT_INCLUDED"
    ROLLOUT_EXCLUDED = "ROLLOUT_EXCLUDED"


class RemedyAction(StrEnum):
    """What somebody can do to get another answer."""

    SIGN_IN = "SIGN_IN"
    USE_MICROSOFT_ACCOUNT = "USE_MICROSOFT_ACCOUNT"
    JOIN_GROUP = "JOIN_GROUP"
    WAIT_UNTIL_PUBLIC = "WAIT_UNTIL_PUBLIC"
    UPDATE_OS = "UPDATE_OS"
    USE_ANOTHER_DEVICE = "USE_ANOTHER_DEVICE"
    USE_PROMOTIONAL_CODE = "USE_PROMOTIONAL_CODE"
    USE_OFFERED_MARKET = "USE_OFFERED_MARKET"
    ADD_PACKAGE = "ADD_PACKAGE"


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
        """Read the account of a query. Raises InvalidInput naming `account.id` or the alias."""
        try:
            canonical_id = emails.canonical(id)
        except InvalidEmails as error:
            raise _bad_address("account.id", error) from None
        if not aliases:
            return cls(canonical_id, kind)
        try:
            return cls(canonical_id, kind, emails.parse(list(aliases)))
        except InvalidEmails as error:
            raise _bad_address("account.aliases", error) from None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that signs in to this account, the primary one first."""
        return (self.id, *self.aliases)


def _bad_address(loc: str, error: InvalidEmails) -> InvalidInput:
    return InvalidInput([Fault(loc, error.code, fault.detail) for fault in error.faults])


class Device(Struct, frozen=True, cache_hash=True, gc=False):
    """A device: canonical family, four-part OS version, architecture (None = not told)."""

    family: str
    os_version: str
    architecture: str | None = None

    @staticmethod
    def parse(family: str, os_version: str, architecture: str | None = None) -> "Device":
        """Read a device. Raises InvalidInput naming every field that cannot be read."""
        return _parse_device(family, os_version, architecture)

    @property
    def version(self) -> Version:
        """The OS version, ready to be compared."""
        return versions.parse_os_version(self.os_version)


@lru_cache(maxsize=65_536)
def _parse_device(family: str, os_version: str, architecture: str | None) -> Device:
    faults: list[Fault] = []
    readings: list[str | None] = []
    for read, text in (
        (versions.parse_family, family),
        (_canonical_version, os_version),
        (versions.parse_device_architecture, architecture),
    ):
        try:
            readings.append(None if text is None else read(text))
        except InvalidInput as error:
            faults += [Fault(f"device.{f.loc}", f.code, f.detail) for f in error.faults]
    if faults:
        raise InvalidInput(faults)
    return Device(str(readings[0]), str(readings[1]), readings[2])


def _canonical_version(text: str) -> str:
    return versions.version_text(versions.parse_os_version(text))


class Revision(Struct, frozen=True, gc=False):
    """The publisher's groups and catalogue revisions that an answer was made from."""

    groups: int
    catalog: int

    def reaches(self, least: "Revision") -> bool:
        """Whether everything up to those revisions is in it."""
        return self.groups >= least.groups and self.catalog >= least.catalog


class AccessQuery(Struct, frozen=True, gc=False):
    """May this account, on this device, have this package and see this submission?

    account: None = not signed in. installed_version: package version text, None = not installed.
    owned: acquired before. market: two capital letters, None = unknown. promotional_code: holds a
    valid one. manual_check: the person pressed "check for updates". at: ask as of that moment.
    Which state to answer from, not what to answer: strong = with everything acknowledged to anybody
    before; at_least = not from before those revisions.
    """

    product_id: str
    device: Device
    account: Account | None = None
    installed_version: str | None = None
    owned: bool = False
    market: str | None = None
    promotional_code: bool = False
    manual_check: bool = False
    at: datetime | None = None
    strong: bool = False
    at_least: Revision | None = None

    @property
    def installed(self) -> Version | None:
        """The installed package's version, ready to be compared."""
        return (
            None
            if self.installed_version is None
            else parse_package_version(self.installed_version)
        )


class Remedy(Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing that would change the answer, in words (`text`) and as data (the rest).

    unlocks: which half it opens, or "flight" for a higher-ranked flight this account does not get.
    """

    action: RemedyAction
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
    """One step of the trace: what was asked, how it came out, what was compared, whose rule.

    facts: what was compared as data, by name; `detail` is for reading.
    """

    step: str
    outcome: str
    detail: str
    source: str
    facts: dict[str, str | tuple[str, ...]] = {}


class PackageSource(Struct, frozen=True, gc=False):
    """Where packages come from: a flight, or the non-flighted submission (always rank 1)."""

    kind: Literal["flight", "submission"]
    flight_id: str | None
    name: str
    rank: int


class OfferedPackage(Struct, frozen=True, gc=False):
    """The package a device would download, and the architecture it would run."""

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
    """May this device download, and what? A denied one offers no package."""

    granted: bool
    source: PackageSource | None
    package: OfferedPackage | None
    action: Literal["install", "update", "keep", "none"]
    delivery: Literal["automatic", "manual"] | None
    reasons: tuple[Reason, ...]


class Settling(Struct, frozen=True, gc=False):
    """A membership change so recent that the Store itself may not have applied it yet (KUG).

    group_id: None where the caller may not read groups.
    """

    group_id: str | None
    change: Literal["added", "removed"]
    changed_at: datetime
    settled_at: datetime


class Decision(Struct, frozen=True, gc=False):
    """The verdict with its reasons and remedies, stamped by the evaluator with what it was made of.

    trace, story and nearest are UNSET unless an explanation was asked for; settling, revision and
    stale_seconds are the evaluator's, the pure rules leave them at their defaults.
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

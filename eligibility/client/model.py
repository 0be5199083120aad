"""The values that the client sends and receives, all frozen.

Codes are plain strings, so that a client accepts the new reasons and remedies of a later service.
They compare equal to the members of `Reason` and `Action`.
"""

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from eligibility.access.codes import AccountKind, Consistency
from eligibility.access.explanation import Sentence
from eligibility.access.model import OfferedPackage, PackageSource, Revision, Settling, TraceStep

SERVICE_UNREACHABLE = "SERVICE_UNREACHABLE"
"""The only reason of a denial that the client made itself because no response came."""


class Account(Struct, frozen=True, omit_defaults=True):
    """Who is signed in: an address as `id`, or the account's own ID token as `token`, never both.

    aliases: further addresses that sign in to the same account. No repr shows the token.
    Raises: ValueError unless exactly one of `id` and `token` is given.
    """

    id: str | None = None
    kind: AccountKind = AccountKind.MICROSOFT
    aliases: tuple[str, ...] = ()
    token: str | None = None

    def __post_init__(self) -> None:
        if (self.id is None) == (self.token is None):
            raise ValueError("an account needs either an id or a token")

    def __repr__(self) -> str:
        if self.token is not None:
            return "Account(token=...)"
        return f"Account(id={self.id!r}, kind={self.kind.value!r}, aliases={self.aliases!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        if self.token is not None:
            return [("token", ...)]
        return [("id", self.id), ("kind", self.kind.value), ("aliases", self.aliases)]


class Device(Struct, frozen=True, omit_defaults=True):
    """A device, in any form that the service accepts, such as `Device("Xbox One", "22621")`."""

    family: str
    os_version: str
    architecture: str | None = None


class Query(Struct, frozen=True, omit_defaults=True):
    """May this account, on this device, have this package and see this submission?

    account: None = not signed in. installed_version: None = not installed. market: two capital
    letters, None = unknown. at: decide as of this date and time, with an offset. at_least_revision:
    the answer must include the write with this revision (a number means a revision of groups).
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
    consistency: Consistency = Consistency.EVENTUAL
    at_least_revision: int | Revision | UnsetType = UNSET


class Remedy(Struct, frozen=True, omit_defaults=True):
    """One action that would change the decision, as text and as data.

    unlocks: `submission`, `package`, or `flight` for a higher-ranked flight.
    """

    action: str
    unlocks: str
    text: str
    flights: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    os_version: str | None = None
    release: str | None = None
    at: datetime | None = None


class SuggestedChange(Struct, frozen=True, omit_defaults=True):
    """One suggested change, as text and as data. by: who makes it, `person` or `publisher`."""

    action: str
    by: str
    text: str
    group: str | None = None
    flight: str | None = None
    family: str | None = None
    os_version: str | None = None
    release: str | None = None
    architecture: str | None = None
    market: str | None = None
    package: str | None = None
    at: datetime | None = None


class ChangeSet(Struct, frozen=True):
    """Changes that together grant access. source: of the package: `flight <id>` or `submission`."""

    changes: tuple[SuggestedChange, ...]
    source: str
    version: str


class LeastChange(Struct, frozen=True):
    """The smallest sets of changes (`ways`) that lead to what is `wanted`, easiest first.

    complete: False if the service stopped before it had tried every set of that size.
    """

    wanted: str
    ways: tuple[ChangeSet, ...]
    tries: int
    complete: bool = True


class SubmissionVerdict(Struct, frozen=True):
    """May this account see the listing?

    audience: `public` or `private`; `unknown` if no response came. listing: `searchable`,
    `link_only` or `hidden`.
    """

    granted: bool
    audience: str
    listing: str
    reasons: tuple[str, ...]


class PackageVerdict(Struct, frozen=True):
    """May this device download a package, and which? A denial offers none.

    action: `install`, `update`, `keep` or `none`. delivery: `automatic` or `manual`.
    """

    granted: bool
    source: PackageSource | None
    package: OfferedPackage | None
    action: str
    delivery: str | None
    reasons: tuple[str, ...]


class Decision(Struct, frozen=True):
    """The verdict with its reasons and remedies; the fields are those of the HTTP API.

    trace, story, nearest: UNSET unless explain=True; in a batch, nearest is always UNSET.
    stale_seconds: above 0 while the service cannot reach its store and answers from memory.
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

    @property
    def from_service(self) -> bool:
        """False if no response came, and the client made this denial itself."""
        return SERVICE_UNREACHABLE not in self.package.reasons


def unreachable_decision(product_id: str) -> Decision:
    """Build the denial for a query without a response; its reason is SERVICE_UNREACHABLE."""
    reasons = (SERVICE_UNREACHABLE,)
    return Decision(
        product_id,
        False,
        SubmissionVerdict(False, "unknown", "hidden", reasons),
        PackageVerdict(False, None, None, "none", None, reasons),
    )


class EditResponse(Struct, frozen=True):
    """What an edit of a group did, or with dry_run would do.

    revision: the group's new revision. unchanged: number of addresses that were members already.
    unknown: how many addresses to remove were no members. joined, left, effects: dry run only.
    """

    publisher: str
    group_id: str
    revision: int
    added: int
    removed: int
    unchanged: int
    unknown: int
    member_count: int
    joined: tuple[str, ...] | None = None
    left: tuple[str, ...] | None = None
    effects: dict[str, Any] | None = None


class StoredProduct(Struct, frozen=True):
    """A product as declared. revision: the catalogue revision of its last change."""

    publisher: str
    product_id: str
    revision: int
    updated_at: datetime
    product: dict[str, Any]

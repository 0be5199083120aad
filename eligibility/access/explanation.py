"""Types of a decision's explanation. explain/story.py and explain/least_change.py build them."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class DocumentationPage(Struct, frozen=True, gc=False):
    """A page of the Store's documentation. code: our short code; name: the name to search for."""

    code: str
    title: str
    name: str


class Sentence(Struct, frozen=True, gc=False):
    """A sentence of the story. sources: pages that state its rule; none for a verdict."""

    text: str
    sources: tuple[DocumentationPage, ...] = ()


class ChangeAction(StrEnum):
    """Possible changes, from the easiest to the hardest. Suggestions are listed in this order."""

    SIGN_IN = "SIGN_IN"
    USE_MICROSOFT_ACCOUNT = "USE_MICROSOFT_ACCOUNT"
    CHECK_FOR_UPDATES = "CHECK_FOR_UPDATES"
    JOIN_GROUP = "JOIN_GROUP"
    LEAVE_GROUP = "LEAVE_GROUP"
    UPDATE_OS = "UPDATE_OS"
    REINSTALL = "REINSTALL"
    USE_OFFERED_MARKET = "USE_OFFERED_MARKET"
    USE_PROMOTIONAL_CODE = "USE_PROMOTIONAL_CODE"
    WAIT = "WAIT"
    USE_ANOTHER_DEVICE = "USE_ANOTHER_DEVICE"
    USE_ACCOUNT_THAT_OWNS = "USE_ACCOUNT_THAT_OWNS"
    ADD_AUDIENCE_GROUP = "ADD_AUDIENCE_GROUP"
    ADD_FLIGHT_GROUP = "ADD_FLIGHT_GROUP"
    PUBLISH_FLIGHT = "PUBLISH_FLIGHT"
    FINALIZE_ROLLOUT = "FINALIZE_ROLLOUT"
    OFFER_MARKET = "OFFER_MARKET"
    OFFER_FAMILY = "OFFER_FAMILY"
    ALLOW_ACQUISITION = "ALLOW_ACQUISITION"
    MAKE_AVAILABLE = "MAKE_AVAILABLE"
    FIT_PACKAGE = "FIT_PACKAGE"
    ADD_PACKAGE = "ADD_PACKAGE"
    MAKE_PUBLIC = "MAKE_PUBLIC"


class SuggestedChange(Struct, frozen=True, omit_defaults=True, gc=False):
    """One change, in words (`text`, starting in lower case) and as data. by: who can make it."""

    action: ChangeAction
    by: Literal["person", "publisher"]
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


class ChangeSet(Struct, frozen=True, gc=False):
    """Changes that together grant a denied query (tested), and the package then granted.

    source: `flight <id>` or `submission`. version: of the package.
    """

    changes: tuple[SuggestedChange, ...]
    source: str
    version: str


class LeastChange(Struct, frozen=True, gc=False):
    """Every change set of the smallest size that reaches the goal, easiest first.

    wanted: the goal, in words. ways: empty if the goal is already reached or no way was found.
    tries: number of decisions made. complete: whether every smaller set within the search bound
    was tried, or every set at all if `ways` is empty.
    """

    wanted: str
    ways: tuple[ChangeSet, ...]
    tries: int
    complete: bool = True

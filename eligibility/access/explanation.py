"""What an explained decision has beyond a decision: its story, and the least change.

explain/story.py and explain/least_change.py make them. The shapes are here because a Decision carries
them and clients read them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class DocumentationPage(Struct, frozen=True, gc=False):
    """A page of the Store's documentation: our code for it, its title, and the name it is found by."""

    code: str
    title: str
    name: str


class Sentence(Struct, frozen=True, gc=False):
    """One sentence of the story, and the pages of the rules it tells of; a verdict has none."""

    text: str
    sources: tuple[DocumentationPage, ...] = ()


class ChangeAction(StrEnum):
    """What could be different, from the easiest to the hardest; ways are told in this order."""

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
    """One thing that would be different, in words (`text`, which begins small) and as data (the rest).

    by: who does it, the person at the device or the publisher of the product.
    """

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
    """Changes that together make a yes of a no, as deciding with them showed; and what they give.

    source: `flight <id>` or `submission`; version: of the package.
    """

    changes: tuple[SuggestedChange, ...]
    source: str
    version: str


class LeastChange(Struct, frozen=True, gc=False):
    """The least changes that give what was wanted: every way with the fewest changes, easiest first.

    wanted: what was looked for, in words. ways: none where it is so already, or where none was found.
    tries: how many decisions it took. complete: whether every set of changes up to the bound was
    looked at that could be shorter than these, or, where there is none, that could do at all.
    """

    wanted: str
    ways: tuple[ChangeSet, ...]
    tries: int
    complete: bool = True

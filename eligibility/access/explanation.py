"""Types of a decision's explanation. explain/story.py and explain/least_change.py build them."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from eligibility.access.codes import Action


class DocumentationPage(Struct, frozen=True, gc=False):
    """A page of the Store's documentation. code: our short code; name: the name to search for."""

    code: str
    title: str
    name: str


class Sentence(Struct, frozen=True, gc=False):
    """A sentence of the story. sources: pages that state its rule; none for a verdict."""

    text: str
    sources: tuple[DocumentationPage, ...] = ()


class SuggestedChange(Struct, frozen=True, omit_defaults=True, gc=False):
    """One change, in words (`text`, starting in lower case) and as data. by: who can make it."""

    action: Action
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
    """Changes that together turn a denial into access. source: of the package that is then offered."""

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

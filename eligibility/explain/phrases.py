"""What each step of a trace is called, read out: one table, by step and outcome.

Nothing is decided here. A step came out as it did; here are the words for it, with its facts.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from eligibility.access.model import Reason, Step

Facts = Mapping[str, object]
"""The facts of the step, and who and what the story is about: person, product, device, family,
source (a flight, or the general release)."""


class Words(NamedTuple):
    """How a step reads.

    text: a sentence; or, where `lead` is told, the end of one that begins with it, which all steps
    with the same lead share: nothing that stands in the way. Both are formatted with Facts; or made
    of them, where it depends.
    """

    text: str | Callable[[Facts], str]
    lead: str = ""

    def told(self, facts: Facts) -> str:
        """The words with their facts."""
        made = self.text if isinstance(self.text, str) else self.text(facts)
        return made.format_map(facts)


class Names(tuple[str, ...]):
    """Some names; formatted with `and` or `or` before the last one."""

    __slots__ = ()

    def __format__(self, joined_by: str) -> str:
        if len(self) < 2:
            return "".join(self) or "none"
        return f"{', '.join(self[:-1])} {joined_by} {self[-1]}"


def kind_of(step: Step) -> str:
    """The step without its object: `flight` of `flight:canary`."""
    return step.step.partition(":")[0]


def words_of(step: Step) -> Words:
    """The words for a step. Raises: KeyError for one that the table lacks."""
    return WORDS[kind_of(step), step.outcome.partition(",")[0]]


def _nobody_counts(facts: Facts) -> str:
    if not facts["signed_in"]:
        return "Nobody is signed in to the Store, so membership of a group cannot count."
    if facts["work_or_school"]:
        return (
            "{person} is a work or school account; only personal Microsoft accounts count as"
            " members of a group."
        )
    if not facts["active"]:
        return (
            "{person} is signed in with a Microsoft account; {product} makes no use of groups now."
        )
    return (
        "{person} is signed in with a Microsoft account, and in no group that {product} uses"
        " ({active:or})."
    )


def _private(facts: Facts) -> str:
    until = " until {public_at}" if facts["public_at"] else ""
    return (
        "{product} is private"
        + until
        + ": only the people of its audience groups may see or get it."
    )


def _entitled(rule: str) -> Callable[[Facts], str]:
    def text(facts: Facts) -> str:
        if facts["entitled_by"]:
            return rule + " {person} may, by {entitled_by:and}."
        return rule + " {person} has told of neither."

    return text


def _market(facts: Facts) -> str:
    asked = "the market {market} is none of them" if facts["market"] else "the market is not known"
    return "{product} is offered only in these markets: {markets:and}; " + asked + "."


def _floor(rule: str) -> Callable[[Facts], str]:
    def text(facts: Facts) -> str:
        least = "at least {minimum}" if facts["minimum"] else "another version of Windows"
        return f"{rule} {least}; this device has {{os_version}}."

    return text


def _unpublished(facts: Facts) -> str:
    return "{name} (" + ("no packages" if facts["packages"] == "0" else "from {publish_at}") + ")"


def _source(facts: Facts) -> str:
    if not facts["flights"]:
        return "{product} has no flights (packages for testers), so there is the general release."
    return "So there is the general release, as for everybody who gets none of its flights."


def _best(facts: Facts) -> str:
    untold = "" if facts["processor"] else " Its processor was not told, so none was ruled out."
    return "The best package for this device is {version} ({architecture})." + untold


def _too_old(facts: Facts) -> str:
    also = ", or another kind of processor ({architectures:or})" if facts["architectures"] else ""
    return "Every package of {source} needs a newer Windows, {minimum} or later" + also + "."


_LISTED = "The groups list the account"
_PRODUCT = "{product}"
_NOT_MEMBER = "{person} is not in the groups of"
_ROLLOUT = "{source} is being replaced bit by bit, at {percentage} % now; "
_NEW, _OLD = "so it is the new package.", "so it is the previous package."

WORDS: Mapping[tuple[str, str], Words] = {
    ("aliases", "primary"): Words("by its main address, {matched}", _LISTED),
    ("aliases", "alias"): Words("by another address of it, {matched}", _LISTED),
    ("aliases", "no_match"): Words("by none of its addresses", _LISTED),
    ("groups", "member"): Words(
        "{person} is signed in with a Microsoft account and counts as a member of {counted:and}."
    ),
    ("groups", "no_member"): Words(_nobody_counts),
    ("audience", "public"): Words("{product} is public: anybody may see it."),
    ("audience", "private"): Words(_private),
    ("audience_member", Reason.AUDIENCE_MEMBER): Words(
        "Its audience is {groups:and}, and {person} is in it."
    ),
    ("audience_member", Reason.NOT_IN_AUDIENCE): Words(
        "Its audience is {groups:and}, and {person} is not in it."
    ),
    ("audience_member", Reason.NOT_SIGNED_IN): Words(
        "Its audience is {groups:and}; whoever is not signed in cannot be in it."
    ),
    ("audience_member", Reason.WRONG_ACCOUNT_KIND): Words(
        "Its audience is {groups:and}; a work or school account cannot be in it."
    ),
    ("audience_floor", "met"): Words("shows private products", "This device ({device})"),
    ("audience_floor", "below"): Words(_floor("Private products need")),
    ("audience_floor", "unsupported"): Words("Private products are not for {family} at all."),
    ("availability", "available"): Words("is available", _PRODUCT),
    ("availability", "unavailable"): Words(
        _entitled(
            "{product} was taken out of the Store: only those who own it already, or have a"
            " promotional code, can still get it."
        )
    ),
    ("discoverability", "searchable"): Words("is found by searching", _PRODUCT),
    ("discoverability", "link_only"): Words("is found only by its link", _PRODUCT),
    ("discoverability", "stop_acquisition"): Words(
        _entitled(
            "{product} takes no new customers: only those who own it already, or have a"
            " promotional code, can still get it."
        )
    ),
    ("market", "offered"): Words("is offered in {market_or_markets}", _PRODUCT),
    ("market", "not_offered"): Words(_market),
    ("family_offered", "offered"): Words("is offered for {family}", _PRODUCT),
    ("family_offered", "kept_by_owner"): Words(
        "{product} is no longer offered for {family}, but owners keep getting updates."
    ),
    ("family_offered", "not_offered"): Words(
        "{product} is not offered for {family}, only for {families:and}. The general release"
        " decides that, also for testers."
    ),
    ("flight_floor", "met"): Words(
        "can take flights (packages for testers)", "This device ({device})"
    ),
    ("flight_floor", "below"): Words(_floor("Flights (packages for testers) need")),
    ("flight_floor", "unsupported"): Words(
        "Flights (packages for testers) are not for {family} at all."
    ),
    ("flight", "member"): Words(
        "The flight {name} is for members of {via:and}, and it alone decides what {person} gets:"
        " neither lower flights nor the general release are asked."
    ),
    ("flight", "no_member"): Words("the flight {name} ({groups:or})", _NOT_MEMBER),
    ("flight", "unpublished"): Words(_unpublished, "Not open to anybody yet:"),
    ("source", "submission"): Words(_source),
    ("rollout", Reason.ROLLOUT_HALTED): Words(
        "The new package of {source} was stopped by the publisher, " + _OLD
    ),
    ("rollout", Reason.ROLLOUT_OS_BELOW_MINIMUM): Words(
        _ROLLOUT + "this device has no part in that, " + _OLD
    ),
    ("rollout", Reason.ROLLOUT_MANUAL_CHECK): Words(
        _ROLLOUT + "somebody checked for updates by hand, " + _NEW
    ),
    ("rollout", Reason.ROLLOUT_NEW_INSTALL): Words(
        _ROLLOUT + "that concerns only those who have it installed, " + _NEW
    ),
    ("rollout", Reason.ROLLOUT_NOT_SIGNED_IN): Words(_ROLLOUT + "nobody is signed in, " + _OLD),
    ("rollout", Reason.ROLLOUT_INCLUDED): Words(
        _ROLLOUT + "{person} was drawn to be among the first, " + _NEW
    ),
    ("rollout", Reason.ROLLOUT_EXCLUDED): Words(
        _ROLLOUT + "{person} was not drawn to be among the first, " + _OLD
    ),
    ("package", "applicable"): Words(_best),
    ("package", Reason.NO_PACKAGE_FOR_FAMILY): Words("Nothing in {source} is for {family}."),
    ("package", Reason.OS_BELOW_PACKAGE_MINIMUM): Words(_too_old),
    ("package", Reason.ARCHITECTURE_MISMATCH): Words(
        "{source} has nothing for the processor of this device ({device}), only for"
        " {architectures:and}."
    ),
    ("action", "update"): Words("Installed is {installed}, so {offered} is an update."),
    ("action", "keep"): Words(
        "Installed is {installed}, and {offered} is no newer; nothing is ever replaced by an older"
        " one."
    ),
}
"""By step and outcome; of several outcomes joined with commas, by the first."""

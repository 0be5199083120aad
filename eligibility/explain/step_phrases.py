"""The sentences of a story: a table from the step of a trace and its outcome to a text."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from eligibility.access.codes import Reason
from eligibility.access.model import TraceStep

StepFacts = Mapping[str, object]
"""Facts of the step and of the whole story, such as person, product, device, family, source."""


class StepPhrases(NamedTuple):
    """The text of a step, as format strings for the facts.

    text: a whole sentence, or its end if there is a `lead`; may be a function that builds it from
    the facts. lead: the beginning of a sentence that steps with the same lead share; such steps
    never cause a denial.
    """

    text: str | Callable[[StepFacts], str]
    lead: str = ""

    def filled(self, facts: StepFacts) -> str:
        """Fill the facts into the text."""
        text = self.text if isinstance(self.text, str) else self.text(facts)
        return text.format_map(facts)


class NameList(tuple[str, ...]):
    """Names for a sentence. The format is the word before the last name: `{names:and}`."""

    __slots__ = ()

    def __format__(self, joined_by: str) -> str:
        if len(self) < 2:
            return "".join(self) or "none"
        return f"{', '.join(self[:-1])} {joined_by} {self[-1]}"


def kind_of(step: TraceStep) -> str:
    """Return the kind of a step: `flight` for the step `flight:canary`."""
    return step.step.partition(":")[0]


def phrases_of(step: TraceStep) -> StepPhrases:
    """Look up the phrases of a step. Raises: KeyError for an unknown step."""
    return STEPS[kind_of(step), step.outcome.partition(",")[0]]


def _nobody_counts(facts: StepFacts) -> str:
    if not facts["signed_in"]:
        return "Nobody is signed in to the Store, so membership of a group cannot count."
    if facts["work_or_school"]:
        return (
            "{person} is a work or school account; only personal Microsoft accounts count as"
            " members of a group."
        )
    if not facts["active"]:
        return "{person} is signed in with a Microsoft account; {product} does not use groups now."
    return (
        "{person} is signed in with a Microsoft account, and in no group that {product} uses"
        " ({active:or})."
    )


def _private(facts: StepFacts) -> str:
    until = " until {public_at}" if facts["public_at"] else ""
    return (
        "{product} is private"
        + until
        + ": only the people of its audience groups may see or get it."
    )


def _entitled(rule: str) -> Callable[[StepFacts], str]:
    def text(facts: StepFacts) -> str:
        if facts["entitled_by"]:
            return rule + " {person} can, by {entitled_by:and}."
        return rule + " {person} does neither."

    return text


def _market(facts: StepFacts) -> str:
    market = (
        "the market {market} is not one of them" if facts["market"] else "the market is not known"
    )
    return "{product} is offered only in these markets: {markets:and}; " + market + "."


def _floor(rule: str) -> Callable[[StepFacts], str]:
    def text(facts: StepFacts) -> str:
        least = "at least {minimum}" if facts["minimum"] else "another version of Windows"
        return f"{rule} {least}; this device has {{os_version}}."

    return text


def _unpublished(facts: StepFacts) -> str:
    return "{name} (" + ("no packages" if facts["packages"] == "0" else "from {publish_at}") + ")"


def _source(facts: StepFacts) -> str:
    if not facts["flights"]:
        return "{product} has no flights (packages for testers), so the general release applies."
    return "So the general release applies, as for everybody who gets no flight."


def _best(facts: StepFacts) -> str:
    unknown = (
        ""
        if facts["processor"]
        else " Its processor is unknown, so no package was excluded because of it."
    )
    return "The best package for this device is {version} ({architecture})." + unknown


def _too_old(facts: StepFacts) -> str:
    also = ", or another kind of processor ({architectures:or})" if facts["architectures"] else ""
    return "Every package of {source} needs a newer Windows, {minimum} or later" + also + "."


_LISTED = "The groups list the account"
_PRODUCT = "{product}"
_NOT_MEMBER = "{person} is not in the groups of"
_ROLLOUT = "The new package of {source} is being rolled out, to {percentage} % now; "
_NEW, _OLD = "so this device gets the new package.", "so this device gets the previous package."

STEPS: Mapping[tuple[str, str], StepPhrases] = {
    ("aliases", "primary"): StepPhrases("by its main address, {matched}", _LISTED),
    ("aliases", "alias"): StepPhrases("by another of its addresses, {matched}", _LISTED),
    ("aliases", "no_match"): StepPhrases("by none of its addresses", _LISTED),
    ("groups", "member"): StepPhrases(
        "{person} is signed in with a Microsoft account and counts as a member of {counted:and}."
    ),
    ("groups", "no_member"): StepPhrases(_nobody_counts),
    ("audience", "public"): StepPhrases("{product} is public: anybody may see it."),
    ("audience", "private"): StepPhrases(_private),
    ("audience_member", Reason.AUDIENCE_MEMBER): StepPhrases(
        "Its audience is {groups:and}, and {person} is in it."
    ),
    ("audience_member", Reason.NOT_IN_AUDIENCE): StepPhrases(
        "Its audience is {groups:and}, and {person} is not in it."
    ),
    ("audience_member", Reason.NOT_SIGNED_IN): StepPhrases(
        "Its audience is {groups:and}; whoever is not signed in cannot be in it."
    ),
    ("audience_member", Reason.WRONG_ACCOUNT_KIND): StepPhrases(
        "Its audience is {groups:and}; a work or school account cannot be in it."
    ),
    ("audience_floor", "met"): StepPhrases("shows private products", "This device ({device})"),
    ("audience_floor", "below"): StepPhrases(_floor("Private products need")),
    ("audience_floor", "unsupported"): StepPhrases("Private products are not for {family} at all."),
    ("availability", "available"): StepPhrases("is available", _PRODUCT),
    ("availability", "unavailable"): StepPhrases(
        _entitled(
            "{product} was taken out of the Store: only those who own it already, or have a"
            " promotional code, can still get it."
        )
    ),
    ("discoverability", "searchable"): StepPhrases("is found by searching", _PRODUCT),
    ("discoverability", "link_only"): StepPhrases("is found only by its link", _PRODUCT),
    ("discoverability", "stop_acquisition"): StepPhrases(
        _entitled(
            "{product} takes no new customers: only those who own it already, or have a"
            " promotional code, can still get it."
        )
    ),
    ("market", "offered"): StepPhrases("is offered in {market_or_markets}", _PRODUCT),
    ("market", "not_offered"): StepPhrases(_market),
    ("family_offered", "offered"): StepPhrases("is offered for {family}", _PRODUCT),
    ("family_offered", "kept_by_owner"): StepPhrases(
        "{product} is no longer offered for {family}, but owners keep getting updates."
    ),
    ("family_offered", "not_offered"): StepPhrases(
        "{product} is not offered for {family}, only for {families:and}. The general release"
        " decides that, also for testers."
    ),
    ("flight_floor", "met"): StepPhrases(
        "can take flights (packages for testers)", "This device ({device})"
    ),
    ("flight_floor", "below"): StepPhrases(_floor("Flights (packages for testers) need")),
    ("flight_floor", "unsupported"): StepPhrases(
        "Flights (packages for testers) are not for {family} at all."
    ),
    ("flight", "member"): StepPhrases(
        "The flight {name} is for members of {via:and}, and it alone decides what {person} gets:"
        " neither lower flights nor the general release count."
    ),
    ("flight", "no_member"): StepPhrases("the flight {name} ({groups:or})", _NOT_MEMBER),
    ("flight", "unpublished"): StepPhrases(_unpublished, "Not open to anybody yet:"),
    ("source", "submission"): StepPhrases(_source),
    ("rollout", Reason.ROLLOUT_HALTED): StepPhrases(
        "The publisher stopped the new package of {source}, " + _OLD
    ),
    ("rollout", Reason.ROLLOUT_OS_BELOW_MINIMUM): StepPhrases(
        _ROLLOUT + "this device cannot take part in that, " + _OLD
    ),
    ("rollout", Reason.ROLLOUT_MANUAL_CHECK): StepPhrases(
        _ROLLOUT + "somebody checked for updates by hand, " + _NEW
    ),
    ("rollout", Reason.ROLLOUT_NEW_INSTALL): StepPhrases(
        _ROLLOUT + "that concerns only those who have it installed, " + _NEW
    ),
    ("rollout", Reason.ROLLOUT_NOT_SIGNED_IN): StepPhrases(
        _ROLLOUT + "nobody is signed in, " + _OLD
    ),
    ("rollout", Reason.ROLLOUT_INCLUDED): StepPhrases(
        _ROLLOUT + "{person} was drawn to be among the first, " + _NEW
    ),
    ("rollout", Reason.ROLLOUT_EXCLUDED): StepPhrases(
        _ROLLOUT + "{person} was not drawn to be among the first, " + _OLD
    ),
    ("package", "applicable"): StepPhrases(_best),
    ("package", Reason.NO_PACKAGE_FOR_FAMILY): StepPhrases("Nothing in {source} is for {family}."),
    ("package", Reason.OS_BELOW_PACKAGE_MINIMUM): StepPhrases(_too_old),
    ("package", Reason.ARCHITECTURE_MISMATCH): StepPhrases(
        "{source} has nothing for the processor of this device ({device}), only for"
        " {architectures:and}."
    ),
    ("action", "update"): StepPhrases(
        "Version {installed} is installed, so {offered} is an update."
    ),
    ("action", "keep"): StepPhrases(
        "Version {installed} is installed, and {offered} is not newer; the Store never installs an"
        " older version."
    ),
}
"""(kind of step, outcome) -> phrases. For several outcomes, joined with commas, use the first."""

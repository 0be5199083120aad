"""A decision as a short story that can be read out: the verdict, and then why, step by step.

Pure, and of the trace alone: what is told was decided and noted by `decide`. The words are words.py's.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import UNSET

from eligibility.access.explanation import Sentence
from eligibility.access.model import AccountKind, Decision, TraceStep
from eligibility.explain.device_names import a_device, family_text, release_text
from eligibility.explain.documentation import pages
from eligibility.explain.phrases import REASONS
from eligibility.explain.step_phrases import NameList, StepFacts, kind_of, words_of
from eligibility.rules.case import Case

MOST_SENTENCES = 12
"""A story that somebody reads out has no more."""
_MOST_TOLD = 4
"""How many of what shares one sentence are told; the others are counted."""
_OF_FLIGHTS = frozenset({"flight_floor", "flight"})


class _Told(NamedTuple):
    """A step in words, and the beginning that it shares with its neighbours, or "" for none."""

    lead: str
    text: str
    source: str


def story(decision: Decision, case: Case) -> tuple[Sentence, ...]:
    """Tell a decision: the verdict in one sentence, then each step that led to it.

    Args: decision = with its trace; case = what it was made from, for the names of things.
    Returns: plain sentences in the order of the steps, each with the pages of its rules.
    """
    standing = _standing(decision, case)
    steps = [] if decision.trace is UNSET else decision.trace
    told = [_told(step, standing) for step in steps if _matters(step, case)]
    return Sentence(_verdict(decision, standing)), *_sentences(told)


def _matters(step: TraceStep, case: Case) -> bool:
    """Whether it is worth a word: of flights nothing is said where there are none."""
    return bool(case.product.flights) or kind_of(step) not in _OF_FLIGHTS


def _told(step: TraceStep, standing: StepFacts) -> _Told:
    words, facts = words_of(step), _facts(step, standing)
    return _Told(words.lead.format_map(facts), words.told(facts), step.source)


def _sentences(told: Iterable[_Told]) -> Iterator[Sentence]:
    """A sentence each; those that share a lead are one, in the place of the first of them."""
    shared: dict[str, list[_Told]] = {}
    for place, one in enumerate(told):
        shared.setdefault(one.lead or str(place), []).append(one)
    # Long stories leave out what does not stand in the way.
    brief = len(shared) >= MOST_SENTENCES
    for several in shared.values():
        if several[0].lead and brief:
            continue
        sources = dict.fromkeys(page for one in several for page in pages(one.source))
        text = _together(several) if several[0].lead else several[0].text
        yield Sentence(_begun(text), tuple(sources))


def _together(several: list[_Told]) -> str:
    named = [one.text for one in several[:_MOST_TOLD]]
    if len(several) > _MOST_TOLD:
        named.append(f"{len(several) - _MOST_TOLD} more")
    return f"{several[0].lead} {NameList(named):and}."


def _begun(text: str) -> str:
    """A sentence begins large, unless it begins with an address, which is no word."""
    return text if "@" in text.partition(" ")[0] else text[:1].upper() + text[1:]


# --- who and what it is about ---


def _standing(decision: Decision, case: Case) -> StepFacts:
    query, product = case.query, case.product
    device, account = query.device, query.account
    source, offered = decision.package.source, decision.package.package
    return {
        "person": account.id if account else "a person who is not signed in",
        "signed_in": account is not None,
        "work_or_school": account is not None and account.kind is not AccountKind.MICROSOFT,
        "product": product.name,
        "flights": bool(product.flights),
        "device": a_device(device),
        "processor": device.architecture,
        "family": family_text(device.family),
        "os_version": release_text(device.os_version),
        "source": _source(source.name if source and source.flight_id else None),
        "package": f"{offered.version} ({offered.architecture})" if offered else "",
        "why_not": NameList(_why_not(decision)),
    }


def _source(flight: str | None) -> str:
    return f"the flight {flight}" if flight else "the general release"


def _why_not(decision: Decision) -> Iterator[str]:
    half = decision.package if decision.submission.granted else decision.submission
    return (REASONS[reason].text for reason in half.reasons if reason in REASONS)


def _facts(step: TraceStep, standing: StepFacts) -> StepFacts:
    facts: dict[str, object] = dict(standing)
    for name, value in step.facts.items():
        facts[name] = NameList(value) if isinstance(value, tuple) else value
    if "families" in facts:
        facts["families"] = NameList(map(family_text, step.facts["families"]))
    if facts.get("minimum"):
        facts["minimum"] = release_text(str(facts["minimum"]))
    if "markets" in facts:
        facts["market_or_markets"] = facts["market"] or f"{facts['markets']:and}"
    return facts


# --- the verdict ---


def _verdict(decision: Decision, standing: StepFacts) -> str:
    if not decision.submission.granted:
        return (
            "No: {person} may not see {product}, and so cannot get it ({why_not:and}).".format_map(
                standing
            )
        )
    if not decision.package.granted:
        no = "No: {person} may see {product}, but gets nothing on this device ({why_not:and})."
        return no.format_map(standing)
    return (
        _GRANTED[decision.package.action].format_map(standing)
        + _DELIVERY[decision.package.delivery]
    )


_GRANTED = {
    "install": "Yes: {person} can install {product} {package} from {source}",
    "update": "Yes: {person} gets an update of {product} to {package} from {source}",
    "keep": "Yes: {person} may have {product}, and keeps what is installed; {source} has {package}",
}
_DELIVERY = {
    "automatic": ".",
    "manual": ". On this device somebody has to look for updates by hand.",
    None: ".",
}

"""Turn a decision and its trace into a short story. Pure. step_phrases.py has the sentences."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import UNSET

from eligibility.access.codes import AccountKind
from eligibility.access.explanation import Sentence
from eligibility.access.model import Decision, TraceStep
from eligibility.explain.device_names import a_device, family_text, release_text
from eligibility.explain.documentation import pages
from eligibility.explain.phrases import REASONS
from eligibility.explain.step_phrases import NameList, StepFacts, kind_of, phrases_of
from eligibility.rules.case import Case

MOST_SENTENCES = 12
"""Limit of a story: a longer one omits the steps that cannot cause a denial."""
_MOST_NAMED = 4
"""A shared sentence names this many items, and then only the number of the others."""
_OF_FLIGHTS = frozenset({"flight_floor", "flight"})


class _Clause(NamedTuple):
    """The text of a step. lead: the beginning of a sentence that it shares with others, or ""."""

    lead: str
    text: str
    source: str


def story(decision: Decision, case: Case) -> tuple[Sentence, ...]:
    """Describe a traced decision: the verdict, then the steps in order, with their rules' pages."""
    context = _context(decision, case)
    steps = [] if decision.trace is UNSET else decision.trace
    clauses = [_clause(step, context) for step in steps if _matters(step, case)]
    return Sentence(_verdict(decision, context)), *_sentences(clauses)


def _matters(step: TraceStep, case: Case) -> bool:
    """Check that the story needs a step: a product without flights needs none about flights."""
    return bool(case.product.flights) or kind_of(step) not in _OF_FLIGHTS


def _clause(step: TraceStep, context: StepFacts) -> _Clause:
    phrases, facts = phrases_of(step), _facts(step, context)
    return _Clause(phrases.lead.format_map(facts), phrases.filled(facts), step.source)


def _sentences(clauses: Iterable[_Clause]) -> Iterator[Sentence]:
    """Build a sentence for each clause; clauses with the same lead share one sentence."""
    shared: dict[str, list[_Clause]] = {}
    for number, clause in enumerate(clauses):
        shared.setdefault(clause.lead or str(number), []).append(clause)
    # Keep a long story short: steps that share the beginning of a sentence (`lead`) cause no denial.
    brief = len(shared) >= MOST_SENTENCES
    for several in shared.values():
        if several[0].lead and brief:
            continue
        sources = dict.fromkeys(page for clause in several for page in pages(clause.source))
        text = _joined(several) if several[0].lead else several[0].text
        yield Sentence(_capitalized(text), tuple(sources))


def _joined(several: list[_Clause]) -> str:
    named = [clause.text for clause in several[:_MOST_NAMED]]
    if len(several) > _MOST_NAMED:
        named.append(f"{len(several) - _MOST_NAMED} more")
    return f"{several[0].lead} {NameList(named):and}."


def _capitalized(text: str) -> str:
    """Capitalize a sentence, unless its first word is an e-mail address."""
    return text if "@" in text.partition(" ")[0] else text[:1].upper() + text[1:]


def _context(decision: Decision, case: Case) -> StepFacts:
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
        "installed": query.installed_version,
        "family": family_text(device.family),
        "os_version": release_text(device.os_version),
        "source": f"the flight {source.name}"
        if source and source.flight_id
        else "the general release",
        "package": f"{offered.version} ({offered.architecture})" if offered else "",
        "why_not": NameList(_why_not(decision)),
    }


def _why_not(decision: Decision) -> Iterator[str]:
    half = decision.package if decision.submission.granted else decision.submission
    return (REASONS[reason].text for reason in half.reasons if reason in REASONS)


def _facts(step: TraceStep, context: StepFacts) -> StepFacts:
    facts: dict[str, object] = dict(context)
    for name, value in step.facts.items():
        facts[name] = NameList(value) if isinstance(value, tuple) else value
    if "families" in facts:
        facts["families"] = NameList(map(family_text, step.facts["families"]))
    if facts.get("minimum"):
        facts["minimum"] = release_text(str(facts["minimum"]))
    if "markets" in facts:
        facts["market_or_markets"] = facts["market"] or f"{facts['markets']:and}"
    return facts


def _verdict(decision: Decision, context: StepFacts) -> str:
    package = decision.package
    if not decision.submission.granted:
        text = _HIDDEN
    elif not package.granted:
        text = _NOTHING
    else:
        text = _GRANTED[package.action] + (_MANUAL if package.delivery == "manual" else "")
    if not decision.granted and context["installed"]:
        text += _KEPT
    return text.format_map(context)


_HIDDEN = "No: {person} may not see {product}, and so cannot get it ({why_not:and})."
_NOTHING = "No: {person} may see {product}, but gets nothing on this device ({why_not:and})."
_KEPT = " What is installed ({installed}) stays, without updates."
_GRANTED = {
    "install": "Yes: {person} can install {product} {package} from {source}.",
    "update": "Yes: {person} gets an update of {product} to {package} from {source}.",
    "keep": "Yes: {person} may have {product}, and keeps what is installed; {source} has {package}.",
}
_MANUAL = " On this device somebody has to look for updates by hand."

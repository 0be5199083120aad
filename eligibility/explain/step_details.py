"""Describe what each step of a trace compared, from the facts that `decide` stored in the step."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import UNSET, structs

from eligibility.access.model import Decision, TraceStep
from eligibility.explain.step_phrases import kind_of

Facts = Mapping[str, str | tuple[str, ...]]


def with_details(decision: Decision) -> Decision:
    """Fill in the `detail` of each step of the trace. Without a trace, change nothing."""
    if decision.trace is UNSET:
        return decision
    steps = tuple(structs.replace(step, detail=detail_of(step)) for step in decision.trace)
    return structs.replace(decision, trace=steps)


def detail_of(step: TraceStep) -> str:
    """Describe what a step compared. Raises: KeyError for an unknown step."""
    facts = {
        name: _names(value) if isinstance(value, tuple) else value
        for name, value in step.facts.items()
    }
    kind = kind_of(step)
    text = _DETAILS.get((kind, step.outcome)) or _DETAILS[kind, ""]
    return (text if isinstance(text, str) else text(step.facts)).format_map(facts)


def _audience(facts: Facts) -> str:
    return "declared {declared}" + ("; public from {public_at}" if facts["public_at"] else "")


def _floor(facts: Facts) -> str:
    floor = "`{minimum}`" if facts["minimum"] else "none named"
    return "{query_device} against the floor " + floor


def _claim(facts: Facts) -> str:
    owned = "owned" if "owning it" in facts["entitled_by"] else "not owned"
    code = "a" if "a promotional code" in facts["entitled_by"] else "no"
    return f"{owned}, {code} promotional code"


def _market(facts: Facts) -> str:
    everywhere = facts["markets"] == ("every market",)
    market = facts["market"] or "unknown"
    return f"market `{market}` against {'every market' if everywhere else '{markets}'}"


def _family_offered(facts: Facts) -> str:
    universal = "Windows.Universal" in facts["families"]
    note = ", where Windows.Universal stands for every family but Windows.Xbox" if universal else ""
    return "{query_family} against {families} of the non-flighted submission" + note


def _package(facts: Facts) -> str:
    text = "{candidates} package(s) for {query_device}"
    if not facts["processor"]:
        text += "; architecture unknown, so not tested"
    return text + (": {file_name} ({architecture})" if facts["version"] else "")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


_DETAILS: Mapping[tuple[str, str], str | Callable[[Facts], str]] = {
    ("aliases", "no_match"): "no address of the account is in a group",
    ("aliases", "primary"): "matched `{matched}`: the primary address",
    ("aliases", "alias"): "matched `{matched}`: an alias, not the primary address",
    ("groups", ""): "active groups: {active}; the account counts as a member of: {counted}",
    ("audience", ""): _audience,
    ("audience_member", ""): "audience groups: {groups}",
    ("audience_floor", ""): _floor,
    ("flight_floor", ""): _floor,
    ("availability", ""): _claim,
    ("discoverability", ""): _claim,
    ("market", ""): _market,
    ("family_offered", ""): _family_offered,
    ("flight", ""): "groups {groups}; the account is in {via}",
    ("source", ""): "no flight applies: the non-flighted submission",
    ("rollout", ""): "{percentage} % of `{of}`, {status}: {side} packages",
    ("package", ""): _package,
    ("action", ""): "installed `{installed}`, offered `{offered}`",
}
"""(kind of step, outcome) -> format string, or a function that builds one from the facts.

The outcome "" matches any. Facts that only this table uses: `query_device` (as in
`Windows.Desktop 10.0.22631.0`), `query_family`, `of` (the name of a rollout's source), `status`,
`candidates` (their number), `processor`, `file_name`.
"""

"""What each step of a trace compared, in one line made of the step's facts.

A trace carries facts alone. Their words are made here, where somebody reads them.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import UNSET, structs

from eligibility.access.model import Decision, TraceStep
from eligibility.explain.step_phrases import kind_of

Facts = Mapping[str, str | tuple[str, ...]]


def with_details(decision: Decision) -> Decision:
    """Return the decision with the `detail` of each step of its trace; without a trace, as it is."""
    if decision.trace is UNSET:
        return decision
    steps = tuple(structs.replace(step, detail=detail_of(step)) for step in decision.trace)
    return structs.replace(decision, trace=steps)


def detail_of(step: TraceStep) -> str:
    """Say what a step compared. Raises: KeyError for an unknown step."""
    return _DETAILS[kind_of(step)]({**step.facts, "outcome": step.outcome})


def _aliases(facts: Facts) -> str:
    if facts["outcome"] == "no_match":
        return "no address of the account is in a group"
    primary = facts["outcome"] == "primary"
    note = "the primary address" if primary else "an alias, not the primary address"
    return f"matched `{facts['matched']}`: {note}"


def _groups(facts: Facts) -> str:
    active, counted = _names(facts["active"]), _names(facts["counted"])
    return f"active groups: {active}; the account counts as a member of: {counted}"


def _audience(facts: Facts) -> str:
    until = f"; public from {facts['public_at']}" if facts["public_at"] else ""
    return f"declared {facts['declared']}{until}"


def _audience_member(facts: Facts) -> str:
    return f"audience groups: {_names(facts['groups'])}"


def _floor(facts: Facts) -> str:
    floor = f"`{facts['minimum']}`" if facts["minimum"] else "none named"
    return f"{facts['query_device']} against the floor {floor}"


def _claim(facts: Facts) -> str:
    owned = "owned" if "owning it" in facts["entitled_by"] else "not owned"
    code = "a" if "a promotional code" in facts["entitled_by"] else "no"
    return f"{owned}, {code} promotional code"


def _market(facts: Facts) -> str:
    everywhere = facts["markets"] == ("every market",)
    limits = "every market" if everywhere else _names(facts["markets"])
    return f"market `{facts['market'] or 'unknown'}` against {limits}"


def _family_offered(facts: Facts) -> str:
    universal = "Windows.Universal" in facts["families"]
    note = ", where Windows.Universal stands for every family but Windows.Xbox" if universal else ""
    return f"{facts['query_family']} against {_names(facts['families'])} of the non-flighted submission{note}"


def _flight(facts: Facts) -> str:
    return f"groups {_names(facts['groups'])}; the account is in {_names(facts['via'])}"


def _rollout(facts: Facts) -> str:
    return (
        f"{facts['percentage']} % of `{facts['of']}`, {facts['status']}: {facts['side']} packages"
    )


def _package(facts: Facts) -> str:
    untold = "" if facts["processor"] else "; architecture unknown, so not tested"
    text = f"{facts['candidates']} package(s) for {facts['query_device']}{untold}"
    return f"{text}: {facts['file_name']} ({facts['architecture']})" if facts["version"] else text


def _action(facts: Facts) -> str:
    return f"installed `{facts['installed']}`, offered `{facts['offered']}`"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


_DETAILS: Mapping[str, Callable[[Facts], str]] = {
    "aliases": _aliases,
    "groups": _groups,
    "audience": _audience,
    "audience_member": _audience_member,
    "audience_floor": _floor,
    "flight_floor": _floor,
    "availability": _claim,
    "discoverability": _claim,
    "market": _market,
    "family_offered": _family_offered,
    "flight": _flight,
    "source": lambda _: "no flight applies: the non-flighted submission",
    "rollout": _rollout,
    "package": _package,
    "action": _action,
}
"""By kind of step. Beside the facts that the story reads, the floors and `package` need `query_device`
(`Windows.Desktop 10.0.22631.0`), `family_offered` needs `query_family`, `rollout` needs `of` (the name of its
source) and `status`, and `package` needs `candidates` (how many), `processor` and `file_name`."""

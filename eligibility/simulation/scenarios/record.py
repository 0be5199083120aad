"""Record a query and its decision as a case of a scenario file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

import msgspec
import yaml

from eligibility.access.asker import NOBODY, TERMS
from eligibility.access.codes import AccountKind
from eligibility.access.model import AccessQuery, Account, Decision, Device
from eligibility.catalog.files import product_body
from eligibility.errors import Fault, InvalidInput
from eligibility.explain.device_names import device_name
from eligibility.explain.outcome import outcome_of
from eligibility.explain.phrases import short_text
from eligibility.rules.rollout import rollout_position
from eligibility.simulation.scenarios.model import InvalidScenarios
from eligibility.simulation.scenarios.run import observed
from eligibility.simulation.state import State

_RECORDED = ("granted", "source", "version", "action", "reasons")
_MOST_TRIED = 1_000_000
TITLE = "Recorded from the store"


@dataclass(frozen=True, slots=True)
class Recording:
    """Options of a recording. sentence: None = written from the decision.

    inline: record the account's groups and the time, so that the case needs no store. masked:
    replace addresses by others that get the same.
    """

    sentence: str | None = None
    inline: bool = False
    masked: bool = False


def recorded_case(query: AccessQuery, state: State, how: Recording) -> dict[str, Any]:
    """Decide a query, and return it as a case. Raises: InvalidInput if masking fails."""
    decision = state.decide(query)
    account = query.account
    groups = state.snapshot.groups_of(account) if account is not None else frozenset()
    if account is not None and how.masked:
        account = _masked(account, state)
    case: dict[str, Any] = {
        "case": how.sentence or sentence_of(account, query.device, decision),
        "product": query.product_id,
        "account": account.id if account is not None else None,
    }
    if account is not None and account.kind is not AccountKind.MICROSOFT:
        case["kind"] = str(account.kind)
    if account is not None and account.aliases:
        case["aliases"] = list(account.aliases)
    if account is not None and (how.inline or how.masked):
        case["in"] = sorted(groups)
    case["device"] = _device_fields(query.device)
    if query.at is not None:
        case["now"] = _text(query.at)
    elif how.inline:
        case["now"] = _text(state.moment.replace(microsecond=0))
    case |= {name: value for name in TERMS if (value := getattr(query, name))}
    seen = observed(decision)
    case["expect"] = {name: seen[name] for name in _RECORDED if seen[name] is not None}
    return case


def sentence_of(account: Account | None, device: Device, decision: Decision) -> str:
    """Return a query and its decision as a sentence."""
    who = NOBODY.strip("()").capitalize() if account is None else account.id
    what = device_name(device)
    outcome = outcome_of(decision)
    outcome_text = "gets" if outcome.granted else "gets nothing -"
    return f"{who} on {what} {outcome_text} {short_text(outcome)}"


def _masked(account: Account, state: State) -> Account:
    """Find an address on the same side of each rollout, because sides depend on addresses."""
    thresholds, product_id = state.snapshot.thresholds, state.product_id
    side = rollout_position(thresholds, product_id, account.rollout_address)
    tried = (f"account-{number}@example.com" for number in islice(count(1), _MOST_TRIED))
    other = next((a for a in tried if rollout_position(thresholds, product_id, a) == side), None)
    if other is None:
        detail = f"no other address of {_MOST_TRIED:,} is on the same side of the rollout"
        raise InvalidInput([Fault("--mask", "NO_MASK", detail)], "the recording")
    name = other.partition("@")[0]
    aliases = tuple(f"{name}-alias-{n}@example.com" for n, _ in enumerate(account.aliases, 1))
    return Account(other, account.kind, aliases)


def _device_fields(device: Device) -> dict[str, str]:
    fields: dict[str, str | None] = msgspec.structs.asdict(device)
    return {name: value for name, value in fields.items() if value is not None}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def given_fields(state: State, how: Recording) -> dict[str, Any]:
    """Return `given` for a new file: the state's product, or the live store."""
    if not how.inline:
        return {"store": "live"}
    return {"products": {state.product_id: product_body(state.product)}}


def new_file(fields: Mapping[str, Any], case: Mapping[str, Any]) -> str:
    """Return the text of a new file with one case."""
    return _dump({"title": TITLE, "given": fields, "cases": [case]})


def appended(text: str, case: Mapping[str, Any], source: str) -> str:
    """Add a case at the end of a file's text. Raises: InvalidScenarios if that is not `cases`."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    key, cases = root.value[-1]
    if key.value != "cases" or cases.flow_style:
        line = key.start_mark.line + 1
        detail = (
            f"`{key.value}` is the last key: a case can be added only if `cases` is last, with one"
            " case below the other"
        )
        raise InvalidScenarios([Fault(f"{source}:{line}", "NOT_AT_END", detail)])
    indent = " " * cases.start_mark.column
    added = "".join(indent + line for line in _dump([case]).splitlines(keepends=True))
    return f"{text.rstrip()}\n\n{added}"


def _dump(value: Any) -> str:
    """Return a value as YAML that formats/yaml_file.py reads back unchanged."""
    return yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )

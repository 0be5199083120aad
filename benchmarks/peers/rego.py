"""Rego through regorus, an engine in Rust: members as data, one rule with an else a source."""

import importlib
import json

from benchmarks.peers.serving import Ask, Rules, serve


def load(rules: Rules) -> Ask:
    """Compile the rule and load the members once."""
    engine = importlib.import_module("hobofan_regorus").Engine()
    engine.add_policy("bench.rego", _policy(rules))
    members = {group_id: dict.fromkeys(group, True) for group_id, group in rules.groups.items()}
    engine.add_data_json(json.dumps({"members": members}))

    def ask(account: str, family: str, build: int) -> str | None:
        engine.set_input({"account": account, "family": family, "build": build})
        answer: str = engine.eval_rule("data.bench.source")
        return answer or None

    return ask


def _policy(rules: Rules) -> str:
    lines = [
        "package bench",
        "import rego.v1",
        'default source := ""',
        "in_audience if {",
        f"  input.build >= {rules.minimum_build}",
        f'  data.members["{rules.audience}"][input.account]',
        "}",
        *(f'flighted if input.family == "{family}"' for family in rules.flight_families),
    ]
    chain = []
    for place, (flight_id, groups) in enumerate(rules.flights.items()):
        lines += [f'in_{place} if data.members["{one}"][input.account]' for one in groups]
        chain.append(f'"{flight_id}" if {{ in_audience; flighted; in_{place} }}')
    chain.append(f'"{rules.submission}" if in_audience')
    lines.append("source := " + "\nelse := ".join(chain))
    return "\n".join(lines)


if __name__ == "__main__":
    serve(load)

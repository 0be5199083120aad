"""Rego (regorus): members as objects, one rule with an else per flight, one call per decision."""

import json
from collections.abc import Callable
from typing import Any

import hobofan_regorus
from common import run

_MODULE = """
package store
import rego.v1

visible if {{
    data.members["{audience}"][input.account]
    input.build >= 14393
}}
flightable if input.family == "Windows.Xbox"
flightable if {{
    input.family == "Windows.Desktop"
    input.build >= 10586
}}
{members}
default source := null
source := null if not visible
{sources}
else := "submission"
"""
_MEMBER = 'in_{name} if data.members["{group}"][input.account]\n'
_SOURCE = 'else := "{name}" if {{\n    flightable\n    in_{name}\n}}\n'


def prepare(world: dict[str, Any]) -> Callable[[str, str, int], str | None]:
    """Load module and members in advance, and return the decision function."""
    flights = world["flights"]
    engine = hobofan_regorus.Engine()
    module = _MODULE.format(
        audience=world["audience"],
        members="".join(_MEMBER.format(name=n, group=g) for n, groups in flights for g in groups),
        sources="".join(_SOURCE.format(name=name) for name, _ in flights),
    )
    engine.add_policy("store.rego", module)
    members = {group: dict.fromkeys(all_, True) for group, all_ in world["members"].items()}
    engine.add_data_json(json.dumps({"members": members}))

    def decide(address: str, family: str, build: int) -> str | None:
        engine.set_input({"account": address, "family": family, "build": build})
        source: str | None = engine.eval_rule("data.store.source")
        return source

    return decide


if __name__ == "__main__":
    run(prepare)

"""Cedar (cedarpy): members as entities in groups, one policy per flight, one call per decision."""

import json
from collections.abc import Callable
from typing import Any

import cedarpy
from common import run

_SUBMISSION = """
@id("submission")
permit (principal in Group::"{audience}", action == Action::"get", resource == Product::"P")
when {{ context.build >= 14393 }};
"""
_FLIGHT = """
@id("{name}")
permit (principal in Group::"{audience}", action == Action::"get", resource == Product::"P")
when {{
  context.build >= 14393
  && (principal in Group::"{groups[0]}" || principal in Group::"{groups[1]}")
  && (context.family == "Windows.Xbox" || (context.family == "Windows.Desktop" && context.build >= 10586))
}};
"""


def prepare(world: dict[str, Any]) -> Callable[[str, str, int], str | None]:
    """Parse policies and entities in advance, and return the decision function."""
    audience, flights = world["audience"], world["flights"]
    text = _SUBMISSION.format(audience=audience) + "".join(
        _FLIGHT.format(name=name, audience=audience, groups=groups) for name, groups in flights
    )
    policies = cedarpy.PolicySet.from_str(text)
    entities = cedarpy.Entities.from_json_str(json.dumps(_entities(world["members"])))
    order = [name for name, _ in flights] + ["submission"]

    def decide(address: str, family: str, build: int) -> str | None:
        request = {
            "principal": {"type": "User", "id": address},
            "action": {"type": "Action", "id": "get"},
            "resource": {"type": "Product", "id": "P"},
            "context": {"family": family, "build": build},
        }
        result = cedarpy.is_authorized(request, policies, entities)
        satisfied = result.diagnostics.id_annotations_by_reason.values()
        return next((name for name in order if name in satisfied), None)

    return decide


def _entities(members: dict[str, list[str]]) -> list[dict[str, Any]]:
    parents: dict[str, list[dict[str, str]]] = {}
    for group, addresses in members.items():
        for address in addresses:
            parents.setdefault(address, []).append({"type": "Group", "id": group})
    users = [
        {"uid": {"type": "User", "id": address}, "attrs": {}, "parents": groups}
        for address, groups in parents.items()
    ]
    groups = [{"uid": {"type": "Group", "id": g}, "attrs": {}, "parents": []} for g in members]
    return users + groups


if __name__ == "__main__":
    run(prepare)

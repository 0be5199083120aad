"""Cedar through cedarpy: members as entities, one policy a source, parsed once."""

import importlib
import json

from benchmarks.peers.serving import Ask, Rules, serve


def load(rules: Rules) -> Ask:
    """Read policies and entities once; the highest of the policies that permit is the answer."""
    cedar = importlib.import_module("cedarpy")
    policies = cedar.PolicySet.from_str("\n".join(_policy(rules, one) for one in rules.sources))
    entities = cedar.Entities.from_json_str(json.dumps(_entities(rules)))
    action, resource = 'Action::"install"', 'Product::"bench"'

    def ask(account: str, family: str, build: int) -> str | None:
        request = {
            "principal": {"type": "Account", "id": account},
            "action": action,
            "resource": resource,
            "context": {"family": family, "build": build},
        }
        result = cedar.is_authorized(request, policies, entities)
        permitting = result.diagnostics.id_annotations_by_reason.values()
        return next((one for one in rules.sources if one in permitting), None)

    return ask


def _policy(rules: Rules, source: str) -> str:
    conditions = [
        f"context.build >= {rules.minimum_build}",
        f'principal in Group::"{rules.audience}"',
    ]
    if source in rules.flights:
        families = ", ".join(f'"{family}"' for family in rules.flight_families)
        members = ", ".join(f'Group::"{group_id}"' for group_id in rules.flights[source])
        conditions += [f"[{families}].contains(context.family)", f"principal in [{members}]"]
    return (
        f'@id("{source}") permit(principal, action, resource) when {{ {" && ".join(conditions)} }};'
    )


def _entities(rules: Rules) -> list[dict[str, object]]:
    groups_of: dict[str, list[str]] = {}
    for group_id, members in rules.groups.items():
        for account in members:
            groups_of.setdefault(account, []).append(group_id)
    groups = [_entity("Group", group_id, []) for group_id in rules.groups]
    return groups + [_entity("Account", *one) for one in groups_of.items()]


def _entity(kind: str, name: str, parents: list[str]) -> dict[str, object]:
    return {
        "uid": {"type": kind, "id": name},
        "attrs": {},
        "parents": [{"type": "Group", "id": parent} for parent in parents],
    }


if __name__ == "__main__":
    serve(load)

"""Unleash's own engine, Yggdrasil: a feature whose strategies, in order, name a variant each."""

import importlib
import json

from benchmarks.peers.serving import Ask, Rules, serve

_FEATURE = "bench"


def load(rules: Rules) -> Ask:
    """Load the feature, its members as segments."""
    engine = importlib.import_module("yggdrasil_engine.engine").UnleashEngine()
    engine.take_state(json.dumps(_state(rules)))

    def ask(account: str, family: str, build: int) -> str | None:
        context = {"userId": account, "properties": {"family": family, "build": str(build)}}
        variant = engine.check_variant(_FEATURE, context).variant
        return str(variant.name) if variant.enabled else None

    return ask


def _state(rules: Rules) -> dict[str, object]:
    numbers = {group_id: number for number, group_id in enumerate(rules.groups, 1)}
    strategies = [
        _strategy(rules, source, sorted({numbers[rules.audience], numbers[group_id]}))
        for source, groups in rules.sources.items()
        for group_id in groups
    ]
    feature = {"name": _FEATURE, "enabled": True, "strategies": strategies}
    segments = [
        {"id": numbers[group_id], "constraints": [_constraint("userId", "IN", members)]}
        for group_id, members in rules.groups.items()
    ]
    return {"version": 2, "features": [feature], "segments": segments}


def _strategy(rules: Rules, source: str, segments: list[int]) -> dict[str, object]:
    constraints: list[dict[str, object]] = [
        {"contextName": "build", "operator": "NUM_GTE", "value": str(rules.minimum_build)}
    ]
    if source in rules.flights:
        constraints.append(_constraint("family", "IN", rules.flight_families))
    variant = {"name": source, "weight": 1_000, "stickiness": "default"}
    return {
        "name": "default",
        "parameters": {},
        "constraints": constraints,
        "segments": segments,
        "variants": [variant],
    }


def _constraint(name: str, operator: str, values: list[str]) -> dict[str, object]:
    return {"contextName": name, "operator": operator, "values": values}


if __name__ == "__main__":
    serve(load)

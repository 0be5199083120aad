"""POST /v1/simulations as the OpenAPI document describes it: what FastAPI cannot see."""

from typing import Any

import msgspec

from eligibility.releases import facts
from eligibility.simulation.body import SimulationFields

NDJSON = "application/x-ndjson"
_SCHEMAS = "#/components/schemas/"

EXAMPLES: dict[str, dict[str, Any]] = {
    "two accounts and nobody": {
        "product_id": "9NCONTOSORDR",
        "accounts": [
            "ada@contoso.example",
            {"id": "grace@contoso.example", "installed_version": "1.4.0.0"},
            None,
        ],
        "devices": ["windows-11", {"family": "Xbox One", "os_version": "22621"}],
    },
    "a group, as if two more people were in it": {
        "product_id": "9NCONTOSORDR",
        "accounts": {"groups": ["canary-testers"]},
        "devices": ["desktop"],
        "draft": {
            "groups": {"canary-testers": {"add": ["linus@contoso.example", "alan@contoso.example"]}}
        },
    },
}

EXTRA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": f"{_SCHEMAS}SimulationFields"},
                "examples": {title: {"value": value} for title, value in EXAMPLES.items()},
            }
        },
    }
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What every account gets on every device.",
        "content": {
            NDJSON: {
                "schema": {
                    "type": "string",
                    "description": "Lines of JSON, each an object of one name: `head` with the"
                    " state and the devices, a `class` each, an `account` each, and `end` with the"
                    " counts. Without an `end` the answer was cut.",
                }
            }
        },
    }
}


def schemas() -> dict[str, Any]:
    """The schemas of the body, by name."""
    _, made = msgspec.json.schema_components((SimulationFields,), ref_template=_SCHEMAS + "{name}")
    made["SimulationFields"]["examples"] = list(EXAMPLES.values())
    devices = made["SimulationFields"]["properties"]["devices"]
    devices["minItems"] = 1
    devices["description"] = f"Presets ({', '.join(facts().presets)}) and devices."
    made["DraftFields"]["properties"]["product"] = {
        "anyOf": [{"$ref": f"{_SCHEMAS}Product"}, {"type": "null"}]
    }
    return made

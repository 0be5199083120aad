"""POST /v1/simulations as the OpenAPI document describes it: what FastAPI cannot see."""

from typing import Any

import msgspec

from eligibility.releases import facts
from eligibility.simulation.body import SimulationFields
from eligibility.simulation.coverage import Coverage
from eligibility.simulation.told import AccountLine, ClassLine, EndLine, HeadLine, Simulation

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
            "application/json": {"schema": {"$ref": f"{_SCHEMAS}Simulation"}},
            NDJSON: {
                "schema": {
                    "type": "string",
                    "description": "The same in lines of JSON, which `line` tells apart: a `head`,"
                    " each `class`, each `account`, and an `end` with the counts. Without an `end`"
                    " the answer was cut. See HeadLine, ClassLine, AccountLine, EndLine.",
                }
            },
        },
    }
}

COVERED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "How many members reach what.",
        "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}Coverage"}}},
    }
}

_TOLD = (SimulationFields, Simulation, HeadLine, ClassLine, AccountLine, EndLine, Coverage)


def schemas(product: str) -> dict[str, Any]:
    """The schemas of bodies and answers, by name; product = the name of that of a product's PUT."""
    _, made = msgspec.json.schema_components(_TOLD, ref_template=_SCHEMAS + "{name}")
    made["SimulationFields"]["examples"] = list(EXAMPLES.values())
    devices = made["SimulationFields"]["properties"]["devices"]
    devices["minItems"] = 1
    devices["description"] = f"Presets ({', '.join(facts().presets)}) and devices."
    made["DraftFields"]["properties"]["product"] = {
        "anyOf": [{"$ref": _SCHEMAS + product}, {"type": "null"}]
    }
    return made

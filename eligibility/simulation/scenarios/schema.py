"""The JSON Schema of scenario files, for editors: config/scenario.schema.json."""

import json
from typing import Any

from eligibility.simulation.scenarios.written import Written

SCHEMA = "scenario.schema.json"
"""Its name in config/."""


def schema() -> dict[str, Any]:
    """The schema, from the same model that files are read with.

    Looser than reading: it knows the shape, not which addresses, devices and groups there are.
    """
    made = Written.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def schema_text() -> str:
    """The same as the text of the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"

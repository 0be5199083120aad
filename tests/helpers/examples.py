"""How many examples a property test tries: `make campaign` tries all, `make test` a third of them."""

import os

_ALL = os.environ.get("EXAMPLES") == "all"


def examples(number: int) -> int:
    """Return the number of examples of this run. Args: number = in a campaign."""
    return number if _ALL else max(5, number // 3)

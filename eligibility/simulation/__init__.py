"""Who gets what, asked for whole audiences: matrices, scenario files, comparisons, timelines.

One access query is one decision; here are thousands of them, over a state of the catalogue that is,
was, will be, or is only drafted. Every verdict is `decide`'s, through HeldProduct. From Python:
`from eligibility.simulation import Simulation` (docs/qa.md).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eligibility.simulation.notebook import Simulation

__all__ = ["Simulation"]


def __getattr__(name: str) -> Any:
    """Simulation, imported when it is asked for: it brings the stores and settings along."""
    if name != "Simulation":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from eligibility.simulation.notebook import Simulation

    return Simulation

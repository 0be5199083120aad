"""Simulations from Python, for notebooks and tests. docs/qa.md has examples."""

from eligibility.notebook.simulation import Simulation

__all__ = ["Simulation"]

"""Report: the contents of a report of a simulation, whatever its format."""

from dataclasses import dataclass
from functools import cached_property

from eligibility.simulation.matrix import Matrix
from eligibility.simulation.reports.grid import Grid, make_grid
from eligibility.simulation.rollout_shares import RolloutShare


@dataclass(frozen=True)
class SimulationReport:
    """A simulation to be written out.

    earlier: `before_settling(matrix)`, if both sides of membership changes are wanted. shares: of
    rollouts in progress. each: whether every account has its own row in a grid (see make_grid).
    """

    matrix: Matrix
    earlier: Matrix | None = None
    shares: tuple[RolloutShare, ...] = ()
    each: bool | None = None

    @cached_property
    def grid(self) -> Grid:
        """Return the matrix as a grid for people."""
        return make_grid(self.matrix, self.earlier, each=self.each)

    @property
    def moment(self) -> str:
        """Return the moment that is decided for, as people read it."""
        return f"{self.matrix.state.moment:%Y-%m-%d %H:%M} UTC"

    @property
    def label(self) -> str:
        """Return the state's label, or "" if it says no more than the moment."""
        label = self.matrix.state.label
        return "" if label == self.moment else label.removeprefix(f"{self.moment} + ")

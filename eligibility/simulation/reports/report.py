"""The contents of a simulation report, independent of its format."""

from dataclasses import dataclass
from functools import cached_property

from eligibility.simulation.matrix import Matrix
from eligibility.simulation.reports.grid import Grid, make_grid
from eligibility.simulation.rollout_shares import RolloutShare


@dataclass(frozen=True)
class SimulationReport:
    """What to write. each: see make_grid. earlier: `before_settling(matrix)`. shares: rollouts."""

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
        """Return the simulated date and time, for people to read."""
        return f"{self.matrix.state.moment:%Y-%m-%d %H:%M} UTC"

    @property
    def label(self) -> str:
        """Return the state's label without the simulated date and time."""
        label = self.matrix.state.label
        return "" if label == self.moment else label.removeprefix(f"{self.moment} + ")

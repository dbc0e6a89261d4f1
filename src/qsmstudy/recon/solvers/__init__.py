"""Iterative solvers: arrays and operators in, a solution and how it was reached out."""

from typing import Any, NamedTuple

from numpy.typing import NDArray


class Solution(NamedTuple):
    """What a solver found.

    Attributes
    ----------
    values : ndarray
        The last iterate.
    iterations : int
        Steps taken.
    residual : float
        The quantity that the stopping rule watches, at the last step.
    converged : bool
        Whether the rule was met within the allowed iterations.
    """

    values: NDArray
    iterations: int
    residual: float
    converged: bool

    def report(self) -> dict[str, Any]:
        """Return how the solution was reached, for a sidecar."""
        return {
            "Iterations": self.iterations,
            "Residual": self.residual,
            "Converged": self.converged,
        }

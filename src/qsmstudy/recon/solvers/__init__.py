"""Iterative solvers of the reconstruction, and the solution that they return."""

from typing import Any, NamedTuple

from numpy.typing import NDArray


class Solution(NamedTuple):
    """A solution, and how it was reached.

    Attributes
    ----------
    values : ndarray
        The last iterate.
    iterations : int
        Steps taken.
    residual : float
        The quantity that the stopping rule compares with the tolerance, at the last step.
    converged : bool
        Whether the stopping rule was met within the allowed iterations.
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

"""What a dipole inversion is given: a scan's fields and geometry, and its options."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Options:
    """Options of the inversion; each method uses its own.

    Attributes
    ----------
    method : str
        A key of `qsmstudy.recon.inversion.METHODS`.
    backend : str
        Whose arrays the fast solver of MEDI runs on: numpy (compiled, one thread), torch or cupy.
    lambda_fidelity : float
        Weight of the data term, with fields in radians per echo spacing.
    lambda_csf : float
        Weight of the uniformity of the ventricular fluid; 0 for none.
    merit : int
        Number of reweightings that take outliers' weight away; 0 for none.
    smv_radius_mm : float
        Radius of the spherical mean value filter [mm]; 0 for none.
    edge_fraction : float
        Gradient components counted as edges, as a fraction of the brain's voxels.
    edge_region : str
        Where edges are looked for: in the mask as the filter erodes it (eroded), or in all of the
        brain (brain). What lies in the rim still acts on the field inside.
    max_iterations : int
        Most steps of the solver.
    tolerance : float
        Relative change of the map per step at which to stop.
    padding_mm : float
        Least margin around the brain [mm].
    tkd_threshold : float
        Smallest modulus of the dipole kernel that is divided by (method tkd).
    tikhonov_weight : float
        Weight of the squared gradient [mm^2] (method tikhonov).
    """

    method: str
    backend: str
    lambda_fidelity: float
    lambda_csf: float
    merit: int
    smv_radius_mm: float
    edge_fraction: float
    edge_region: str
    max_iterations: int
    tolerance: float
    padding_mm: float
    tkd_threshold: float
    tikhonov_weight: float

    def report(self) -> dict[str, Any]:
        """Return the options by name, for a sidecar."""
        return asdict(self)


class Scan(NamedTuple):
    """What the inversion needs of a scan; arrays of shape (X, Y, Z).

    Attributes
    ----------
    local_field : ndarray
        Local field [Hz]; inside the inversion [rad per echo spacing].
    magnitude : ndarray
        Magnitude, any unit.
    noise : ndarray
        Standard deviation of the field, up to a factor.
    mask : ndarray of bool
        Brain.
    fluid : ndarray of bool or None
        Ventricular fluid.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    b0_direction : array_like, shape (3,)
        Unit vector of the main field along the array axes.
    """

    local_field: NDArray
    magnitude: NDArray
    noise: NDArray
    mask: NDArray
    fluid: NDArray | None
    voxel_size: ArrayLike
    b0_direction: ArrayLike

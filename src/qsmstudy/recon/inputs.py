"""Inputs of a dipole inversion: a scan's fields and geometry, and the options."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy import physics
from qsmstudy.recon import fourier

#: Margin without the filter [mm]; twice this margin changes the nuclei by 0.05 ppb in MEDI and by
#: 2 ppb in TKD.
REACH_MM = 30.0


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
        brain (brain). What lies in the rim still acts on the field inside. An edge there, with data
        at neither end, keeps a tenth of the penalty.
    max_iterations : int
        Most steps of the solver.
    tolerance : float
        Relative change of the map per step at which to stop.
    padding_mm : float or None
        Least margin around the brain [mm]; None for the filter's radius, or without it `REACH_MM`.
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
    padding_mm: float | None
    tkd_threshold: float
    tikhonov_weight: float

    @classmethod
    def chosen(cls, section: Mapping[str, Any]) -> Self:
        """Take the options from a section of the configuration, which may hold others."""
        return cls(**{field.name: section[field.name] for field in fields(cls)})

    @property
    def margin_mm(self) -> float:
        """Margin around the brain [mm].

        The array is periodic, and a source must not act on the far side of the brain. What the
        filter leaves of a dipole's field ends at its radius: the rest is harmonic, and equals its
        mean over any sphere that does not hold the source.
        """
        radius = self.smv_radius_mm if self.method.startswith("medi") else 0.0
        if self.padding_mm is None:
            return radius or REACH_MM
        return max(self.padding_mm, radius)

    def report(self) -> dict[str, Any]:
        """Return the options by name, with the margin in force, for a sidecar."""
        return asdict(self) | {"padding_mm": self.margin_mm}


class Scan(NamedTuple):
    """What the inversion needs of a scan; arrays of shape (X, Y, Z).

    Attributes
    ----------
    local_field : ndarray
        Local field [Hz].
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

    def as_phase(self, *, echo_spacing: float) -> "PhaseScan":
        """Return the scan with its field as the phase gained in an echo spacing [s]."""
        phase = physics.hz_to_radians(self.local_field, echo_spacing=echo_spacing)
        return PhaseScan(phase.astype(np.float32), *self[1:])


class PhaseScan(NamedTuple):
    """What a method of inversion receives: a `Scan` with its field as a phase.

    Attributes
    ----------
    phase : ndarray
        Local field [rad per echo spacing].
    magnitude, noise, mask, fluid, voxel_size, b0_direction
        As in `Scan`.
    """

    phase: NDArray
    magnitude: NDArray
    noise: NDArray
    mask: NDArray
    fluid: NDArray | None
    voxel_size: ArrayLike
    b0_direction: ArrayLike

    def cropped(self, box: fourier.Box) -> Self:
        """Return the scan in a box, its phase zero outside the mask."""
        mask = box.take(self.mask)
        return self._replace(
            phase=np.where(mask, box.take(self.phase), 0),
            magnitude=box.take(self.magnitude),
            noise=box.take(self.noise),
            mask=mask,
            fluid=None if self.fluid is None else box.take(self.fluid),
        )

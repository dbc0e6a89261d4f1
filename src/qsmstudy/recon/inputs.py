"""Inputs of a dipole inversion: a scan's field, images and geometry."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy import physics
from qsmstudy.recon import fourier


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

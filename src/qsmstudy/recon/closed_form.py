"""Inversions by one division in k-space: baselines to compare with, and quick looks.

Unlike MEDI they use neither the noise nor the edges nor the fluid; their maps have streaks along
the dipole's cone and a rim at the edge of the mask.
"""

import numpy as np
from numpy.typing import NDArray

from qsmstudy.recon import fourier
from qsmstudy.recon.inputs import PhaseScan
from qsmstudy.recon.options import InvertDipole
from qsmstudy.recon.solvers import Solution


def tkd(scan: PhaseScan, *, options: InvertDipole) -> tuple[Solution, NDArray]:
    """Divide by the dipole kernel, truncated where it is small.

    Parameters
    ----------
    scan : PhaseScan
        Its noise, magnitude and fluid are not used.
    options : InvertDipole
        `tkd_threshold`.

    Returns
    -------
    solution : Solution
        chi [rad]; one step, `residual` is ``|| D chi - f || / || f ||`` in the mask.
    mask : ndarray of bool, shape (X, Y, Z)
        The scan's.

    Notes
    -----
    ``chi = f sign(D) / max(|D|, t)`` in k-space [1]_, over the mean of ``|D| / max(|D|, t)``, by
    which the truncation shrinks a point [2]_.

    References
    ----------
    .. [1] Shmueli 2009, doi:10.1002/mrm.22135
    .. [2] Schweser 2013, doi:10.1002/mrm.24405
    """
    dipole = _dipole(scan)
    size = np.abs(dipole)
    floor = np.maximum(size, np.float32(options.tkd_threshold))
    inverse = np.sign(dipole) / floor
    shrinkage = (size / floor).mean(axis=(0, 1), dtype=float)
    # A plane of the half-spectrum stands for its mirror image too, bar those that are their own.
    depth = scan.mask.shape[2]
    planes = np.full(shrinkage.size, 2.0)
    planes[0] = 1
    planes[-1] = 1 if depth % 2 == 0 else 2
    return _apply(scan, dipole, inverse / np.average(shrinkage, weights=planes))


def tikhonov(scan: PhaseScan, *, options: InvertDipole) -> tuple[Solution, NDArray]:
    """Minimise ``|| D chi - f ||^2 + w || grad chi ||^2`` in closed form.

    Parameters
    ----------
    scan : PhaseScan
        Its noise, magnitude and fluid are not used.
    options : InvertDipole
        `tikhonov_weight`, w [mm^2].

    Returns
    -------
    solution : Solution
        As that of `tkd`.
    mask : ndarray of bool, shape (X, Y, Z)
        The scan's.

    References
    ----------
    Bilgic 2014, doi:10.1002/jmri.24365.
    """
    dipole = _dipole(scan)
    power = fourier.gradient_power(scan.mask.shape, voxel_size=scan.voxel_size)
    denominator = dipole**2 + np.float32(options.tikhonov_weight) * power
    denominator[0, 0, 0] = 1
    return _apply(scan, dipole, dipole / denominator)


def _dipole(scan: PhaseScan) -> NDArray:
    return fourier.dipole_kernel(
        scan.mask.shape, voxel_size=scan.voxel_size, b0_direction=scan.b0_direction
    )


def _apply(scan: PhaseScan, dipole: NDArray, inverse: NDArray) -> tuple[Solution, NDArray]:
    field = np.where(scan.mask, scan.phase, 0).astype(np.float32)
    chi = fourier.convolve(field, inverse.astype(np.float32))
    misfit = (fourier.convolve(chi, dipole) - field)[scan.mask].astype(float)
    residual = float(np.linalg.norm(misfit) / np.linalg.norm(field[scan.mask].astype(float)))
    return Solution(chi, 1, residual, True), scan.mask

"""A tiny instance of MEDI's objective, for the solvers' tests."""

import numpy as np

from qsmstudy.recon import fourier
from qsmstudy.recon.solvers.objective import Problem

SHAPE, VOXEL_SIZE = (12, 11, 10), (1.0, 1.2, 2.0)


def tiny_problem(rng):
    """Return a tiny brain with two nuclei, noise, edges (faint on one side) and a ventricle."""
    x, y, z = np.meshgrid(*[np.arange(n) - n / 2 for n in SHAPE], indexing="ij")
    mask = (x / 5) ** 2 + (y / 5) ** 2 + (z / 4.5) ** 2 < 1
    chi = np.zeros(SHAPE, dtype=np.float32)
    chi[3:5, 4:7, 4:6] = 0.5
    chi[7:9, 5:7, 4:7] = 1.0
    dipole = fourier.dipole_kernel(SHAPE, voxel_size=VOXEL_SIZE, b0_direction=(0, 0, 1))
    field = fourier.convolve(chi, dipole) + 0.02 * rng.standard_normal(SHAPE)
    smooth = np.zeros(SHAPE, dtype=np.uint8)
    for axis, size in enumerate(VOXEL_SIZE):
        flat = np.abs(np.roll(chi, -1, axis) - chi) / size < 0.1
        np.moveaxis(flat, axis, 0)[-1] = False
        smooth |= flat.astype(np.uint8) << axis
        faint = ~flat & (x > 0)
        np.moveaxis(faint, axis, 0)[-1] = False
        smooth |= faint.astype(np.uint8) << (axis + 3)
    fluid = np.zeros(SHAPE, dtype=bool)
    fluid[5:7, 3:6, 4:6] = True
    weight = (mask * rng.uniform(0.5, 1.5, SHAPE)).astype(np.float32)
    return Problem(
        field.astype(np.float32), weight, dipole, smooth, fluid, VOXEL_SIZE, 1000.0, 100.0
    )

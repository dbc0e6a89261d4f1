"""Four nuclei and a ventricle in gray tissue, and the field that they make."""

import numpy as np

from qsmstudy import physics
from qsmstudy.recon import fourier, inversion
from qsmstudy.recon.inputs import Scan
from qsmstudy.recon.options import InvertDipole

OPTIONS = InvertDipole(tolerance=1e-3)
SHAPE, VOXEL_SIZE = (48, 56, 45), (2.0, 2.0, 2.0)
SPACING, FIELD = 0.00615, 3.0
TRUTH = {1: 0.18, 2: 0.10, 3: 0.05, 4: -0.05}
AXIAL = (0.0, 0.0, 1.0)


def build(rng, *, direction=AXIAL, noise_hz=0.2, cap_ppm=0.0):
    """Return a scan and its labels; `cap_ppm` is added to the outer 5 mm of the front."""
    axes = [(np.arange(n) - n / 2) * v for n, v in zip(SHAPE, VOXEL_SIZE, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    mask = (x / 40) ** 2 + (y / 48) ** 2 + (z / 38) ** 2 < 1
    labels = np.zeros(SHAPE, dtype=int)
    for label, (cx, cy) in enumerate([(-16, 0), (16, 0), (0, 22), (0, -22)], start=1):
        labels[(x - cx) ** 2 + (y - cy) ** 2 + z**2 < 8**2] = label
    fluid = (np.abs(x) < 5) & (np.abs(y) < 10) & (np.abs(z - 16) < 6)
    chi = np.where(mask & ~fluid, 0.02, 0.0)
    for label, value in TRUTH.items():
        chi[labels == label] = value
    inner = (x / 35) ** 2 + (y / 43) ** 2 + (z / 33) ** 2 < 1
    chi[mask & ~inner & (y > 30)] += cap_ppm
    # The field on a doubled grid, so that its period differs from the inversion's.
    large = np.zeros([2 * n for n in SHAPE], dtype=np.float32)
    large[tuple(slice(0, n) for n in SHAPE)] = chi
    kernel = fourier.dipole_kernel(large.shape, voxel_size=VOXEL_SIZE, b0_direction=direction)
    field = fourier.convolve(large, kernel)[tuple(slice(0, n) for n in SHAPE)]
    noise = np.where(mask, noise_hz or 1.0, 0.0)
    field = physics.ppm_to_hz(field, field_strength=FIELD)
    field = field + noise_hz * mask * rng.standard_normal(SHAPE)
    magnitude = np.where(mask, 100 + 150 * fluid - 200 * chi, 0)
    scan = Scan(np.where(mask, field, 0), magnitude, noise, mask, fluid, VOXEL_SIZE, direction)
    return scan, labels


def invert(scan, options=OPTIONS):
    """Return solution, mask and reference."""
    return inversion.invert_dipole(
        scan, options=options, echo_spacing=SPACING, field_strength=FIELD
    )[:3]


def means(chi, labels):
    return np.array([chi[labels == label].mean() for label in TRUTH])

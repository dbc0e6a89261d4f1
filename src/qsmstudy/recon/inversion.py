"""Dipole inversion: from the local field of a scan to its susceptibility, by the named method."""

import logging
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qsmstudy import physics
from qsmstudy.errors import StudyError
from qsmstudy.recon import background, fourier, methods, reference
from qsmstudy.recon.inputs import PhaseScan, Scan
from qsmstudy.recon.options import InvertDipole
from qsmstudy.recon.solvers import Solution

log = logging.getLogger("qsmstudy")

#: Radius in which neighbours fill a voxel without signal [mm].
NEIGHBOURS_MM = 5.0


class Inverted(NamedTuple):
    """A susceptibility map and how it was reached.

    Attributes
    ----------
    solution : Solution
        `values` is chi [ppm], float32, zero outside `mask`.
    mask : ndarray of bool, shape (X, Y, Z)
        Where chi is defined: the brain, eroded by the radius of MEDI's filter.
    zero : Reference
        What the map is referred to, beside the other candidates.
    report : dict
        What the sidecar says: ``Parameters``, ``Solver`` and ``Reference``.
    """

    solution: Solution
    mask: NDArray
    zero: reference.Reference
    report: dict[str, Any]


def invert_dipole(
    scan: Scan, *, options: InvertDipole, echo_spacing: float, field_strength: float
) -> Inverted:
    """Reconstruct susceptibility from the local field.

    Parameters
    ----------
    scan : Scan
        The fields, the magnitude and the geometry.
    options : InvertDipole
        Taken as the method goes by them (`methods.Method.effective_options`).
    echo_spacing : float
        Time in which the field is expressed as a phase [s].
    field_strength : float
        Main field [T].

    Returns
    -------
    Inverted

    Raises
    ------
    StudyError
        If a word is unknown, the mask or the noise cannot be used, or the filter erodes the whole
        mask.

    Notes
    -----
    The array is cropped to the brain and padded. What stands in voxels without signal is no field,
    and filters would spread it: the mean of their neighbours takes its place. The regularisation
    weight of MEDI means what it means in the MEDI toolbox only if the data term sees radians per
    echo spacing; hence the two unit conversions here.
    """
    method = methods.INVERSION.named(options.method)
    options = method.effective_options(options)
    background.check_mask(scan.mask)
    if not np.all(np.isfinite(scan.local_field[scan.mask])):
        raise StudyError("local_field: must be finite in the mask. Run remove_background again.")
    box = fourier.bounding_box(scan.mask, voxel_size=scan.voxel_size, padding_mm=options.margin_mm)
    # Outside the mask the noise only has to be a number: `inverse_noise` looks at the mask.
    boxed = _without_voids(scan.as_phase(echo_spacing=echo_spacing).cropped(box))
    solution, mask = method.load()(boxed, options=options)
    scale = physics.hz_to_ppm(
        physics.radians_to_hz(1.0, echo_spacing=echo_spacing), field_strength=field_strength
    )
    mask = box.put(mask, scan.mask.shape)
    chi = box.put(solution.values, mask.shape) * np.float32(scale)
    chi, zero = reference.set_zero(
        chi, mask, scan.fluid, wanted=options.reference, voxel_size=scan.voxel_size
    )
    if not solution.converged:
        log.warning(
            "%s stopped after %d steps at a relative change of %.2g; the tolerance is %.2g",
            method.title, solution.iterations, solution.residual, options.tolerance,
        )  # fmt: skip
    report = {
        "Parameters": options.report(),
        "Solver": {"Name": method.title, **solution.report()},
        "Reference": zero.report(),
    }
    return Inverted(solution._replace(values=chi), mask, zero, report)


def _without_voids(scan: PhaseScan) -> PhaseScan:
    """Fill the voxels of the mask that have no usable noise with the mean of their neighbours."""
    measured = scan.mask & np.isfinite(scan.noise) & (scan.noise > 0)
    if np.array_equal(measured, scan.mask):
        return scan
    sphere = fourier.sphere_kernel(
        scan.mask.shape, voxel_size=scan.voxel_size, radius_mm=NEIGHBOURS_MM
    )
    return scan._replace(
        phase=fourier.fill_from_neighbours(scan.phase, measured, scan.mask, sphere)
    )

"""Dipole inversion: from the local field of a scan to its susceptibility, by the named method."""

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qsmstudy import physics
from qsmstudy.errors import StudyError
from qsmstudy.recon import background, closed_form, fourier, medi, reference
from qsmstudy.recon.inputs import Options, PhaseScan, Scan
from qsmstudy.recon.solvers import Solution

log = logging.getLogger("qsmstudy")

#: Radius in which neighbours fill a voxel without signal [mm].
NEIGHBOURS_MM = 5.0

#: By name, a function from a `PhaseScan` and options to chi in radians and the mask in which it is
#: defined.
METHODS: dict[str, Callable[..., tuple[Solution, NDArray]]] = {
    "medi": medi.medi,
    "medi_gauss_newton": medi.medi_gauss_newton,
    "tkd": closed_form.tkd,
    "tikhonov": closed_form.tikhonov,
}
#: How a sidecar calls them.
TITLES = {
    "medi": "MEDI by ADMM",
    "medi_gauss_newton": "MEDI by Gauss-Newton",
    "tkd": "TKD",
    "tikhonov": "closed-form Tikhonov",
}


def in_force(options: Options) -> Options:
    """Return the options that a method goes by: the published solver has its own stop."""
    if options.method != "medi_gauss_newton":
        return options
    return replace(
        options,
        backend="numpy",
        merit=medi.PUBLISHED_STEPS if options.merit else 0,
        max_iterations=medi.PUBLISHED_STEPS,
        tolerance=medi.PUBLISHED_TOLERANCE,
    )


def invert_dipole(
    scan: Scan, *, options: Options, echo_spacing: float, field_strength: float,
    refer_to: str = "csf",
) -> tuple[Solution, NDArray, reference.Reference]:  # fmt: skip
    """Reconstruct susceptibility from the local field.

    Parameters
    ----------
    scan : Scan
        The fields, the magnitude and the geometry.
    options : Options
        Options of the inversion, taken as `in_force` says.
    echo_spacing : float
        Time in which the field is expressed as a phase [s].
    field_strength : float
        Main field [T].
    refer_to : str
        What zero shall mean, one of `reference.REGIONS`.

    Returns
    -------
    solution : Solution
        `values` is chi [ppm], float32, zero outside the returned mask.
    mask : ndarray of bool, shape (X, Y, Z)
        Where chi is defined: the brain, eroded by the filter's radius.
    zero : Reference
        What the map is referred to, beside the other candidates.

    Raises
    ------
    StudyError
        If the mask or the noise cannot be used, or the filter erodes the whole mask.

    Notes
    -----
    The array is cropped to the brain and padded. What stands in voxels without signal is no field,
    and filters would spread it: the mean of their neighbours takes its place. The regularisation
    weight of MEDI means what it means in the MEDI toolbox only if the data term sees radians per
    echo spacing; hence the two unit conversions here.
    """
    options = in_force(options)
    background.check_mask(scan.mask)
    if not np.all(np.isfinite(scan.local_field[scan.mask])):
        raise StudyError("local_field: must be finite in the mask. Run remove_background again.")
    box = fourier.bounding_box(scan.mask, voxel_size=scan.voxel_size, padding_mm=options.margin_mm)
    # Outside the mask the noise only has to be a number: `inverse_noise` looks at the mask.
    boxed = _without_voids(scan.as_phase(echo_spacing=echo_spacing).cropped(box))
    solution, mask = METHODS[options.method](boxed, options=options)
    scale = physics.hz_to_ppm(
        physics.radians_to_hz(1.0, echo_spacing=echo_spacing), field_strength=field_strength
    )
    mask = box.put(mask, scan.mask.shape)
    chi = box.put(solution.values, mask.shape) * np.float32(scale)
    chi, zero = reference.set_zero(
        chi, mask, scan.fluid, wanted=refer_to, voxel_size=scan.voxel_size
    )
    if not solution.converged:
        log.warning(
            "%s stopped after %d steps at a relative change of %.2g; the tolerance is %.2g",
            TITLES[options.method], solution.iterations, solution.residual, options.tolerance,
        )  # fmt: skip
    return solution._replace(values=chi), mask, zero


def _without_voids(scan: PhaseScan) -> PhaseScan:
    """Fill the voxels of the mask that have no usable noise with the mean of their neighbours."""
    measured = scan.mask & np.isfinite(scan.noise) & (scan.noise > 0)
    if np.array_equal(measured, scan.mask):
        return scan
    sphere = fourier.sphere_kernel(
        scan.mask.shape, voxel_size=scan.voxel_size, radius_mm=NEIGHBOURS_MM
    )
    return scan._replace(phase=fourier.fill(scan.phase, measured, scan.mask, sphere))

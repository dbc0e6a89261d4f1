"""Morphology-enabled dipole inversion: from the local field to susceptibility."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy import fourier, physics
from qsmstudy.errors import StudyError
from qsmstudy.recon import background, reference
from qsmstudy.solvers import Solution, admm

log = logging.getLogger("qsmstudy")

#: Residuals beyond this many standard deviations lose weight (MERIT).
OUTLIER_SD = 6.0
#: Steps of the solver between two reweightings.
BLOCK = 8


@dataclass(frozen=True)
class Options:
    """Options of the inversion.

    Attributes
    ----------
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
    max_iterations : int
        Most steps of the solver.
    tolerance : float
        Relative change of the map per step at which to stop.
    padding_mm : float
        Least margin around the brain [mm].
    """

    lambda_fidelity: float
    lambda_csf: float
    merit: int
    smv_radius_mm: float
    edge_fraction: float
    max_iterations: int
    tolerance: float
    padding_mm: float

    def report(self) -> dict[str, Any]:
        """Return the options by name, for a sidecar."""
        return asdict(self)


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


def invert_dipole(
    scan: Scan, *, options: Options, echo_spacing: float, field_strength: float,
    refer_to: str = "csf",
) -> tuple[Solution, NDArray, reference.Reference]:  # fmt: skip
    """Reconstruct susceptibility from the local field by MEDI.

    Parameters
    ----------
    scan : Scan
        The fields, the magnitude and the geometry.
    options : Options
        Options of the inversion.
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
    The objective is in `qsmstudy.solvers.admm`. With the filter S, b becomes ``b - S b``, D
    becomes ``(1 - S) D``, and the mask keeps the voxels whose sphere lies within it. The
    regularisation weight means what it means in the MEDI toolbox only if the data term sees
    radians per echo spacing; hence the two unit conversions here. MEDI's outliers are
    reweighted after blocks of steps of one warm-started solver, not after full Gauss-Newton
    steps.

    References
    ----------
    Liu J 2012, doi:10.1016/j.neuroimage.2011.08.082; Liu T 2013, doi:10.1002/mrm.24272;
    Liu Z 2018, doi:10.1002/mrm.26946.
    """
    background.check_mask(scan.mask)
    if not np.all(np.isfinite(scan.local_field[scan.mask])):
        raise StudyError("local_field: must be finite in the mask. Run remove_background again.")
    margin = max(options.padding_mm, options.smv_radius_mm)
    box = fourier.bounding_box(scan.mask, voxel_size=scan.voxel_size, padding_mm=margin)
    # Outside the mask the noise only has to be a number: `inverse_noise` looks at the mask.
    boxed = Scan(
        physics.hz_to_radians(
            np.where(box.take(scan.mask), box.take(scan.local_field), 0), echo_spacing=echo_spacing
        ).astype(np.float32),
        box.take(scan.magnitude),
        box.take(scan.noise),
        box.take(scan.mask),
        None if scan.fluid is None else box.take(scan.fluid),
        scan.voxel_size,
        scan.b0_direction,
    )
    solution, mask = medi(boxed, options=options)
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
            "MEDI stopped after %d steps at a relative change of %.2g; the tolerance is %.2g",
            solution.iterations, solution.residual, options.tolerance,
        )  # fmt: skip
    return solution._replace(values=chi), mask, zero


def medi(scan: Scan, *, options: Options) -> tuple[Solution, NDArray]:
    """Run the inversion on the array as it is, periodic, without padding.

    Parameters
    ----------
    scan : Scan
        `local_field` here in radians, zero outside the mask.
    options : Options
        Options of the inversion; the padding is not used.

    Returns
    -------
    solution : Solution
        `values` is chi as phase per echo spacing [rad], defined up to a constant.
    mask : ndarray of bool, shape (X, Y, Z)
        The brain, eroded by the filter's radius.
    """
    shape, size = scan.mask.shape, scan.voxel_size
    dipole = fourier.dipole_kernel(shape, voxel_size=size, b0_direction=scan.b0_direction)
    field, mask, sphere = scan.local_field, scan.mask, None
    if options.smv_radius_mm > 0:
        sphere = fourier.sphere_kernel(shape, voxel_size=size, radius_mm=options.smv_radius_mm)
        mask = fourier.erode(mask, sphere)
        if np.count_nonzero(mask) < background.LEAST_VOXELS:
            raise StudyError(
                f"smv_radius_mm: a filter of {options.smv_radius_mm:g} mm leaves "
                f"{np.count_nonzero(mask)} of the mask's {np.count_nonzero(scan.mask)} voxels; "
                f"{background.LEAST_VOXELS} are needed. Reduce the radius, or set it to 0."
            )
        dipole *= 1 - sphere
        field = np.where(mask, field - fourier.convolve(field, sphere), np.float32(0))
    noise = _usable_noise(scan.noise, scan.mask)
    problem = admm.Problem(
        field=field,
        weight=_data_weight(noise, mask, sphere),
        dipole=dipole,
        smooth=smooth_mask(
            scan.magnitude, mask, voxel_size=size, edge_fraction=options.edge_fraction
        ),
        fluid=_solvable_fluid(scan.fluid, options.lambda_csf),
        voxel_size=size,
        lambda_fidelity=options.lambda_fidelity,
        lambda_csf=options.lambda_csf,
    )
    solution = admm.solve(
        problem,
        max_iterations=options.max_iterations,
        tolerance=options.tolerance,
        reweight=_merit(problem, noise, mask, sphere),
        reweight_after=frozenset(BLOCK * (i + 1) for i in range(options.merit)),
    )
    return solution, mask


def _solvable_fluid(fluid: NDArray | None, lambda_csf: float) -> NDArray | None:
    return fluid if fluid is not None and lambda_csf > 0 and fluid.any() else None


def _usable_noise(noise: NDArray, mask: NDArray) -> NDArray:
    """Noise with infinity where it is not positive: no weight there."""
    weight = background.inverse_noise(noise, mask)
    with np.errstate(divide="ignore"):
        return np.where(mask, 1 / weight, np.float32(0))


def _data_weight(noise: NDArray, mask: NDArray, sphere: NDArray | None) -> NDArray:
    """Inverse noise with mean 1 in the mask; the filter's output is as noisy as both its terms."""
    if sphere is not None:
        finite = np.where(np.isfinite(noise), noise, np.float32(0))
        spread = np.maximum(fourier.convolve(finite**2, sphere), 0)
        noise = np.sqrt(spread + noise**2)
    weight = np.zeros(mask.shape, dtype=np.float32)
    weight[mask] = 1 / noise[mask]
    return weight * np.float32(1 / weight[mask].mean(dtype=np.float64))


def smooth_mask(
    magnitude: NDArray, mask: NDArray, *, voxel_size: ArrayLike, edge_fraction: float
) -> NDArray:
    """Mark the differences that the regularisation penalises: those that are no edge.

    Parameters
    ----------
    magnitude : ndarray, shape (X, Y, Z)
        Any unit.
    mask : ndarray of bool, shape (X, Y, Z)
        Brain; its outline is an edge.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    edge_fraction : float
        As many gradient components are edges as this fraction of the brain's voxels.

    Returns
    -------
    ndarray of uint8, shape (X, Y, Z)
        Bit a is set where the forward difference along axis a is penalised.

    Notes
    -----
    The threshold starts at a hundredth of the largest magnitude and moves in steps of five
    per cent, as in the MEDI toolbox.
    """
    brain = np.where(mask, magnitude, 0).astype(np.float32)
    gradients = []
    for axis, size in enumerate(np.asarray(voxel_size, dtype=float)):
        last = np.take(brain, [-1], axis=axis)
        gradients.append(np.abs(np.diff(brain, axis=axis, append=last)) / np.float32(size))
    ordered = np.sort(np.concatenate([g[g > 0] for g in gradients]))
    wanted = edge_fraction * np.count_nonzero(mask)

    def edges(threshold: float) -> int:
        return ordered.size - int(np.searchsorted(ordered, threshold, side="right"))

    threshold = 0.01 * float(brain.max())
    if threshold <= 0:
        raise StudyError("magnitude: is zero in the whole mask. Check the magnitude images.")
    if edges(threshold) > wanted:
        while edges(threshold) > wanted:
            threshold *= 1.05
    else:
        while edges(threshold) < min(wanted, ordered.size):
            threshold *= 0.95
    smooth = np.zeros(mask.shape, dtype=np.uint8)
    for axis, gradient in enumerate(gradients):
        penalised = gradient <= threshold
        # Differences across the periodic boundary are none of the image's.
        np.moveaxis(penalised, axis, 0)[-1] = False
        smooth |= penalised.astype(np.uint8) << axis
    return smooth


def _merit(
    problem: admm.Problem, noise: NDArray, mask: NDArray, sphere: NDArray | None
) -> Callable[[NDArray], NDArray]:
    """Return MERIT's reweighting: noise grows with the square of an outlier's excess."""
    weight = problem.weight

    def reweight(field_of_x: NDArray) -> NDArray:
        nonlocal noise, weight
        field = problem.field[mask]
        residual = weight[mask] * (np.exp(1j * field_of_x[mask]) - np.exp(1j * field))
        size = np.abs(residual - residual.mean())
        excess = size / (OUTLIER_SD * size.std(ddof=1))
        noise = noise.copy()
        noise[mask] *= np.maximum(excess, 1).astype(np.float32) ** 2
        weight = _data_weight(noise, mask, sphere)
        log.info("MERIT: %d voxels lose weight", np.count_nonzero(excess > 1))
        return weight

    return reweight

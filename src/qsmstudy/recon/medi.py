"""Morphology-enabled dipole inversion (MEDI) on arrays: its problem, its weights, two solvers."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from qsmstudy.errors import StudyError
from qsmstudy.recon import background, fourier
from qsmstudy.recon.inputs import Options, PhaseScan
from qsmstudy.recon.solvers import Solution, admm, admm_arrays, admm_compiled, gauss_newton
from qsmstudy.recon.solvers.objective import FAINT_BITS, Problem, Reweighting

log = logging.getLogger("qsmstudy")

#: Residuals beyond this many standard deviations lose weight (MERIT).
OUTLIER_SD = 6.0
#: Steps of the fast solver before the first reweighting, and between two.
FIRST, BLOCK = 10, 5
#: Penalty of the field, per unit of lambda, while the map finds its turns and MERIT its outliers.
FIRM = 0.2
#: Bound of the gradient's penalty at its end, times the map's median gradient [rad/mm].
BALANCE = 0.7
#: Part of the filter's sphere that a voxel may fill. On a simulated head of 2.1 x 2.1 x 3 mm the
#: nuclei's slope was 0.36 at 0.94 and 0.65 at 0.39; the usual 5 mm make it 0.03.
LARGEST_PART = 0.15
#: Where the published solver stops: outer steps, relative change.
PUBLISHED_STEPS, PUBLISHED_TOLERANCE = 10, 0.1


@dataclass(frozen=True)
class Formulation:
    """MEDI of one scan, ready for a solver.

    Attributes
    ----------
    problem : Problem
        The objective.
    mask : ndarray of bool, shape (X, Y, Z)
        The brain, eroded by the filter's radius.
    reweight : callable or None
        MERIT: new weights from ``D x``; it remembers what it took away before.
    """

    problem: Problem
    mask: NDArray
    reweight: Callable[[NDArray], NDArray] | None


def medi(scan: PhaseScan, *, options: Options) -> tuple[Solution, NDArray]:
    """Run MEDI by the fast solver on the array as it is, periodic, without padding.

    Parameters
    ----------
    scan : PhaseScan
        The phase is zero outside the mask.
    options : Options
        Options of the inversion; the padding is not used.

    Returns
    -------
    solution : Solution
        `values` is chi as phase per echo spacing [rad], defined up to a constant.
    mask : ndarray of bool, shape (X, Y, Z)
        The brain, eroded by the filter's radius.

    Notes
    -----
    MERIT reweights after blocks of steps of one warm-started solver.
    """
    given = formulate(scan, options=options, dtype=np.float32)
    kernels = admm_compiled if options.backend == "numpy" else admm_arrays.load(options.backend)
    solution = admm.solve(
        given.problem, max_iterations=options.max_iterations, tolerance=options.tolerance,
        reweighting=given.reweight and Reweighting(given.reweight, reweighting_steps(options)),
        schedule=penalty_schedule(options), kernels=kernels,
    )  # fmt: skip
    return solution, given.mask


def penalty_schedule(options: Options) -> admm.PenaltySchedule:
    """Return the penalties of the fast solver that suit the options.

    The field's begins in proportion to lambda, which keeps the multipliers of voxels that fit far
    below a turn of phase, while the map finds its turns and MERIT its outliers. Then both are soft,
    for the entries that take longest, and last stiff. Without the filter they are softer: voxels of
    little weight at the rim, where PDF leaves a field, settle under nothing else.
    """
    firm = FIRM * options.lambda_fidelity
    if options.smv_radius_mm > 0:
        soft, gradient, field = 50.0, 60.0, 200.0
    else:
        soft, gradient, field = 20.0, 20.0, 50.0
    return admm.PenaltySchedule(
        gradient=(3.0, 1.5, 1.5, gradient), field=(firm, soft, soft, field), knots=(30, 31, 50, 60),
        balance=BALANCE, lock_wraps_after=30,
    )  # fmt: skip


def reweighting_steps(options: Options) -> frozenset[int]:
    """Return the steps of the fast solver after which MERIT reweights."""
    return frozenset(FIRST + BLOCK * i for i in range(options.merit))


def medi_gauss_newton(scan: PhaseScan, *, options: Options) -> tuple[Solution, NDArray]:
    """Run MEDI as `medi`, by the published solver with its published stop, in double precision.

    MERIT reweights after every outer step, if there is any reweighting at all.
    """
    given = formulate(scan, options=options, dtype=np.float64)
    solution = gauss_newton.solve(
        given.problem,
        max_iterations=PUBLISHED_STEPS,
        tolerance=PUBLISHED_TOLERANCE,
        reweight=given.reweight,
    )
    return solution, given.mask


def formulate(scan: PhaseScan, *, options: Options, dtype: DTypeLike) -> Formulation:
    """Set up MEDI for a scan as `medi` takes it, in the given precision.

    Raises
    ------
    StudyError
        If the noise cannot be used, or the filter is too small for the voxels or erodes the
        whole mask.
    """
    shape, size = scan.mask.shape, scan.voxel_size
    dipole = fourier.dipole_kernel(
        shape, voxel_size=size, b0_direction=scan.b0_direction, dtype=dtype
    )
    field, mask, sphere = scan.phase.astype(dtype), scan.mask, None
    if options.smv_radius_mm > 0:
        _check_radius(options.smv_radius_mm, size)
        sphere = fourier.sphere_kernel(
            shape, voxel_size=size, radius_mm=options.smv_radius_mm, dtype=dtype
        )
        mask = fourier.erode(mask, sphere)
        if np.count_nonzero(mask) < background.LEAST_VOXELS:
            raise StudyError(
                f"smv_radius_mm: a filter of {options.smv_radius_mm:g} mm leaves "
                f"{np.count_nonzero(mask)} of the mask's {np.count_nonzero(scan.mask)} voxels; "
                f"{background.LEAST_VOXELS} are needed. Reduce the radius, or set it to 0."
            )
        dipole *= 1 - sphere
        field = np.where(mask, field - fourier.convolve(field, sphere), 0).astype(dtype)
    noise = _usable_noise(scan.noise, scan.mask).astype(dtype)
    weight = _data_weight(noise, mask, sphere)
    region = mask if options.edge_region == "eroded" else scan.mask
    smooth = smooth_mask(
        scan.magnitude, region, voxel_size=size, edge_fraction=options.edge_fraction
    )
    if options.edge_region == "brain":
        smooth = faint_edges(smooth, weight)
    problem = Problem(
        field=field,
        weight=weight,
        dipole=dipole,
        smooth=smooth,
        fluid=_solvable_fluid(scan.fluid, options.lambda_csf),
        voxel_size=size,
        lambda_fidelity=options.lambda_fidelity,
        lambda_csf=options.lambda_csf,
    )
    reweight = _merit(problem, noise, mask, sphere) if options.merit > 0 else None
    return Formulation(problem, mask, reweight)


def _check_radius(radius_mm: float, voxel_size: ArrayLike) -> None:
    """Raise if the sphere is little more than a voxel: the filter would leave no field."""
    volume = float(np.prod(np.asarray(voxel_size, dtype=float)))
    least = (3 * volume / (4 * np.pi * LARGEST_PART)) ** (1 / 3)
    if radius_mm < least:
        raise StudyError(
            f"smv_radius_mm: at least {np.ceil(10 * least) / 10:g} mm are needed with voxels of "
            f"{volume:.3g} mm^3, or 0 for no filter; got {radius_mm:g}."
        )


def _solvable_fluid(fluid: NDArray | None, lambda_csf: float) -> NDArray | None:
    return fluid if fluid is not None and lambda_csf > 0 and fluid.any() else None


def _usable_noise(noise: NDArray, mask: NDArray) -> NDArray:
    """Noise with infinity where it is not positive: no weight there."""
    weight = background.inverse_noise(noise, mask)
    with np.errstate(divide="ignore"):
        return np.where(mask, 1 / weight, np.float32(0))


def _data_weight(noise: NDArray, mask: NDArray, sphere: NDArray | None) -> NDArray:
    """Inverse noise with mean 1 in the mask.

    Behind the filter, as in the toolbox, the variance is a voxel's plus the sphere's mean, though
    the mean over a sphere is less noisy than that.
    """
    if sphere is not None:
        finite = np.where(np.isfinite(noise), noise, noise.dtype.type(0))
        spread = np.maximum(fourier.convolve(finite**2, sphere), 0)
        noise = np.sqrt(spread + noise**2)
    weight = np.zeros_like(noise)
    weight[mask] = 1 / noise[mask]
    return weight * noise.dtype.type(1 / weight[mask].mean(dtype=np.float64))


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
    The threshold starts at a hundredth of the array's largest magnitude, that outside the mask
    included, and moves in steps of five per cent, as in the MEDI toolbox (whose array is the whole
    scan, here the box around the brain).
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

    if not brain.max() > 0:
        raise StudyError("magnitude: is zero in the whole mask. Check the magnitude images.")
    threshold = 0.01 * float(magnitude.max())
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


def faint_edges(smooth: NDArray, weight: NDArray) -> NDArray:
    """Mark the edges that have data at neither end as faint.

    Parameters
    ----------
    smooth : ndarray of uint8, shape (X, Y, Z)
        From `smooth_mask`.
    weight : ndarray, shape (X, Y, Z)
        The data's, zero where there are none.

    Returns
    -------
    ndarray of uint8, shape (X, Y, Z)
        Bit a + 3 is set in addition where the difference along axis a is such an edge.

    Notes
    -----
    With no penalty at all the field would have to tell from afar what lies between such edges, and
    the minimiser has sources of several ppm in the rim, which the field inside hardly shows
    (docs/decisions/0017).
    """
    marked = smooth.copy()
    for axis in range(3):
        bits, data = np.moveaxis(marked, axis, 0)[:-1], np.moveaxis(weight > 0, axis, 0)
        edges = (bits >> axis & 1) == 0
        bits |= (edges & ~data[:-1] & ~data[1:]).astype(np.uint8) << (axis + FAINT_BITS)
    return marked


def _merit(
    problem: Problem, noise: NDArray, mask: NDArray, sphere: NDArray | None
) -> Callable[[NDArray], NDArray]:
    """Return MERIT's reweighting: noise grows with the square of an outlier's excess."""
    weight, signal = problem.weight, np.exp(1j * problem.field[mask])

    def reweight(field_of_x: NDArray) -> NDArray:
        nonlocal noise, weight
        residual = weight[mask] * (np.exp(1j * field_of_x[mask]) - signal)
        size = np.abs(residual - residual.mean())
        excess = size / (OUTLIER_SD * size.std(ddof=1))
        noise = noise.copy()
        noise[mask] *= np.maximum(excess, 1).astype(noise.dtype) ** 2
        weight = _data_weight(noise, mask, sphere)
        log.info("MERIT: %d voxels lose weight", np.count_nonzero(excess > 1))
        return weight

    return reweight

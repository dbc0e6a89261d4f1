"""Morphology-enabled dipole inversion (MEDI) on arrays: its problem, its weights, two solvers."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from qsmstudy.errors import StudyError
from qsmstudy.options import check_word
from qsmstudy.recon import background, fourier, methods
from qsmstudy.recon.inputs import PhaseScan
from qsmstudy.recon.options import BACKENDS, InvertDipole
from qsmstudy.recon.solvers import Solution, admm, admm_arrays, admm_compiled, gauss_newton
from qsmstudy.recon.solvers.objective import FAINT_BITS, Problem, Reweighting

log = logging.getLogger("qsmstudy")

#: MERIT reduces the weight of residuals beyond this many standard deviations.
OUTLIER_SD = 6.0
#: Steps of the fast solver before the first reweighting, and between two of them.
FIRST_REWEIGHTING, REWEIGHTING_INTERVAL = 10, 5
#: Penalty of the field per unit of lambda in the first 30 steps.
EARLY_FIELD_PENALTY = 0.2
#: Upper bound of the last gradient penalty times the map's median gradient [rad/mm].
BALANCE = 0.7
#: Largest allowed volume of a voxel, as a fraction of the filter's sphere. On a simulated head of
#: 2.1 x 2.1 x 3 mm the slope of the nuclei was 0.36 at a fraction of 0.94 and 0.65 at 0.39; the
#: fraction is 0.03 with the default radius of 5 mm.
LARGEST_VOXEL = 0.15
#: Stopping rule of the published solver: most outer steps, relative change.
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
        MERIT: new weights from ``D x``; reductions accumulate over the calls.
    """

    problem: Problem
    mask: NDArray
    reweight: Callable[[NDArray], NDArray] | None


def medi(scan: PhaseScan, *, options: InvertDipole) -> tuple[Solution, NDArray]:
    """Run MEDI by the fast solver on the array as it is, periodic, without padding.

    Parameters
    ----------
    scan : PhaseScan
        The phase is zero outside the mask.
    options : InvertDipole
        Options of the inversion; `padding_mm` is not used.

    Returns
    -------
    solution : Solution
        `values` is chi as phase per echo spacing [rad], defined up to a constant.
    mask : ndarray of bool, shape (X, Y, Z)
        The brain, eroded by the filter's radius.

    Notes
    -----
    MERIT changes the weights while the solver runs (`reweighting_steps`).
    """
    given = formulate(scan, options=options, dtype=np.float32)
    backend = check_word("invert_dipole.backend", options.backend, BACKENDS)
    kernels = admm_compiled if backend == "numpy" else admm_arrays.load_kernels(backend)
    solution = admm.solve_admm(
        given.problem, max_iterations=options.max_iterations, tolerance=options.tolerance,
        reweighting=given.reweight and Reweighting(given.reweight, reweighting_steps(options)),
        schedule=penalty_schedule(options), kernels=kernels,
    )  # fmt: skip
    return solution, given.mask


def penalty_schedule(options: InvertDipole) -> admm.PenaltySchedule:
    """Return the penalties of the fast solver for some options.

    Up to step 30, while the whole turns of the field and MERIT's outliers are determined, the
    field penalty is proportional to lambda: the multipliers of voxels that fit stay far below one
    turn of phase. Then both penalties are small, for the entries that converge last, and finally
    large. Without the filter these later penalties are smaller: PDF leaves a field at the rim, and
    the voxels of little weight there converge only with small penalties.
    """
    early = EARLY_FIELD_PENALTY * options.lambda_fidelity
    if options.smv_radius_mm > 0:
        small, gradient, field = 50.0, 60.0, 200.0
    else:
        small, gradient, field = 20.0, 20.0, 50.0
    return admm.PenaltySchedule(
        gradient=(3.0, 1.5, 1.5, gradient), field=(early, small, small, field),
        knots=(30, 31, 50, 60), balance=BALANCE, lock_wraps_after=30,
    )  # fmt: skip


def reweighting_steps(options: InvertDipole) -> frozenset[int]:
    """Return the steps of the fast solver after which MERIT changes the weights."""
    return frozenset(FIRST_REWEIGHTING + REWEIGHTING_INTERVAL * i for i in range(options.merit))


def medi_gauss_newton(scan: PhaseScan, *, options: InvertDipole) -> tuple[Solution, NDArray]:
    """Run MEDI as `medi`, by the published solver and its stopping rule, in double precision.

    MERIT changes the weights after every outer step, unless `merit` is 0.
    """
    given = formulate(scan, options=options, dtype=np.float64)
    solution = gauss_newton.solve_gauss_newton(
        given.problem,
        max_iterations=PUBLISHED_STEPS,
        tolerance=PUBLISHED_TOLERANCE,
        reweight=given.reweight,
    )
    return solution, given.mask


def published_stop(options: InvertDipole) -> InvertDipole:
    """Return the options that `medi_gauss_newton` goes by: it has its published stopping rule."""
    return replace(
        options,
        backend="numpy",
        merit=PUBLISHED_STEPS if options.merit else 0,
        max_iterations=PUBLISHED_STEPS,
        tolerance=PUBLISHED_TOLERANCE,
    )


def formulate(scan: PhaseScan, *, options: InvertDipole, dtype: DTypeLike) -> Formulation:
    """Set up MEDI for a scan as `medi` takes it, in the given precision.

    Raises
    ------
    StudyError
        If fewer than half of the mask's voxels have a usable noise, or the filter is too small for
        the voxels or erodes nearly the whole mask.
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
    find_smooth = methods.EDGES.named(options.edge_region).load()
    smooth = find_smooth(scan, mask, weight, edge_fraction=options.edge_fraction)
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
    """Raise if the sphere is little larger than a voxel: the filter would remove the field."""
    volume = float(np.prod(np.asarray(voxel_size, dtype=float)))
    least = (3 * volume / (4 * np.pi * LARGEST_VOXEL)) ** (1 / 3)
    if radius_mm < least:
        raise StudyError(
            f"smv_radius_mm: at least {np.ceil(10 * least) / 10:g} mm are needed with voxels of "
            f"{volume:.3g} mm^3, or 0 for no filter; got {radius_mm:g}."
        )


def _solvable_fluid(fluid: NDArray | None, lambda_csf: float) -> NDArray | None:
    return fluid if fluid is not None and lambda_csf > 0 and fluid.any() else None


def _usable_noise(noise: NDArray, mask: NDArray) -> NDArray:
    """Return the noise, infinite where it is not positive: such voxels get no weight."""
    weight = background.inverse_noise(noise, mask)
    with np.errstate(divide="ignore"):
        return np.where(mask, 1 / weight, np.float32(0))


def _data_weight(noise: NDArray, mask: NDArray, sphere: NDArray | None) -> NDArray:
    """Return the inverse noise, scaled to mean 1 in the mask.

    With the filter the variance is that of the voxel plus its mean over the sphere, as in the
    toolbox. This is too large: the mean field over a sphere has a smaller variance.
    """
    if sphere is not None:
        finite = np.where(np.isfinite(noise), noise, noise.dtype.type(0))
        variance = np.maximum(fourier.convolve(finite**2, sphere), 0)
        noise = np.sqrt(variance + noise**2)
    weight = np.zeros_like(noise)
    weight[mask] = 1 / noise[mask]
    return weight * noise.dtype.type(1 / weight[mask].mean(dtype=np.float64))


def edges_in_eroded_mask(
    scan: PhaseScan, mask: NDArray, weight: NDArray, *, edge_fraction: float
) -> NDArray:
    """Mark where the regularisation acts, with edges where there are data (see `smooth_mask`).

    Parameters
    ----------
    scan : PhaseScan
        Its magnitude and geometry.
    mask : ndarray of bool, shape (X, Y, Z)
        The brain, eroded by the filter's radius.
    weight : ndarray, shape (X, Y, Z)
        Of the data; not used here.
    edge_fraction : float
        As in `smooth_mask`.
    """
    return smooth_mask(
        scan.magnitude, mask, voxel_size=scan.voxel_size, edge_fraction=edge_fraction
    )


def edges_in_brain(
    scan: PhaseScan, mask: NDArray, weight: NDArray, *, edge_fraction: float
) -> NDArray:
    """Mark where the regularisation acts, with edges in all of the brain.

    Those without data at either end are faint (`faint_edges`). Arguments as of
    `edges_in_eroded_mask`.
    """
    smooth = smooth_mask(
        scan.magnitude, scan.mask, voxel_size=scan.voxel_size, edge_fraction=edge_fraction
    )
    return faint_edges(smooth, weight)


def smooth_mask(
    magnitude: NDArray, mask: NDArray, *, voxel_size: ArrayLike, edge_fraction: float
) -> NDArray:
    """Mark the differences that the regularisation penalises: those that are not at an edge.

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
    The threshold starts at one hundredth of the largest magnitude of the array (inside or outside
    the mask) and moves in steps of five per cent, as in the MEDI toolbox. The toolbox's array is
    the whole scan, ours the box around the brain.
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
        # Differences across the periodic boundary are not part of the image.
        np.moveaxis(penalised, axis, 0)[-1] = False
        smooth |= penalised.astype(np.uint8) << axis
    return smooth


def faint_edges(smooth: NDArray, weight: NDArray) -> NDArray:
    """Mark edges without data at either end as faint.

    Parameters
    ----------
    smooth : ndarray of uint8, shape (X, Y, Z)
        From `smooth_mask`.
    weight : ndarray, shape (X, Y, Z)
        Weight of the data, zero where there are none.

    Returns
    -------
    ndarray of uint8, shape (X, Y, Z)
        Bit a + 3 is set in addition where the difference along axis a is such an edge.

    Notes
    -----
    Without any penalty, only the field far away would determine the map between such edges. The
    minimiser then has sources of several ppm in the rim that hardly change the field inside
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
    """Return MERIT's reweighting: an outlier's noise grows with the square of its excess."""
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

"""Field and its noise from the phase of all echoes, by a complex least-squares fit."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qsmstudy import physics
from qsmstudy.errors import StudyError
from qsmstudy.recon import methods
from qsmstudy.recon.field_noise import noise_level

#: Update of the phase step [rad] below which a voxel is settled; far under the noise (.01 rad).
_TOLERANCE = 1e-7

#: Wraps per echo spacing, up and down, among which an uneven echo train can tell.
ALIASES = 3
#: Steps after which the turns' residuals are compared.
TRIAL_STEPS = 4
#: Fall of the misfit, in noise variances, for which a farther turn is taken. Between two turns
#: that noise-free echoes tell apart by L, noise makes the wrong one better by this or more with a
#: probability of at most Q(sqrt(25)) = 3e-7, whatever L: the step is -L + 2 sqrt(L) z.
TURN_CHI2 = 25.0
#: Voxels from which the noise that turns must beat is estimated, and the rounds it takes: choosing
#: among turns hides noise, each round hides less.
TURN_SAMPLE, TURN_ROUNDS = 20000, 5

_TWO_PI = 2 * np.pi


class FieldFit(NamedTuple):
    """A fitted field and how it was reached.

    Attributes
    ----------
    field : ndarray, shape (X, Y, Z), float32
        Field [Hz], wrapped to half a `period` up and down, zero outside the fitted mask.
    noise : ndarray, shape (X, Y, Z), float32
        Standard deviation of `field` [Hz]; zero, for "no information", where not fitted.
    residual : ndarray, shape (X, Y, Z), float32
        Relative residual sum |s - model|^2 / sum |s|^2, zero where not fitted.
    noise_level : float
        Standard deviation of the complex signal's real or imaginary part, in the unit of the
        magnitude; NaN if it cannot be estimated, and then `noise` is the expected one up to a
        factor.
    iterations : float
        Mean number of Gauss-Newton steps per voxel.
    unsettled : float
        Fraction of voxels that the last allowed step still moved.
    period : float
        What a wrap adds or takes away [Hz]: one over the first echo spacing, of nearly even
        echoes over the mean one.
    """

    field: NDArray
    noise: NDArray
    residual: NDArray
    noise_level: float
    iterations: float
    unsettled: float
    period: float


def combine_magnitude(magnitude: NDArray, *, name: str) -> NDArray:
    """Combine echoes by the root of their sum of squares.

    Parameters
    ----------
    magnitude : ndarray, shape (X, Y, Z, E)
        Signal magnitude, any unit.
    name : str
        Of the magnitude, for the message.

    Returns
    -------
    ndarray, shape (X, Y, Z)
        In the unit of `magnitude`.

    Raises
    ------
    StudyError
        If the magnitude is negative by more than a hundredth of its maximum.
    """
    low, high = float(magnitude.min()), float(magnitude.max())
    if low < -0.01 * abs(high):
        raise StudyError(
            f"{name}: a magnitude is not negative; got values from {low:g} to {high:g}. "
            "Are part-mag and part-phase swapped?"
        )
    return np.sqrt(np.einsum("...e,...e->...", magnitude, magnitude))


def signal_mask(magnitude: NDArray, *, fraction: float, name: str) -> NDArray:
    """Return where there is signal to fit: head and neck, some air.

    Parameters
    ----------
    magnitude : ndarray, shape (X, Y, Z)
        Root-sum-of-squares magnitude, any unit.
    fraction : float
        Of a robust maximum, the 99th percentile of the volume.
    name : str
        Of the magnitude, for the message.

    Returns
    -------
    ndarray, shape (X, Y, Z), bool

    Raises
    ------
    StudyError
        If the magnitude is zero nearly everywhere.

    Notes
    -----
    Air is left out, with a field of zero. On a simulated head the local field after Laplacian
    unwrapping is then as good as with the air's noise fitted (error .398 Hz more than 10 mm deep
    in the brain either way, 4.90 against 4.91 Hz within 5 mm of its edge), and fitting takes an
    eighth of the time: what either puts outside the head is harmonic inside, and background
    removal takes it.
    """
    robust_maximum = float(np.percentile(magnitude, 99))
    if not robust_maximum > 0:
        raise StudyError(
            f"{name}: zero in 99 % of the volume, no signal to fit. "
            "Check that the part-mag images were exported whole."
        )
    return magnitude > fraction * robust_maximum


def fit_field(
    magnitude: NDArray,
    phase: NDArray,
    mask: NDArray,
    *,
    echo_times: Sequence[float],
    max_iterations: int,
    noise_model: str,
) -> FieldFit:
    """Fit one frequency and one initial phase to the complex signal of all echoes.

    Parameters
    ----------
    magnitude : ndarray, shape (X, Y, Z, E)
        Signal magnitude, any unit.
    phase : ndarray, shape (X, Y, Z, E)
        Signal phase [rad], wrapped or not; taken to grow with the field
        (`phase_sign.apply_sign`).
    mask : ndarray, shape (X, Y, Z), bool
        Where to fit.
    echo_times : sequence of float
        Echo times [s], increasing, even or uneven. A single echo is taken to start from zero
        phase at TE = 0.
    max_iterations : int
        Gauss-Newton steps after which a voxel is left as it is.
    noise_model : str
        ``expected``: from the magnitudes, as the MEDI toolbox; ``observed``: from the fit's own
        curvature and residual, right in dark voxels too (`field_noise.observed_noise`). With
        one echo both are the same, and where the noise level cannot be estimated.

    Returns
    -------
    FieldFit
        Field, noise, residual and how they were reached.

    Raises
    ------
    StudyError
        If the noise model is unknown.

    Notes
    -----
    The model is ``s_j = |s_j| exp(i (p0 + p1 t_j))`` with the measured magnitudes as amplitudes
    and ``t_j = (TE_j - TE_0) / (TE_1 - TE_0)`` [1]_ [2]_. Its Gauss-Newton step needs only the
    phases: with ``d_j`` the phase that the model leaves over, the gradient is
    ``sum |s_j|^2 sin(d_j) (1, t_j)``, and sine makes it blind to 2 pi. Each voxel stops by
    itself, where the MEDI toolbox iterates the whole volume until the air settles.

    Where all ``t_j`` are whole numbers, ``p1`` and ``p1 + 2 pi`` fit alike. Uneven echoes tell
    them apart, and a start a whole turn off ends in a false minimum: there the fit starts from
    several turns and goes on from the nearest to zero whose misfit noise explains (`TURN_CHI2`).
    Nearly even echoes differ too little for that. The turn k that is left out then shifts the fit
    by k times the slope of the whole numbers next to ``t_j`` against ``t_j``, a little less or
    more than one period of the first spacing. The field is wrapped by that slope, with the mean
    energies of the echoes as weights, so that unwrapping in space puts back what is missing.

    ``p1`` has variance ``sigma^2 (A^-1)_22``, A the normal matrix. The toolbox leaves sigma out;
    here it is taken from the residuals, whose sum of squares follows ``sigma^2 chi^2`` with E - 2
    degrees of freedom because the fit has no radial residual: the median over the mask resists
    misfits. This is within 15 % of the error's standard deviation down to an SNR of about 10 in
    the first echo; where later echoes have decayed to noise it is too small.

    References
    ----------
    .. [1] Kressler et al. 2010, doi:10.1109/TMI.2009.2023787
    .. [2] Liu T et al. 2013, doi:10.1002/mrm.24272

    Examples
    --------
    >>> times = np.array([0.005, 0.010, 0.015])
    >>> phase = (2 * np.pi * 20 * times + 0.3) * np.ones((2, 2, 2, 1))
    >>> fit = fit_field(np.ones_like(phase), phase, np.ones((2, 2, 2), bool),
    ...                 echo_times=times, max_iterations=30, noise_model="expected")
    >>> float(fit.field[0, 0, 0].round(4))
    20.0
    """
    predict_noise = methods.NOISE.named(noise_model)
    times = np.asarray(echo_times, dtype=np.float64)
    spacing = physics.echo_spacing(times)
    single = times.size == 1
    steps = np.ones(1) if single else (times - times[0]) / spacing
    shape, voxels = mask.shape, np.flatnonzero(mask)
    signal = magnitude.reshape(-1, times.size), phase.reshape(-1, times.size)
    few = voxels[:: 1 + voxels.size // TURN_SAMPLE]
    sample = signal[0][few], signal[1][few]
    turn = _turn(steps, sample[0])
    uneven = bool(np.abs(steps - np.rint(steps)).max() > 0.01)
    aliases, margin = (ALIASES, _turn_margin(*sample, steps, turn)) if uneven else (0, 0.0)
    values = np.zeros((4, mask.size), dtype=np.float32)
    total, unsettled = _fit_voxels(
        *signal, voxels, steps, turn, aliases, margin, max_iterations, values
    )
    step, unit_noise, residual, unwrapped = values.reshape(4, *shape)
    sigma = noise_level(magnitude, residual, mask)
    level_known = bool(np.isfinite(sigma))
    if not level_known or single:
        predict_noise = methods.NOISE.named("expected")
    step_noise = predict_noise.load()(
        magnitude, phase, mask, unwrapped,
        unit_noise=unit_noise, times=steps, sigma=sigma if level_known else 1.0,
    )  # fmt: skip
    to_hz = float(physics.radians_to_hz(1.0, echo_spacing=spacing))
    count = max(int(np.count_nonzero(mask)), 1)
    return FieldFit(
        field=step * np.float32(to_hz),
        noise=step_noise * np.float32(to_hz),
        residual=residual,
        noise_level=sigma,
        iterations=total / count,
        unsettled=unsettled / count,
        period=turn / _TWO_PI / spacing,
    )


def summary(fit: FieldFit, first_echo: NDArray, mask: NDArray) -> dict[str, float | None]:
    """Return the sidecar entries that say how good a fit is.

    Parameters
    ----------
    fit : FieldFit
        The fit.
    first_echo : ndarray, shape (X, Y, Z)
        Magnitude of the first echo.
    mask : ndarray, shape (X, Y, Z), bool
        Where it was fitted.

    Returns
    -------
    dict
        ``RelativeResidual``, mean over the mask; ``NoiseLevel`` in the magnitude's unit;
        ``SignalToNoise``, median first-echo magnitude over the noise level; ``FitIterations``,
        mean; ``FitUnsettled``, fraction of voxels. None for a noise level that cannot be estimated.
    """
    level_known = bool(np.isfinite(fit.noise_level))
    signal = float(np.median(first_echo[mask]))
    return {
        "RelativeResidual": float(np.mean(fit.residual[mask], dtype=np.float64)),
        "NoiseLevel": fit.noise_level if level_known else None,
        "SignalToNoise": signal / fit.noise_level if level_known else None,
        "FitIterations": fit.iterations,
        "FitUnsettled": fit.unsettled,
    }


def _turn(times: NDArray, magnitude: NDArray) -> float:
    """Return the phase per echo spacing [rad] that a wrap adds; 2 pi unless nearly even."""
    whole = np.rint(times)
    unevenness = np.abs(times - whole).max()
    # Beyond, k turns are other whole numbers per echo than k times those of one.
    if not 1e-6 < unevenness < 0.5 / ALIASES or not magnitude.any():
        return _TWO_PI
    weight = np.sqrt(np.mean(magnitude**2, axis=0, dtype=np.float64))
    return _TWO_PI * float(np.polyfit(times, whole, 1, w=weight)[0])


def _turn_margin(magnitude: NDArray, phase: NDArray, times: NDArray, turn: float) -> float:
    """Return the misfit by which a farther turn must be better, in the magnitude's unit squared."""
    margin = 0.0
    everywhere = np.ones(len(magnitude), dtype=bool)
    for _ in range(TURN_ROUNDS):
        values = np.zeros((4, len(magnitude)), dtype=np.float32)
        _fit_voxels(
            magnitude, phase, np.flatnonzero(everywhere), times, turn, ALIASES, margin,
            TRIAL_STEPS, values,
        )  # fmt: skip
        level = noise_level(magnitude, values[2], everywhere)
        margin = TURN_CHI2 * level**2 if np.isfinite(level) else 0.0
    return margin


@njit(cache=True, nogil=True)
def _fit_voxels(magnitude, phase, voxels, times, turn, aliases, margin, max_iterations, values):
    """Fill `values`; count the steps taken and the voxels that did not settle.

    Rows: phase per echo spacing, wrapped; its SD per unit noise; residual; the phase not wrapped.
    """
    weight = np.empty(times.size)
    misfit = np.empty(2 * aliases + 1)  # negative turns from the end
    total, unsettled = 0, 0
    for voxel in voxels:
        a11 = a12 = a22 = 0.0
        for j in range(times.size):
            weight[j] = float(magnitude[voxel, j]) ** 2
            a11 += weight[j]
            a12 += weight[j] * times[j]
            a22 += weight[j] * times[j] ** 2
        determinant = a11 * a22 - a12 * a12
        if times.size == 1:
            if a11 > 0:
                values[0, voxel] = _wrap(float(phase[voxel, 0]), turn)
                values[1, voxel] = 1 / np.sqrt(a11)
            continue
        if not determinant > 1e-12 * a11 * a22:
            continue
        best = 0
        if aliases:
            for alias in range(-aliases, aliases + 1):
                _, misfit[alias], steps, _ = _descend(
                    phase[voxel], weight, times, (a11, a12, a22), alias, TRIAL_STEPS
                )
                total += steps
            bearable = misfit.min() + margin
            while min(misfit[best], misfit[-best]) > bearable:
                best += 1
            if misfit[-best] < misfit[best]:
                best = -best
        p1, left, steps, settled = _descend(
            phase[voxel], weight, times, (a11, a12, a22), best, max_iterations
        )
        total += steps
        unsettled += not settled
        values[0, voxel] = _wrap(p1, turn)
        values[1, voxel] = np.sqrt(a11 / determinant)
        values[2, voxel] = left / a11
        values[3, voxel] = p1
    return total, unsettled


@njit(cache=True, nogil=True)
def _descend(phase, weight, times, normal, alias, max_iterations):
    """Return slope and squared residual of one voxel's fit, steps taken, whether it settled."""
    a11, a12, a22 = normal
    determinant = a11 * a22 - a12 * a12
    p0, p1 = _start(phase, times, alias)
    steps, settled = 0, False
    while steps < max_iterations and not settled:
        g1 = g2 = 0.0
        for j in range(times.size):
            pull = weight[j] * np.sin(float(phase[j]) - p0 - p1 * times[j])
            g1 += pull
            g2 += pull * times[j]
        d1 = (a11 * g2 - a12 * g1) / determinant
        p0 += (a22 * g1 - a12 * g2) / determinant
        p1 += d1
        steps += 1
        settled = abs(d1) < _TOLERANCE
    left = 0.0
    for j in range(times.size):
        left += 2 * weight[j] * (1 - np.cos(float(phase[j]) - p0 - p1 * times[j]))
    return p1, left, steps, settled


@njit(cache=True, nogil=True)
def _start(phase, times, alias):
    """Unwrap the first three echoes along a straight line; return its intercept and slope."""
    n = min(phase.size, 3)
    first = float(phase[0])
    slope = (_wrap(float(phase[1]) - first, _TWO_PI) + _TWO_PI * alias) / times[1]
    sum_t = sum_tt = sum_y = sum_ty = 0.0
    for j in range(n):
        line = first + slope * times[j]
        unwrapped = line + _wrap(float(phase[j]) - line, _TWO_PI)
        sum_t += times[j]
        sum_tt += times[j] ** 2
        sum_y += unwrapped
        sum_ty += times[j] * unwrapped
    p1 = (n * sum_ty - sum_t * sum_y) / (n * sum_tt - sum_t**2)
    return (sum_y - p1 * sum_t) / n, p1


@njit(cache=True, nogil=True)
def _wrap(angle, turn):
    return angle - turn * np.rint(angle / turn)

"""What one scan's echoes give: field, noise, residual, R2* and combined magnitude."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qsmstudy.recon import field_fit, phase_sign
from qsmstudy.recon.options import FitField
from qsmstudy.recon.r2star import map_r2star, usable_method

log = logging.getLogger("qsmstudy")


class Map(NamedTuple):
    """A map of shape (X, Y, Z), its unit, and what else its own sidecar says of it."""

    values: NDArray
    units: str
    report: dict[str, Any]


class FittedEchoes(NamedTuple):
    """The maps of one scan's echoes.

    Attributes
    ----------
    field, noise, residual, r2star, combined : Map
        Wrapped field [Hz] and its standard deviation, relative residual of the fit, R2* [1/s],
        root of the sum of squares of the magnitudes.
    report : dict
        What the sidecar of each map says of the fit.
    """

    field: Map
    noise: Map
    residual: Map
    r2star: Map
    combined: Map
    report: dict[str, Any]


def fit_echoes(
    magnitude: NDArray,
    phase: NDArray,
    *,
    echo_times: Sequence[float],
    voxel_size: ArrayLike,
    b0_direction: ArrayLike,
    name: str,
    options: FitField,
) -> FittedEchoes:
    """Fit field, noise and R2* to the echoes of a scan.

    Parameters
    ----------
    magnitude : ndarray, shape (X, Y, Z, E)
        Signal magnitude, any unit.
    phase : ndarray, shape (X, Y, Z, E)
        Signal phase [rad].
    echo_times : sequence of float
        Echo times [s], increasing.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    b0_direction : array_like, shape (3,)
        Unit vector of the main field along the array axes.
    name : str
        Of the magnitude, for messages.
    options : FitField
        Options of the fit.

    Raises
    ------
    StudyError
        If there is no signal, a method is unknown, or the phase's sign cannot be estimated.
    """
    combined = field_fit.combine_magnitude(magnitude, name=name)
    mask = field_fit.signal_mask(combined, fraction=options.signal_fraction, name=name)
    fit = field_fit.fit_field(
        magnitude, phase, mask,
        echo_times=echo_times, max_iterations=options.max_iterations,
        noise_model=options.noise_model,
    )  # fmt: skip
    level_known = bool(np.isfinite(fit.noise_level))
    if options.noise_model == "observed" and not level_known:
        log.warning(
            "%s: the noise level cannot be estimated (that needs three echoes, or air that is not "
            "zero); the expected noise is used, up to a factor. Set fit_field.noise_model to "
            "expected",
            name,
        )
    rate = map_r2star(magnitude, mask, echo_times=echo_times, method=options.r2star_method)
    fit, sign = phase_sign.apply_sign(
        fit, rate, combined, phase_sign=options.phase_sign, voxel_size=voxel_size,
        b0_direction=b0_direction,
    )  # fmt: skip
    noise = options.noise_model if level_known else "expected"
    decay = usable_method(options.r2star_method, echo_times)
    return FittedEchoes(
        field=Map(fit.field, "Hz", {"WrapPeriod": fit.period}),
        noise=Map(fit.noise, "Hz" if level_known else "arbitrary", {"Method": noise}),
        residual=Map(fit.residual, "1", {}),
        r2star=Map(rate, "1/s", {"Method": decay, "SkullStripped": False}),
        combined=Map(combined, "arbitrary", {}),
        report=sign | field_fit.summary(fit, magnitude[..., 0], mask),
    )

"""Fit field, noise and R2* to the echoes of one scan."""

from pathlib import Path

import numpy as np

from qsmstudy import physics
from qsmstudy.dataset import images, protocol
from qsmstudy.recon import field_fit
from qsmstudy.recon.phase_sign import tell_phase_sign
from qsmstudy.recon.r2star import map_r2star, usable_method
from qsmstudy.run import job


def main(
    *,
    magnitude: list[Path],
    phase: list[Path],
    field: Path,
    noise: Path,
    residual: Path,
    r2star: Path,
    combined: Path,
    echo_times: list | None,
    field_strength: float | None,
    phase_sign: int | str,
    signal_fraction: float,
    max_iterations: int,
    noise_model: str,
    r2star_method: str,
) -> None:
    """Fit field, noise and R2* to the echoes of one scan."""
    echoes, angles = images.load_signal(magnitude, phase)
    times, strength = protocol.read_protocol(
        magnitude, phase, n_echoes=echoes.values.shape[3],
        echo_times=echo_times, field_strength=field_strength,
    )  # fmt: skip
    sidecar = {
        "EchoTimes": times,
        "EchoSpacing": physics.echo_spacing(times),
        "MagneticFieldStrength": strength,
        "PhaseStoredAs": angles.stored_as,
    }
    total = field_fit.combine_magnitude(echoes.values, name=magnitude[0].name)
    mask = field_fit.signal_mask(total, fraction=signal_fraction, name=magnitude[0].name)
    fit = field_fit.fit_field(
        echoes.values,
        angles.values,
        mask,
        echo_times=times,
        phase_sign=1 if phase_sign == "auto" else int(phase_sign),
        max_iterations=max_iterations,
        noise_model=noise_model,
    )
    known = bool(np.isfinite(fit.noise_level))
    if noise_model == "observed" and not known:
        job.log.warning(
            "%s: a noise level takes three echoes, or air that is not zero; it has neither. The "
            "expected noise is taken, up to a factor. Set fit_field.noise_model to expected",
            magnitude[0].name,
        )
    method = usable_method(r2star_method, times)
    rate = map_r2star(echoes.values, mask, echo_times=times, method=method)
    sign = {"PhaseSign": phase_sign}
    if phase_sign == "auto":
        told = tell_phase_sign(
            fit.field, rate, total, period=fit.period,
            voxel_size=echoes.voxel_size, b0_direction=physics.b0_direction(echoes.affine),
        )  # fmt: skip
        sign = {"PhaseSign": told.sign, "PhaseSignConfidence": told.confidence}
        fit = fit._replace(field=fit.field * told.sign)
    sidecar |= sign | field_fit.summary(fit, echoes.values[..., 0], mask)
    for key, value in sidecar.items():
        job.log.info("%s: %s", key, value)
    names = [path.name for path in (*magnitude, *phase)]
    for path, values, own in (
        (field, fit.field, {"Units": "Hz", "Sources": names, "WrapPeriod": fit.period}),
        (
            noise,
            fit.noise,
            {
                "Units": "Hz" if known else "arbitrary",
                "Sources": names,
                "Method": noise_model if known else "expected",
            },
        ),
        (residual, fit.residual, {"Units": "1", "Sources": names}),
        (
            r2star,
            rate,
            {
                "Units": "1/s",
                "Sources": names[: len(magnitude)],
                "Method": method,
                "SkullStripped": False,
            },
        ),
        (combined, total, {"Units": "arbitrary", "Sources": names[: len(magnitude)]}),
    ):
        images.save(path, values, echoes.affine, sidecar=own | sidecar)


if __name__ == "__main__":
    job.run(main)

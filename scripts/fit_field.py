"""Fit field, noise and R2* to the echoes of one scan."""

from pathlib import Path

from qsmstudy import physics
from qsmstudy.dataset import images, protocol
from qsmstudy.recon.echoes import fit_echoes
from qsmstudy.recon.options import FitField
from qsmstudy.run import job


def main(
    *, magnitude: list[Path], phase: list[Path], field: Path, noise: Path, residual: Path,
    r2star: Path, combined: Path, options: FitField,
) -> None:  # fmt: skip
    """Fit field, noise and R2* to the echoes of one scan."""
    echoes, angles = images.load_signal(magnitude, phase)
    times, strength = protocol.read_protocol(
        magnitude, phase, n_echoes=echoes.values.shape[3],
        echo_times=options.echo_times, field_strength=options.field_strength,
    )  # fmt: skip
    fitted = fit_echoes(
        echoes.values, angles.values, echo_times=times, voxel_size=echoes.voxel_size,
        b0_direction=physics.b0_direction(echoes.affine), name=magnitude[0].name, options=options,
    )  # fmt: skip
    common = {
        "EchoTimes": times,
        "EchoSpacing": physics.echo_spacing(times),
        "MagneticFieldStrength": strength,
        "PhaseStoredAs": angles.stored_as,
        **fitted.report,
    }
    for key, value in common.items():
        job.log.info("%s: %s", key, value)
    for path, made, sources in (
        (field, fitted.field, [*magnitude, *phase]),
        (noise, fitted.noise, [*magnitude, *phase]),
        (residual, fitted.residual, [*magnitude, *phase]),
        (r2star, fitted.r2star, magnitude),
        (combined, fitted.combined, magnitude),
    ):
        own = {"Units": made.units, "Sources": [source.name for source in sources]}
        images.save(path, made.values, echoes.affine, sidecar=own | made.report | common)


if __name__ == "__main__":
    job.run(main)

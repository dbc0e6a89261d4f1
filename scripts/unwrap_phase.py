"""Unwrap the field of one scan in space."""

from pathlib import Path

from qsmstudy.dataset import bids, images
from qsmstudy.recon.options import UnwrapPhase
from qsmstudy.recon.unwrap import unwrap
from qsmstudy.run import job


def main(
    *, field: Path, combined: Path, noise: Path, total_field: Path, options: UnwrapPhase
) -> None:
    """Unwrap the field of one scan in space."""
    wrapped = images.load(field)
    fitted = bids.read_json(bids.sidecar_path(field))
    values = unwrap(
        wrapped.values,
        period=bids.sidecar_number(field, "WrapPeriod"),
        voxel_size=wrapped.voxel_size,
        magnitude=images.load(combined, like=wrapped).values,
        method=options.method,
        fitted=images.load(noise, like=wrapped).values > 0,
    )
    kept = ("EchoTimes", "EchoSpacing", "MagneticFieldStrength")
    sources = [field.name, combined.name, noise.name]
    sidecar = {"Units": "Hz", "Sources": sources, "Method": options.method}
    sidecar |= {key: fitted[key] for key in kept}
    images.save(total_field, values, wrapped.affine, sidecar=sidecar)
    job.log.info("%s: %.1f to %.1f Hz", options.method, values.min(), values.max())


if __name__ == "__main__":
    job.run(main)

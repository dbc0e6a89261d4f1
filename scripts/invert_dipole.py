"""Reconstruct the susceptibility map of one scan."""

from pathlib import Path

from qsmstudy import physics
from qsmstudy.dataset import bids, images
from qsmstudy.recon import background, inputs, inversion, map_sign
from qsmstudy.recon.options import InvertDipole
from qsmstudy.recon.reference import fluid_mask
from qsmstudy.run import job


def main(
    *, local_field: Path, combined: Path, mask: Path, noise: Path, r2star: Path, chi: Path,
    options: InvertDipole,
) -> None:  # fmt: skip
    """Invert the local field to susceptibility, and refer it to a region."""
    field = images.load(local_field)
    brain = images.load(mask, like=field, dtype=bool).values
    background.check_mask(brain)
    decay = images.load(r2star, like=field).values
    noise_level = images.load(noise, like=field).values
    fluid = fluid_mask(
        decay, brain, fitted=noise_level > 0, voxel_size=field.voxel_size,
        r2star_threshold=options.csf_r2star_threshold,
    )  # fmt: skip
    scan = inputs.Scan(
        field.values, images.load(combined, like=field).values, noise_level, brain, fluid,
        field.voxel_size, physics.b0_direction(field.affine),
    )  # fmt: skip
    inverted = inversion.invert_dipole(
        scan, options=options,
        echo_spacing=bids.sidecar_number(local_field, "EchoSpacing"),
        field_strength=bids.sidecar_number(local_field, "MagneticFieldStrength"),
    )  # fmt: skip
    values = inverted.solution.values
    sidecar = {
        "Units": "ppm",
        "SkullStripped": True,
        "Sources": [path.name for path in (local_field, combined, mask, noise, r2star)],
        **inverted.report,
        "SignContrastPpm": map_sign.iron_contrast(
            values, decay, inverted.mask, voxel_size=field.voxel_size
        ),
    }
    images.save(chi, values, field.affine, sidecar=sidecar)


if __name__ == "__main__":
    job.run(main)

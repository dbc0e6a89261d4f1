"""Remove the background field of one scan."""

from pathlib import Path

import numpy as np

from qsmstudy import physics
from qsmstudy.dataset import bids, images
from qsmstudy.recon import background
from qsmstudy.recon.options import RemoveBackground
from qsmstudy.run import job


def main(
    *, total_field: Path, mask: Path, noise: Path, local_field: Path, field_mask: Path,
    options: RemoveBackground,
) -> None:  # fmt: skip
    """Remove the field of sources outside the brain."""
    field = images.load(total_field)
    local = background.remove_background(
        field.values,
        images.load(mask, like=field, dtype=bool).values,
        images.load(noise, like=field).values,
        voxel_size=field.voxel_size,
        b0_direction=physics.b0_direction(field.affine),
        options=options,
    )
    sources = [path.name for path in (total_field, mask, noise)]
    sidecar = {
        "Units": "Hz",
        "Sources": sources,
        "EchoSpacing": bids.sidecar_number(total_field, "EchoSpacing"),
        "MagneticFieldStrength": bids.sidecar_number(total_field, "MagneticFieldStrength"),
        **local.report,
    }
    images.save(local_field, local.solution.values, field.affine, sidecar=sidecar)
    where = {"Type": "Brain", "Description": "Where the local field is defined", "Sources": sources}
    images.save(field_mask, local.defined, field.affine, sidecar=where, dtype=np.uint8)


if __name__ == "__main__":
    job.run(main)

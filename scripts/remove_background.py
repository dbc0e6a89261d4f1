"""Remove the background field of one scan."""

from pathlib import Path

import numpy as np

from qsmstudy import bids, images, job, physics
from qsmstudy.recon import background


def main(
    *, total_field: Path, mask: Path, noise: Path, local_field: Path,
    max_iterations: int, tolerance: float, padding_mm: float,
) -> None:  # fmt: skip
    """Remove the field of sources outside the brain by projection onto dipole fields."""
    options = {
        "max_iterations": max_iterations, "tolerance": tolerance, "padding_mm": padding_mm,
    }  # fmt: skip
    field = images.load(total_field)
    brain = images.load(mask, like=field, dtype=bool).values
    solution = background.remove_background(
        field.values, brain, images.load(noise, like=field).values,
        voxel_size=field.voxel_size, b0_direction=physics.b0_direction(field.affine), **options,
    )  # fmt: skip
    rms = float(np.sqrt(np.mean(solution.values[brain].astype(float) ** 2)))
    job.log.info("local field %.2f Hz RMS after %d steps", rms, solution.iterations)
    sidecar = {
        "Units": "Hz",
        "Sources": [path.name for path in (total_field, mask, noise)],
        "EchoSpacing": bids.sidecar_number(total_field, "EchoSpacing"),
        "MagneticFieldStrength": bids.sidecar_number(total_field, "MagneticFieldStrength"),
        "Parameters": options,
        "Solver": {"Name": "PDF", **solution.report()},
        "RmsHz": rms,
    }
    images.save(local_field, solution.values, field.affine, sidecar=sidecar)


if __name__ == "__main__":
    job.run(main)

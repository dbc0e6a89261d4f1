"""Remove the background field of one scan."""

from pathlib import Path

import numpy as np

from qsmstudy import physics
from qsmstudy.dataset import bids, images
from qsmstudy.recon import background, vsharp
from qsmstudy.run import job


def main(
    *, total_field: Path, mask: Path, noise: Path, local_field: Path, field_mask: Path,
    method: str, max_iterations: int, tolerance: float, padding_mm: float,
    radius_mm: float, truncation: float,
) -> None:  # fmt: skip
    """Remove the field of sources outside the brain by PDF or V-SHARP."""
    field = images.load(total_field)
    brain = images.load(mask, like=field, dtype=bool).values
    spread = images.load(noise, like=field).values
    options: dict[str, float]
    if method == "pdf":
        name, defined = "PDF", brain
        options = {
            "max_iterations": max_iterations, "tolerance": tolerance, "padding_mm": padding_mm,
        }  # fmt: skip
        solution = background.remove_background(
            field.values, brain, spread, voxel_size=field.voxel_size,
            b0_direction=physics.b0_direction(field.affine), max_iterations=max_iterations,
            tolerance=tolerance, padding_mm=padding_mm,
        )  # fmt: skip
    else:
        name, options = "V-SHARP", {"radius_mm": radius_mm, "truncation": truncation}
        solution, defined = vsharp.vsharp(
            field.values, brain, spread, voxel_size=field.voxel_size, radius_mm=radius_mm,
            truncation=truncation,
        )  # fmt: skip
    rms = float(np.sqrt(np.mean(solution.values[defined].astype(float) ** 2)))
    job.log.info("%s: %.2f Hz RMS after %d steps", name, rms, solution.iterations)
    sources = [path.name for path in (total_field, mask, noise)]
    sidecar = {
        "Units": "Hz",
        "Sources": sources,
        "EchoSpacing": bids.sidecar_number(total_field, "EchoSpacing"),
        "MagneticFieldStrength": bids.sidecar_number(total_field, "MagneticFieldStrength"),
        "Parameters": options,
        "Solver": {"Name": name, **solution.report()},
        "RmsHz": rms,
    }
    images.save(local_field, solution.values, field.affine, sidecar=sidecar)
    where = {"Type": "Brain", "Description": "Where the local field is defined", "Sources": sources}
    images.save(field_mask, defined, field.affine, sidecar=where, dtype=np.uint8)


if __name__ == "__main__":
    job.run(main)

"""Find the brain of one scan, or take the user's own mask."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.recon import brain_mask
from qsmstudy.recon.trim import FEWEST_ECHOES, trim_rim
from qsmstudy.run import job


def main(
    *,
    combined: Path,
    residual: Path,
    noise: Path,
    own_mask: Path | None = None,
    mask: Path,
    fractional_threshold: float,
    iterations: int,
    trim_residual: float | None,
    trim_mm: float,
) -> None:
    """Find the brain of one scan, or take the user's own mask."""
    magnitude = images.load(combined)
    how: dict[str, str | float]
    if own_mask is None:
        sources, how = [combined], {"Source": "BET", "FractionalThreshold": fractional_threshold}
        brain = brain_mask.extract_brain(
            magnitude.values,
            voxel_size=magnitude.voxel_size,
            fractional_threshold=fractional_threshold,
            iterations=iterations,
        )
    else:
        sources, how = [own_mask], {"Source": "own"}
        own = images.load(own_mask, like=magnitude)
        brain_mask.check_coverage(own.values, name=str(own_mask))
        brain = own.values != 0
    echoes = len(bids.read_sidecar(combined)["EchoTimes"])
    if trim_residual is not None and echoes < FEWEST_ECHOES:
        job.log.warning(
            "%s: not trimmed: echoes must be %d or more to leave a residual; got %d. "
            "Set extract_brain.trim_residual to null",
            mask.name, FEWEST_ECHOES, echoes,
        )  # fmt: skip
    elif trim_residual is not None:
        before = brain_mask.volume_ml(brain, magnitude.voxel_size)
        brain = trim_rim(
            brain,
            images.load(residual, like=magnitude).values,
            images.load(noise, like=magnitude).values > 0,
            voxel_size=magnitude.voxel_size, threshold=trim_residual, depth_mm=trim_mm,
        )  # fmt: skip
        brain_mask.check_coverage(brain, name=f"{mask.name}, trimmed")
        trimmed = before - brain_mask.volume_ml(brain, magnitude.voxel_size)
        sources += [residual, noise]
        how |= {"TrimResidual": trim_residual, "TrimMm": trim_mm, "TrimmedMl": trimmed}
        job.log.info("trimmed %.1f of %.0f ml", trimmed, before)
    volume = brain_mask.volume_ml(brain, magnitude.voxel_size)
    plausible = brain_mask.PLAUSIBLE_ML[0] <= volume <= brain_mask.PLAUSIBLE_ML[1]
    sidecar = {
        "Type": "Brain", "Sources": [path.name for path in sources], **how, "VolumeMl": volume,
        "Plausible": plausible,
    }  # fmt: skip
    images.save(mask, brain, magnitude.affine, sidecar=sidecar, dtype=np.uint8)
    job.log.info("%s: %.0f ml", how["Source"], volume)
    if not plausible:
        job.log.warning(
            "%s: a brain of %.0f ml is implausible; look at the mask, or provide one",
            mask.name,
            volume,
        )


if __name__ == "__main__":
    job.run(main)

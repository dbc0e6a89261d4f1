"""Find the brain of one scan, or take the user's own mask."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.recon import extraction
from qsmstudy.recon.options import ExtractBrain
from qsmstudy.run import job


def main(
    *, combined: Path, residual: Path, noise: Path, own_mask: Path | None = None, mask: Path,
    options: ExtractBrain,
) -> None:  # fmt: skip
    """Find the brain of one scan, or take the user's own mask."""
    magnitude = images.load(combined)
    size = magnitude.voxel_size
    sources = [own_mask or combined]
    given = None if own_mask is None else images.load(own_mask, like=magnitude).values
    brain = extraction.extract_brain(
        magnitude.values, given, voxel_size=size, name=str(own_mask), options=options
    )
    n_echoes = len(bids.read_sidecar(combined)["EchoTimes"])
    if extraction.is_trimmed(options, n_echoes=n_echoes, name=mask.name):
        sources += [residual, noise]
        brain = extraction.trim(
            brain, *(images.load(path, like=magnitude).values for path in (residual, noise)),
            voxel_size=size, name=mask.name, options=options,
        )  # fmt: skip
    brain = extraction.judge_volume(brain, voxel_size=size, name=mask.name)
    sidecar = {"Type": "Brain", "Sources": [path.name for path in sources], **brain.report}
    images.save(mask, brain.mask, magnitude.affine, sidecar=sidecar, dtype=np.uint8)


if __name__ == "__main__":
    job.run(main)

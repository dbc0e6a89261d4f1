"""Draw the built-in atlas: the template's structure, susceptibility and labels."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.regions.atlas import builtin
from qsmstudy.run import job


def main(*, anatomy: Path, label_table: Path, magnitude: Path, chi: Path, labels: Path) -> None:
    """Draw the built-in atlas from the template's tissue maps and the nuclei's figures."""
    drawn = builtin.draw_template(
        bids.read_json(anatomy), bids.read_tsv(label_table, columns=["index", "roi", "hemisphere"])
    )
    sidecar = {
        "Description": "ICBM152 2009 symmetric tissue maps with the nuclei's figures, as contrast "
        "for registration; no measured value",
        "SpatialReference": "MNI152NLin2009aSym",
    }
    for path, volume in zip((magnitude, chi, labels), drawn, strict=True):
        dtype = np.uint8 if path == labels else np.float32
        images.save(path, volume.values, volume.affine, sidecar=sidecar, dtype=dtype)
    job.log.info("%d labelled voxels", int((drawn[2].values > 0).sum()))


if __name__ == "__main__":
    job.run(main)

"""Pack one scan's map, magnitude and labels for the report's viewer."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.report import viewer
from qsmstudy.run import job


def main(
    *, chi: Path, combined: Path, labels: list[Path], label_tables: list[Path], packed: Path,
    raters: list, margin_mm: float, unlabelled_mm: list, max_voxels: int,
    step_ppm: float, gray_levels: int,
) -> None:  # fmt: skip
    """Pack one scan's map, magnitude and labels for the report's viewer."""
    susceptibility = images.load(chi)
    drawn = {
        rater: images.load(path, like=susceptibility, dtype=np.int16)
        for rater, path in zip(raters, labels, strict=True)
    }
    content = viewer.pack(
        susceptibility,
        images.load(combined, like=susceptibility),
        drawn,
        {
            rater: bids.read_tsv(path, columns=["index", "name", "roi"])
            for rater, path in zip(raters, label_tables, strict=True)
        },
        margin_mm=margin_mm,
        unlabelled_mm=unlabelled_mm,
        max_voxels=max_voxels,
        step_ppm=step_ppm,
        gray_levels=gray_levels,
    )
    viewer.write(packed, content, source=chi)
    job.log.info("%s: %d kB", packed, packed.stat().st_size // 1000)


if __name__ == "__main__":
    job.run(main)

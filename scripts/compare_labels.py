"""Compare every label map with the simulated truth."""

from pathlib import Path

import numpy as np
import pandas as pd

from qsmstudy.dataset import bids, images
from qsmstudy.regions.vocabulary import sort_rows
from qsmstudy.run import job
from qsmstudy.study.study import Study
from qsmstudy.truth import label_overlap


def main(
    *, labels: list[Path], true_labels: list[Path], chi: list[Path], label_table: Path, table: Path,
    summary: Path, study: Study,
) -> None:  # fmt: skip
    """Compare every label map with the simulated truth, scan by scan."""
    names = bids.read_tsv(label_table, columns=["index", "roi", "hemisphere"])
    parts, raters = [], study.raters
    # Labels come rater by rater for each scan; truth and map once for each scan.
    for number, path in enumerate(labels):
        scan = number // len(raters)
        chimap = images.load(chi[scan])
        part = label_overlap.overlaps_of(
            images.load(path, like=chimap, dtype=np.int32).values,
            images.load(true_labels[scan], like=chimap, dtype=np.int32).values,
            chimap.values,
            affine=chimap.affine,
            label_table=names,
        )
        part["participant_id"] = bids.participant_of(chi[scan].name)
        part["rater"] = raters[number % len(raters)]
        parts += part.to_dict("records")
    overlaps = pd.DataFrame(parts)[list(label_overlap.OVERLAP_COLUMNS)]
    overlaps = sort_rows(overlaps, rois=study.nuclei)
    bids.write_tsv(table, overlaps)
    medians = label_overlap.summarize_overlaps(overlaps, rois=study.nuclei)
    bids.write_tsv(summary, medians)
    for row in medians.itertuples():
        job.log.info(
            "rater %s %s: Dice %.2f, mean off by %.4f ppm",
            row.rater, row.roi, row.dice, row.absolute_difference_ppm,
        )  # fmt: skip


if __name__ == "__main__":
    job.run(main)

"""Compare the measured susceptibilities with the simulated truth."""

from pathlib import Path

import pandas as pd

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.study.study import Study
from qsmstudy.truth import measurements as truth


def main(*, nuclei: list[Path], roi_means: Path, validation: Path, study: Study) -> None:
    """Compare the measured susceptibilities with the simulated truth."""
    table = truth.compare_with_truth(
        pd.concat([bids.read_tsv(path) for path in nuclei], ignore_index=True),
        bids.read_tsv(roi_means, columns=["participant_id", "rater", "roi", "hemisphere"]),
        rois=study.nuclei,
    )
    bids.write_tsv(validation, table)
    overall = table[table["group"] == "all"]
    job.log.info(
        "%d regions; gain %.3f to %.3f", len(overall), overall["gain"].min(), overall["gain"].max()
    )


if __name__ == "__main__":
    job.run(main)

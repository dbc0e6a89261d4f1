"""Gather the measurements of all scans and raters in one table."""

from pathlib import Path

import pandas as pd

from qsmstudy.dataset import bids
from qsmstudy.regions.checking import check_values
from qsmstudy.regions.vocabulary import sort_rows
from qsmstudy.run import job
from qsmstudy.study.study import Study


def main(*, values: list[Path], roi_values: Path, study: Study) -> None:
    """Gather the measurements of all scans and raters in one table."""
    records = [row for path in values for row in bids.read_tsv(path).to_dict("records")]
    name = f"{len(values)} measurement tables"
    table = check_values(pd.DataFrame(records), name=name, rois=study.nuclei)
    bids.write_tsv(roi_values, sort_rows(table, rois=study.nuclei))
    job.log.info("%d rows of %d participants", len(table), table["participant_id"].nunique())


if __name__ == "__main__":
    job.run(main)

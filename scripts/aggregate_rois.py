"""Gather the measurements of all scans and raters in one table."""

from pathlib import Path

import pandas as pd

from qsmstudy import regions as roi
from qsmstudy.dataset import bids
from qsmstudy.run import job


def main(*, values: list[Path], roi_values: Path) -> None:
    """Gather the measurements of all scans and raters in one table."""
    records = [row for path in values for row in bids.read_tsv(path).to_dict("records")]
    table = roi.check_values(pd.DataFrame(records), name=f"{len(values)} measurement tables")
    bids.write_tsv(roi_values, roi.in_order(table))
    job.log.info("%d rows of %d participants", len(table), table["participant_id"].nunique())


if __name__ == "__main__":
    job.run(main)

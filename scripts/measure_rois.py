"""Measure one rater's labels on one susceptibility map."""

from pathlib import Path

import numpy as np

from qsmstudy import bids, images, job, referencing, roi
from qsmstudy.recon.reference import differences


def main(
    *,
    chi: Path,
    labels: Path,
    label_table: Path,
    values: Path,
    scan: str,
    rater: str,
    n_slices: int,
    nuclei: list,
) -> None:
    """Measure one rater's labels on one susceptibility map."""
    chimap = images.load(chi)
    measured = roi.measure(
        chimap.values,
        images.load(labels, like=chimap, dtype=np.int32).values,
        affine=chimap.affine,
        label_table=bids.read_tsv(label_table, columns=["index", "roi", "hemisphere"]),
        n_slices=n_slices,
        name=str(labels),
        rois=nuclei,
    )
    measured["participant_id"] = bids.participant_of(scan)
    measured["session"] = bids.session_of(scan)
    measured["rater"] = rater
    zero = bids.read_sidecar(chi).get("Reference", {})
    columns = referencing.columns_of(zero.get("Name"), differences(zero))
    measured = measured.assign(**columns)
    bids.write_tsv(values, measured[list(roi.VALUE_COLUMNS)])
    job.log.info("%s rater %s: %d rows", scan, rater, len(measured))


if __name__ == "__main__":
    job.run(main)

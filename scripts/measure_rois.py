"""Measure one rater's labels on one susceptibility map."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.recon.reference import offsets_of
from qsmstudy.regions import referencing
from qsmstudy.regions.labels import keep_slices, labelled_regions, mark, touched_regions
from qsmstudy.regions.measurement import measure
from qsmstudy.regions.options import MeasureRois
from qsmstudy.regions.vocabulary import VALUE_COLUMNS
from qsmstudy.run import job


def main(
    *, chi: Path, labels: Path, label_table: Path, lesion: Path | None = None, values: Path,
    scan: str, rater: str, nuclei: list, options: MeasureRois,
) -> None:  # fmt: skip
    """Measure one rater's labels on one susceptibility map."""
    chimap = images.load(chi)
    names = bids.read_tsv(label_table, columns=["index", "roi", "hemisphere"])
    if rater == "atlas":  # it labels more nuclei than the study may want
        names["roi"] = names["roi"].where(names["roi"].isin(nuclei))
    regions, table = labelled_regions(
        images.load(labels, like=chimap, dtype=np.int32).values, names, name=str(labels)
    )
    regions = keep_slices(
        regions, affine=chimap.affine, n_slices=options.n_slices, slices=options.slices
    )
    measured = measure(
        chimap.values,
        regions,
        affine=chimap.affine,
        label_table=table,
        n_slices=options.n_slices,
        name=str(labels),
        rois=nuclei,
    )
    if lesion is not None:
        mask = images.load(lesion, like=chimap, dtype=bool).values
        touched = touched_regions(
            regions, mask, affine=chimap.affine, margin_mm=options.lesion_margin_mm
        )
        measured = mark(measured, table, touched, flag="lesion")
        job.log.info("%s: the lesion touches %d regions", lesion, len(touched))
    of_scan = {"participant_id": bids.participant_of(scan), "session": bids.session_of(scan)}
    zero = bids.read_sidecar(chi).get("Reference", {})
    columns = referencing.columns_of(zero.get("Name"), offsets_of(zero))
    measured = measured.assign(**of_scan, rater=rater, **columns)
    bids.write_tsv(values, measured[list(VALUE_COLUMNS)])
    job.log.info("%s rater %s: %d rows", scan, rater, len(measured))


if __name__ == "__main__":
    job.run(main)

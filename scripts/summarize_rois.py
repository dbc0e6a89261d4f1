"""Summarize ROI values over slices and raters."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.regions import referencing
from qsmstudy.regions.checking import check_values
from qsmstudy.regions.options import SummarizeRois
from qsmstudy.regions.summarizing import exclude_lesions, summarize, warn_if_reversed
from qsmstudy.run import job
from qsmstudy.study.study import Study


def main(
    *, roi_values: Path, excluded: Path | None = None, roi_means: Path, study: Study,
    options: SummarizeRois,
) -> None:  # fmt: skip
    """Summarize ROI values over slices and raters, under one reference, without the excluded."""
    values = check_values(bids.read_tsv(roi_values), name=str(roi_values), rois=study.nuclei)
    if excluded is not None:
        out = bids.read_tsv(excluded, columns=["participant_id"])["participant_id"]
        values = values[~values["participant_id"].isin(list(out))].reset_index(drop=True)
    values = exclude_lesions(values, rule=options.lesions)
    values = referencing.refer(values, reference=options.reference)
    means = summarize(values, rois=study.nuclei)
    flags = means.loc[means["rater"] == "mean", "flag"].value_counts()
    for flag, count in flags.items():
        job.log.warning("%d regions are flagged %s", count, flag)
    warn_if_reversed(means)
    bids.write_tsv(roi_means, means)
    job.log.info("%d rows of %d participants", len(means), means["participant_id"].nunique())


if __name__ == "__main__":
    job.run(main)

"""Draw the group comparison of every structure and hemisphere."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.figures import groups as plots
from qsmstudy.figures import style
from qsmstudy.run import job
from qsmstudy.stats import dataset


def main(
    *,
    roi_means: Path,
    participants: Path,
    table3: Path,
    svg: Path,
    png: Path,
    groups: dict,
    covariates: dict,
    nuclei: list,
    rater: str,
) -> None:
    """Draw the group comparison of every structure and hemisphere."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    columns = ["group", "q1", "median", "q3", "p_fdr", "significant"]
    table = bids.read_tsv(table3, columns=columns)
    figure = plots.plot_groups(chi, people["group"], table, groups=groups)
    style.save(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

"""Draw left against right within participants, by structure and group."""

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
    asymmetry: Path,
    svg: Path,
    png: Path,
    groups: dict,
    covariates: dict,
    nuclei: list,
    rater: str,
) -> None:
    """Draw left against right within participants, by structure and group."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    columns = ["group", "roi", "mean_l", "mean_r", "p"]
    table = bids.read_tsv(asymmetry, columns=columns)
    figure = plots.plot_hemispheres(chi, people["group"], table, groups=groups)
    style.save(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

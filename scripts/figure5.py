"""Draw left against right within participants, by structure and group."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.figures import groups as plots
from qsmstudy.figures import style
from qsmstudy.run import job
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *, participants: Path, roi_means: Path, asymmetry: Path, svg: Path, png: Path, study: Study
) -> None:
    """Draw left against right within participants, by structure and group."""
    columns = ["group", "roi", "mean_l", "mean_r", "p"]
    cohort = read_cohort(participants, roi_means, study=study)
    figure = plots.plot_hemispheres(cohort, bids.read_tsv(asymmetry, columns=columns))
    style.save_figure(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

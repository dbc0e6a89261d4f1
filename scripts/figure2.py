"""Draw the group comparison of every structure and hemisphere."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.figures import groups as plots
from qsmstudy.figures import style
from qsmstudy.run import job
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *, participants: Path, roi_means: Path, table3: Path, svg: Path, png: Path, study: Study
) -> None:
    """Draw the group comparison of every structure and hemisphere."""
    columns = ["group", "q1", "median", "q3", "p_fdr", "significant"]
    cohort = read_cohort(participants, roi_means, study=study)
    figure = plots.plot_groups(cohort, bids.read_tsv(table3, columns=columns))
    style.save_figure(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

"""Draw one variable of the patients against another."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.figures import curves as plots
from qsmstudy.figures import style
from qsmstudy.figures.options import Figure4
from qsmstudy.run import job
from qsmstudy.stats.association import find_correlation
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *, roi_means: Path, participants: Path, correlations: Path, ages: Path, svg: Path, png: Path,
    study: Study, options: Figure4,
) -> None:  # fmt: skip
    """Draw one variable of the patients against another."""
    cohort = read_cohort(participants, roi_means, study=study)
    drawn = {"x": options.x, "y": options.y, "group": study.patients}
    figure = plots.plot_correlation(
        cohort.participants.join(cohort.chi),
        find_correlation(bids.read_tsv(correlations), bids.read_tsv(ages), **drawn),
        **drawn, alpha=study.alpha,
    )  # fmt: skip
    style.save_figure(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

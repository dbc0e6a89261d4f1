"""Draw one variable of the patients against another."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.figures import curves as plots
from qsmstudy.figures import style
from qsmstudy.figures.options import Figure4
from qsmstudy.run import job
from qsmstudy.stats.association import find_correlation
from qsmstudy.study.cohort import read_cohort
from qsmstudy.study.study import Study


def main(
    *,
    roi_means: Path,
    participants: Path,
    correlations: Path,
    ages: Path,
    svg: Path,
    png: Path,
    study: Study,
    options: Figure4,
) -> None:
    """Draw one variable of the patients against another."""
    cohort = read_cohort(participants, roi_means, study=study)
    known = cohort.participants.join(cohort.chi)
    for name in (options.x, options.y or options.x):
        if name not in known:
            raise StudyError(
                f"figure4: {name} is no column of participants.tsv and no region. Correct x and y "
                "in the configuration's section figure4."
            )
    figure = plots.plot_correlation(
        known,
        find_correlation(
            bids.read_tsv(correlations),
            bids.read_tsv(ages),
            x=options.x,
            y=options.y,
            group=study.patients,
        ),
        x=options.x,
        y=options.y,
        group=study.patients,
        alpha=study.alpha,
    )
    style.save(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

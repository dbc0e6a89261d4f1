"""Draw one variable of the patients against another."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.figures import curves as plots
from qsmstudy.figures import style
from qsmstudy.figures.options import Figure4
from qsmstudy.run import job
from qsmstudy.stats import association, dataset
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
    people = dataset.read_participants(
        participants, groups=study.by_role, covariates=study.covariates
    )
    chi = dataset.read_chi(roi_means, participants=people, rater=study.rater, rois=study.nuclei)
    known = people.join(chi)
    for name in (options.x, options.y or options.x):
        if name not in known:
            raise StudyError(
                f"figure4: {name} is no column of participants.tsv and no region. Correct x and y "
                "in the configuration's section figure4."
            )
    figure = plots.plot_correlation(
        known,
        association.find_correlation(
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

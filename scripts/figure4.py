"""Draw one variable of the patients against another."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.figures import curves as plots
from qsmstudy.figures import style
from qsmstudy.run import job
from qsmstudy.stats import association, dataset


def main(
    *,
    roi_means: Path,
    participants: Path,
    correlations: Path,
    ages: Path,
    svg: Path,
    png: Path,
    groups: dict,
    covariates: dict,
    nuclei: list,
    alpha: float,
    rater: str,
    x: str,
    y: str | None,
) -> None:
    """Draw one variable of the patients against another."""
    people = dataset.read_participants(participants, groups=groups, covariates=covariates)
    chi = dataset.read_chi(roi_means, participants=people, rater=rater, rois=nuclei)
    known = people.join(chi)
    for name in (x, y or x):
        if name not in known:
            raise StudyError(
                f"figure4: {name} is no column of participants.tsv and no region. Correct x and y "
                "in the configuration's section figure4."
            )
    figure = plots.plot_correlation(
        known,
        association.find_correlation(
            bids.read_tsv(correlations), bids.read_tsv(ages), x=x, y=y, group=groups["patients"]
        ),
        x=x,
        y=y,
        group=groups["patients"],
        alpha=alpha,
    )
    style.save(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

"""Draw the patients' age against their disability at admission."""

from pathlib import Path

from qsmstudy import bids, job
from qsmstudy.figures import curves as plots
from qsmstudy.figures import style
from qsmstudy.stats import dataset


def main(
    *, participants: Path, correlations: Path, svg: Path, png: Path, groups: dict, alpha: float
) -> None:
    """Draw the patients' age against their disability at admission."""
    table = bids.read_tsv(correlations, columns=["x", "y", "n", "method", "r", "p"])
    rows = table[(table["x"] == "age") & (table["y"] == "mrs_admission")]
    figure = plots.plot_correlation(
        dataset.read_participants(participants, groups=groups),
        rows.iloc[0].to_dict() if len(rows) else None,
        x="age",
        y="mrs_admission",
        group=groups["patients"],
        alpha=alpha,
    )
    style.save(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

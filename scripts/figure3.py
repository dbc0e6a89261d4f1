"""Draw the ROC curves of the markers and of their combination."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.figures import curves as plots
from qsmstudy.figures import style
from qsmstudy.run import job
from qsmstudy.study.study import Study


def main(*, curves: Path, table4: Path, svg: Path, png: Path, study: Study) -> None:
    """Draw the ROC curves of the markers and of their combination."""
    figure = plots.plot_roc(
        bids.read_tsv(curves, columns=["marker", "fpr", "tpr"]),
        bids.read_tsv(
            table4, columns=["marker", "auc", "ci_low", "ci_high", "positive_group", "note"]
        ),
        alpha=study.alpha,
    )
    style.save_figure(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

"""Draw every region's power and the size of a replication."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.figures import power as plots
from qsmstudy.figures import style
from qsmstudy.run import job
from qsmstudy.stats.options import EstimatePower
from qsmstudy.study.study import Study


def main(*, table: Path, svg: Path, png: Path, study: Study, power: EstimatePower) -> None:
    """Draw every region's power and the size of a replication."""
    figure = plots.plot_power(
        bids.read_tsv(table), alpha=study.alpha, target_power=power.target_power
    )
    style.save_figure(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

"""Draw every region's power and the size of a replication."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.figures import power as plots
from qsmstudy.figures import style
from qsmstudy.run import job


def main(*, power: Path, svg: Path, png: Path, alpha: float, target_power: float) -> None:
    """Draw every region's power and the size of a replication."""
    figure = plots.plot_power(bids.read_tsv(power), alpha=alpha, target_power=target_power)
    style.save(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)

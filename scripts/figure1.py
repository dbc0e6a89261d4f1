"""Draw one participant's regions of interest on axial susceptibility slices."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.figures import maps, style
from qsmstudy.figures.options import Figure1
from qsmstudy.run import job
from qsmstudy.study.study import Study


def main(
    *, chi: Path, labels: Path, label_table: Path, svg: Path, png: Path, study: Study,
    options: Figure1,
) -> None:  # fmt: skip
    """Draw one participant's regions of interest on axial susceptibility slices."""
    susceptibility = images.load(chi)
    figure = maps.plot_rois(
        susceptibility,
        images.load(labels, like=susceptibility, dtype=np.int16),
        bids.read_tsv(label_table, columns=["index", "name", "roi"]).dropna(subset="roi"),
        nuclei=study.nuclei,
        panels=options.panels,
        chi_window_ppm=options.chi_window_ppm,
    )
    style.save_figure(figure, svg=svg, png=png)


if __name__ == "__main__":
    job.run(main)
